"""The table panel by itself: the real module in a real browser, without a kernel."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect
from widget_front import Front

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror='window.hacked = true'><b>bold</b>"
TABLE: dict[str, Any] = {
    "kind": "table",
    "title": "Responses",
    "columns": [
        {"name": "name", "dtype": "string", "kind": "text", "wire": False},
        {"name": "age", "dtype": "int64", "kind": "number", "wire": False},
        {"name": "tags", "dtype": "list<string>", "kind": "nested", "wire": False},
        {"name": "status_code", "dtype": "string", "kind": "text", "wire": False},
    ],
    "width": 4,
    "total": 1_000_000,
    "window": 100,
    "columns_window": 40,
}
ROWS: list[list[Any]] = [["Ada", "9007199254740993", ['["a", "b"]'], "OK"], [None, None, None, "NOT_FOUND"]]
WINDOW: dict[str, Any] = {
    "kind": "window",
    "number": 0,
    "first": 0,
    "aside": 0,
    "places": [0, 1],
    "rows": ROWS,
    "found": 1_000_000,
    "total": 1_000_000,
}


def opened(front: Front, table: dict[str, Any] | None = None, **window: Any) -> Front:
    front.mount().page.locator(".ge-door").click()
    front.message("sheet", **{**TABLE, **(table or {})})
    front.message("sheet", **{**WINDOW, **window})
    return front


def looks(front: Front) -> list[dict[str, Any]]:
    return [sent for sent in front.sent("sheet") if sent["do"] == "look"]


def test_the_rows_in_the_foot_are_the_door(front: Front) -> None:
    front.mount()
    assert not front.page.locator(".ge-sheet").is_visible()
    door = front.page.get_by_role("button", name="12 rows in widget.responses")
    door.click()
    assert front.sent("sheet") == [{"command": "table", "do": "open"}]
    front.message("sheet", **TABLE)
    front.message("sheet", **WINDOW)
    expect(front.page.locator(".ge-sheet tbody tr")).to_have_count(2)
    expect(front.page.locator(".ge-request")).to_be_hidden()
    assert "1,000,000 rows × 4 columns" in front.page.locator(".ge-sheet-head").inner_text()
    assert "Ada" not in front.page.evaluate("JSON.stringify(models.sheet.state)")
    front.page.get_by_role("button", name="Close the table").click()
    expect(front.page.locator(".ge-sheet")).to_be_hidden()
    expect(front.page.locator(".ge-request")).to_be_visible()
    expect(door).to_be_focused()
    assert front.sent("sheet")[-1] == {"command": "table", "do": "close"}


def test_what_python_opens_opens_the_panel(front: Front) -> None:
    front.mount()
    front.message("sheet", kind="opened")
    front.message("sheet", **{**TABLE, "title": "a run"})
    front.message("sheet", **WINDOW)
    expect(front.page.locator(".ge-sheet h4")).to_have_text("a run")
    assert front.page.locator(".ge-door").get_attribute("aria-expanded") == "true"
    front.page.locator(".ge-sheet input").first.press("Escape")
    expect(front.page.locator(".ge-sheet")).to_be_hidden()


def test_missing_values_digits_and_status_are_to_be_seen(front: Front) -> None:
    opened(front)
    assert front.page.locator(".ge-sheet .ge-na").all_inner_texts() == ["NA", "NA", "NA"]
    expect(front.page.get_by_role("cell", name="9007199254740993")).to_be_visible()
    assert front.page.locator(".ge-sheet .ge-badge").all_inner_texts() == ["OK", "NOT_FOUND"]
    assert front.page.locator(".ge-sheet .ge-dtype").all_inner_texts()[:2] == ["string", "int64"]


def test_a_click_on_a_name_sorts_and_with_shift_by_one_more(front: Front) -> None:
    opened(front)
    name, age = (front.page.locator(f".ge-sheet [data-key='{at}']") for at in (0, 1))
    name.click()
    assert looks(front)[-1]["sort"] == [{"column": 0, "down": False}]
    front.message("sheet", **{**WINDOW, "number": 1})
    assert front.page.locator("th[aria-sort=ascending]").count() == 1
    expect(name).to_be_focused()
    name.click()  # and at once, before the kernel has answered:
    age.click(modifiers=["Shift"])
    assert looks(front)[-1]["sort"] == [{"column": 0, "down": True}, {"column": 1, "down": False}]
    front.message("sheet", **{**WINDOW, "number": 3})
    assert front.page.locator(".ge-sorted").all_inner_texts() == ["▼1", "▲2"]
    name.click()
    assert looks(front)[-1]["sort"] == []
    assert front.page.locator(".ge-sheet button[data-key='2']").count() == 0, "lists have no order"
