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
    "columns": [0, 1, 2, 3],
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


def test_a_table_that_is_opened_again_is_drawn_whatever_was_asked_of_it_before(front: Front) -> None:
    opened(front)
    front.page.get_by_label("search the text of all rows").fill("ada")
    front.page.clock.run_for(300)
    front.message("sheet", **{**WINDOW, "number": 1, "found": 1})
    front.page.get_by_role("button", name="Close the table").click()
    front.page.locator(".ge-door").click()
    assert front.sent("sheet")[-1] == {"command": "table", "do": "open"}
    front.message("sheet", **TABLE)
    front.message("sheet", **WINDOW)
    expect(front.page.locator(".ge-sheet tbody tr")).to_have_count(2)
    assert front.page.get_by_label("search the text of all rows").input_value() == ""


def test_escape_takes_back_the_nearest_thing_and_at_last_the_table(front: Front) -> None:
    opened(front)
    sheet, csv = front.page.locator(".ge-sheet"), front.page.get_by_role("button", name="CSV")
    csv.click()
    front.page.get_by_label("name of the file").press("Escape")
    expect(front.page.get_by_label("name of the file")).to_have_count(0)
    expect(csv).to_be_focused()
    search = front.page.get_by_label("search the text of all rows")
    search.fill("ada")
    front.page.clock.run_for(300)
    search.press("Escape")
    front.page.clock.run_for(300)
    expect(search).to_have_value("")
    assert [look["search"] for look in looks(front)] == ["ada", ""]
    expect(sheet).to_be_visible()
    search.press("Escape")
    expect(sheet).to_be_hidden()


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


def test_typing_waits_a_moment_and_then_asks_once(front: Front) -> None:
    opened(front)
    front.page.get_by_label("search the text of all rows").press_sequentially("ada")
    assert looks(front) == []
    front.page.clock.run_for(300)
    assert [(look["search"], look["first"]) for look in looks(front)] == [("ada", 0)]
    front.message("sheet", **{**WINDOW, "number": 1, "found": 2})
    assert front.page.locator(".ge-pages").inner_text().startswith("1–2 of 2 found, in 1,000,000 rows")


def test_an_answer_that_was_overtaken_is_not_drawn(front: Front) -> None:
    opened(front)
    search = front.page.get_by_label("search the text of all rows")
    for typed in ("a", "ad"):
        search.fill(typed)
        front.page.clock.run_for(300)
    front.message("sheet", **{**WINDOW, "number": 1, "rows": [["late", None, None, "OK"]], "places": [7]})
    assert front.page.get_by_role("cell", name="late").count() == 0
    front.message("sheet", **{**WINDOW, "number": 2, "rows": [["newest", None, None, "OK"]], "places": [8]})
    expect(front.page.get_by_role("cell", name="newest")).to_be_visible()


def test_what_takes_long_shows_that_it_goes_on(front: Front) -> None:
    opened(front)
    bar = front.page.get_by_role("progressbar", name="looking")
    front.page.locator("[data-key='0']").click()
    assert not bar.is_visible()
    front.page.clock.run_for(400)
    expect(bar).to_be_visible()
    front.message("sheet", **{**WINDOW, "number": 1})
    expect(bar).to_be_hidden()


def test_pages_are_turned_and_the_focus_stays(front: Front) -> None:
    opened(front)
    assert front.page.get_by_role("button", name="first rows").is_disabled()
    later = front.page.get_by_role("button", name="later rows")
    later.click()
    assert looks(front)[-1]["first"] == 100
    front.message("sheet", **{**WINDOW, "number": 1, "first": 100, "places": [100, 101]})
    expect(later).to_be_focused()
    front.page.get_by_role("button", name="last rows").click()
    assert looks(front)[-1]["first"] == 999_900
    front.message("sheet", **{**WINDOW, "number": 2, "first": 999_900, "places": [999_900, 999_901]})
    assert later.is_disabled()
    assert "rows 999,901–999,902 of 1,000,000" in front.page.locator(".ge-pages").inner_text()


def test_of_many_columns_some_are_drawn_and_the_others_a_click_away(front: Front) -> None:
    wide = [{"name": f"c{at}", "dtype": "int32", "kind": "number", "wire": False} for at in range(100)]
    opened(front, {"columns": wide, "width": 3000}, rows=[["1"] * 40], places=[0], columns=list(range(40)))
    assert "columns 1–40 of 3,000" in front.page.locator(".ge-pages").inner_text()
    front.page.get_by_role("button", name="later columns").click()
    assert looks(front)[-1]["aside"] == 40
    later = {"aside": 40, "columns": list(range(40, 80)), "rows": [["2"] * 40], "places": [0]}
    front.message("sheet", **{**WINDOW, "number": 1, **later})
    assert front.page.locator(".ge-sheet .ge-column-name").first.inner_text() == "c40"
    front.page.locator("[data-key='40']").click()
    assert looks(front)[-1]["sort"] == [{"column": 40, "down": False}]


def test_each_column_is_asked_as_its_kind_can_be(front: Front) -> None:
    opened(front)
    adder = front.page.get_by_label("add a filter")
    adder.select_option(label="age")
    low = front.page.get_by_label("age low")
    expect(low).to_be_focused()
    low.fill("18")
    front.page.clock.run_for(300)
    assert looks(front)[-1]["conditions"] == [{"column": 1, "kind": "range", "text": "", "low": "18", "high": ""}]
    adder.select_option(label="tags")
    front.page.clock.run_for(300)
    assert looks(front)[-1]["conditions"][1]["kind"] == "missing"
    front.page.get_by_label("how age is asked").select_option("present")
    assert front.page.locator(".ge-asked").count() == 0
    front.page.get_by_role("button", name="No filter on tags").click()
    front.page.clock.run_for(300)
    assert [one["kind"] for one in looks(front)[-1]["conditions"]] == ["present"]


def test_columns_stand_as_the_kernel_orders_them_and_are_asked_by_their_places(front: Front) -> None:
    opened(front, columns=[3, 0, 1, 2], rows=[["OK", "Ada", "36", ['["a"]']]], places=[0])
    names = front.page.locator(".ge-sheet .ge-column-name")
    expect(names).to_have_text(["status_code", "name", "age", "tags"])
    expect(front.page.locator(".ge-sheet .ge-badge")).to_have_text("OK")
    front.page.locator(".ge-sheet thead button").filter(has_text="age").click()
    assert looks(front)[-1]["sort"] == [{"column": 1, "down": False}]
    front.page.get_by_role("button", name="unfold tags").click()
    assert front.sent("sheet")[-1] == {"command": "table", "do": "cell", "row": 0, "column": 2}


def test_seconds_stand_under_each_other_and_methods_are_cut_at_their_package(front: Front) -> None:
    columns = [
        {"name": "method", "dtype": "string", "kind": "text", "wire": False},
        {"name": "elapsed", "dtype": "s", "kind": "number", "wire": False, "decimals": 4},
    ]
    rows = [["explorer.demo.v1.DirectoryService.WatchUsers", "2.134"], ["UserService.GetUser", "0.00341877"]]
    opened(front, {"columns": columns, "width": 2}, columns=[0, 1], rows=rows)
    cells = front.page.locator(".ge-sheet tbody td:not(.ge-place)")
    expect(cells).to_have_text(["…DirectoryService.WatchUsers", "2.1340", "UserService.GetUser", "0.0034"])
    assert cells.nth(0).get_attribute("title") == rows[0][0]
    assert cells.nth(3).get_attribute("title") == rows[1][1]


def test_a_column_of_few_values_is_asked_for_one_of_them(front: Front) -> None:
    status = {"name": "status_code", "dtype": "string", "kind": "text", "wire": False}
    opened(front, {"columns": [{**status, "choices": ["NOT_FOUND", "OK"]}], "width": 1}, columns=[0], rows=[["OK"]] * 2)
    front.page.get_by_label("add a filter").select_option(label="status_code")
    choice = front.page.get_by_label("status_code is", exact=True)
    expect(choice).to_be_focused()
    expect(choice.locator("option")).to_have_text(["any", "NOT_FOUND", "OK"])
    choice.select_option("NOT_FOUND")
    front.page.clock.run_for(300)
    asked = {"column": 0, "kind": "equals", "text": "NOT_FOUND", "low": "", "high": ""}
    assert looks(front)[-1]["conditions"] == [asked]
    front.page.get_by_label("how status_code is asked").select_option("contains")
    expect(front.page.get_by_label("status_code contains")).to_have_value("NOT_FOUND")


def test_a_nested_cell_unfolds_under_its_row_and_folds_again(front: Front) -> None:
    opened(front)
    cell = front.page.get_by_role("button", name="unfold tags")
    cell.click()
    assert front.sent("sheet")[-1] == {"command": "table", "do": "cell", "row": 0, "column": 2}
    front.message("sheet", kind="cell", row=0, column=2, text='[\n  "a",\n  "b"\n]', note="only its beginning")
    expect(cell).to_be_focused()
    assert cell.get_attribute("aria-expanded") == "true"
    assert front.page.locator(".ge-unfolded pre").inner_text() == '[\n  "a",\n  "b"\n]'
    assert "only its beginning" in front.page.locator(".ge-unfolded-head").inner_text()
    cell.click()
    assert front.page.locator(".ge-unfolded").count() == 0
    assert len([sent for sent in front.sent("sheet") if sent["do"] == "cell"]) == 1


def test_rows_are_written_under_a_name_that_is_asked_for(front: Front) -> None:
    opened(front, found=2)
    front.page.get_by_role("button", name="CSV").click()
    name = front.page.get_by_label("name of the file")
    expect(name).to_be_focused()
    name.fill("people")
    front.page.get_by_label("safe for spreadsheets").check()
    name.press("Enter")
    asked = {"kind": "csv", "name": "people", "everything": False, "safe": True, "replace": False}
    assert front.sent("sheet")[-1] == {"command": "table", "do": "write", **asked}
    front.message("sheet", kind="problem", sentence="people.csv is there already.", replace=True)
    front.page.get_by_label("all 1,000,000").check()
    front.page.get_by_role("button", name="Replace it").click()
    assert front.sent("sheet")[-1] == {"command": "table", "do": "write", **asked, "everything": True, "replace": True}
    front.message("sheet", kind="done", sentence="Wrote 2 rows.", code='explorer.frames.to_csv(widget.shown, "a.csv")')
    expect(front.page.locator(".ge-said")).to_contain_text("Wrote 2 rows. In Python: explorer.frames.to_csv(")
    assert not name.is_visible()


def test_the_rows_in_pandas_are_one_click_and_follow_what_is_asked(front: Front) -> None:
    opened(front, code="df = widget.responses")
    code = front.page.locator(".ge-out").get_by_role("button", name="Code")
    text = front.page.get_by_label("these rows in pandas")
    assert text.count() == 0
    code.click()
    expect(text).to_have_text("df = widget.responses")
    assert code.get_attribute("aria-expanded") == "true"
    line = f'df = widget.responses\ndf[df["name"].eq("{HOSTILE}")]'
    front.message("sheet", **{**WINDOW, "number": 1, "code": line})
    assert text.text_content() == line
    assert front.page.evaluate("window.hacked") is None
    front.message("sheet", kind="done", sentence="Wrote 2 rows.", code=f"{line}.head()")
    assert front.page.get_by_label("the same in Python").text_content() == f"{line}.head()"
    expect(text).to_have_count(0)
    assert code.get_attribute("aria-expanded") == "false"
    code.click()
    assert text.text_content() == line
    code.click()
    expect(text).to_have_count(0)


def test_a_dataframe_is_handed_over_under_a_name(front: Front) -> None:
    opened(front)
    front.page.get_by_role("button", name="DataFrame").click()
    assert front.page.locator(".ge-takeout [type=radio]").count() == 0, "all that is shown is all"
    front.page.get_by_label("name in the notebook").fill("users")
    front.page.get_by_role("button", name="Hand to the notebook").click()
    assert front.sent("sheet")[-1]["do"] == "hand_over"
    assert front.sent("sheet")[-1]["name"] == "users"


def test_latencies_are_one_click_and_drawn_for_light_and_dark(front: Front) -> None:
    opened(front)
    assert not front.page.get_by_role("button", name="Latencies").is_visible(), "there is no column for it"
    front.message("sheet", **{**TABLE, "latencies": True})
    front.message("sheet", **WINDOW)
    front.page.get_by_role("button", name="Latencies").click()
    asked = front.sent("sheet")[-1]
    pane = front.page.locator(".ge-latencies").evaluate("element => element.clientWidth")
    assert asked == {"command": "table", "do": "latencies", "width": pane}
    picture = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4="
    front.message("sheet", kind="latencies", light=picture, dark=picture, words="12 calls; median 3 ms")
    by_day, by_night = front.page.locator(".ge-by-day"), front.page.locator(".ge-by-night")
    for theme, shown, hidden in (("true", by_day, by_night), ("false", by_night, by_day)):
        front.page.evaluate("(light) => { document.body.dataset.jpThemeLight = light; }", theme)
        expect(shown).to_be_visible()
        expect(hidden).to_be_hidden()
    assert by_night.get_attribute("alt") == "12 calls; median 3 ms"
    front.page.get_by_role("button", name="Latencies").click()
    assert front.page.locator(".ge-picture").count() == 0


def test_what_fails_is_said_and_the_rows_stay(front: Front) -> None:
    opened(front)
    front.message("sheet", kind="problem", sentence=f"no such thing {HOSTILE}", replace=False)
    expect(front.page.get_by_role("alert").filter(has_text="no such thing")).to_be_visible()
    assert front.page.locator(".ge-sheet tbody tr").count() == 2


def test_hostile_names_and_cells_are_text(front: Front) -> None:
    columns = [{"name": HOSTILE, "dtype": HOSTILE, "kind": kind, "wire": False} for kind in ("text", "nested")]
    shown = {"rows": [[HOSTILE, [HOSTILE]]], "places": [0], "columns": [0, 1]}
    opened(front, {"columns": columns, "width": 2, "title": HOSTILE}, **shown)
    front.message("sheet", kind="cell", row=0, column=1, text=HOSTILE, note=HOSTILE)
    front.page.get_by_label("add a filter").select_option(index=1)
    front.message("sheet", kind="done", sentence=HOSTILE, code=HOSTILE)
    front.message("sheet", kind="problem", sentence=HOSTILE, replace=True)
    assert front.page.locator(".ge-sheet img, .ge-sheet b").count() == 0
    assert front.page.evaluate("window.hacked") is None
    assert front.page.locator(".ge-sheet h4").inner_text() == HOSTILE


def test_new_rows_are_asked_for_with_what_was_asked_before(front: Front) -> None:
    opened(front)
    front.page.get_by_label("add a filter").select_option(label="name")
    front.page.get_by_label("name contains").fill("ada")
    front.page.clock.run_for(300)
    front.message("sheet", kind="stale")
    assert looks(front)[-1]["conditions"][0]["text"] == "ada"
    grown = [*TABLE["columns"], {"name": "more", "dtype": "string", "kind": "text", "wire": False}]
    front.message("sheet", **{**TABLE, "columns": grown, "width": 5})
    assert front.page.get_by_label("name contains").input_value() == "ada"


@pytest.mark.parametrize("width", [360, 640, 1000])
def test_nothing_of_the_panel_sticks_out_at_any_width(open_page: Any, width: int) -> None:
    page = open_page(viewport={"width": width, "height": 700})
    front = opened(Front(page), {"latencies": True}, found=2)
    page.get_by_label("add a filter").select_option(label="age")
    page.get_by_role("button", name="CSV").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("sticking_out()") == []
    assert page.evaluate("weak_words()") == []
    assert front.page.locator(".ge-takeout").is_visible()
