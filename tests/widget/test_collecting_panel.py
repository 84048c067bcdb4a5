"""Call for each … and the run by themselves: the real modules in a real browser, without a kernel."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from widget_front import GET_USER, OK, Front

from explorer.widget import answers
from explorer.widget.running_view import NO_RUN

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror='window.hacked = true'>"
METHOD = GET_USER["name"]
NAMES: dict[str, Any] = {
    "kind": "sources",
    "method": METHOD,
    "fields": ["user_id", "region"],
    "names_in_all": 3,
    "names": [
        {
            "name": "frame",
            "kind": "DataFrame",
            "rows": 200,
            "field": "",
            "columns_in_all": 2,
            "columns": [
                {"at": 1, "name": "user_id", "dtype": "str", "field": "user_id"},
                {"at": 0, "name": HOSTILE, "dtype": "str", "field": ""},
            ],
        },
        {"name": "ids", "kind": "values", "rows": 1, "field": "", "columns": [], "columns_in_all": 0},
        {"name": "whole", "kind": "requests", "rows": 7, "field": "", "columns": [], "columns_in_all": 0},
    ],
}
RUN: dict[str, Any] = {
    **NO_RUN,
    "state": "running",
    "badge": "running",
    "method": METHOD,
    "facts": "61,240 of 100,000 · 11,800/s · 3 s left · 2 errors",
    "said": "61,240 of 100,000",
    "fraction": 0.6124,
    "table": {
        "columns": [
            {"name": "request.user_id", "dtype": "string", "numeric": False, "wire": True},
            {"name": "status_code", "dtype": "", "numeric": False, "wire": False},
        ],
        "rows": [["user61239", "OK"], [HOSTILE, "NOT_FOUND"]],
        "total": 61240,
        "width": 2,
    },
}
DONE = {**RUN, "state": "done", "badge": "done", "tone": "good", "fraction": 1.0, "code": "session[…].collect(frame)\n"}
NO_ANSWER = {**answers.NONE, "hint": ""}


@pytest.fixture
def each(front: Front) -> Front:
    """The panel opened, and the names told."""
    front.mount(response={"answer": NO_ANSWER}).page.get_by_role("button", name="Call for each …").click()
    assert front.sent("request") == [{"command": "sources", "method": METHOD}]
    front.message("request", **NAMES)
    return front


def begun(front: Front) -> dict[str, Any]:
    [sent] = [content for content in front.sent("request") if content["command"] == "collect"]
    return sent


def test_nothing_is_asked_before_it_is_opened_and_escape_closes_it(front: Front) -> None:
    front.mount()
    assert front.sent("request") == []
    toggle = front.page.get_by_role("button", name="Call for each …")
    expect(toggle).to_have_attribute("aria-expanded", "false")
    toggle.focus()
    front.page.keyboard.press("Enter")
    expect(front.page.get_by_role("tab", name="Name")).to_be_focused()
    front.page.keyboard.press("Escape")
    expect(toggle).to_be_focused()
    expect(toggle).to_have_attribute("aria-expanded", "false")


def test_the_columns_that_fit_are_chosen_and_the_others_named(each: Front) -> None:
    page = each.page
    expect(page.get_by_label("name in the notebook")).to_have_value("frame")
    expect(page.get_by_label("field of the column user_id")).to_have_value("user_id")
    expect(page.get_by_label(f"field of the column {HOSTILE}")).to_have_value("")
    page.get_by_role("button", name="Call 200 times").click()
    sent = begun(each)
    assert (sent["method"], sent["request"], sent["timeout"]) == (METHOD, "{}", 30)
    assert sent["source"] == {"kind": "name", "name": "frame", "field": "", "columns": {"1": "user_id"}}
    assert sent["settings"] == {"concurrency": "64", "rate": "", "into": "", "errors": "row"}
    assert page.evaluate("window.hacked") is None


def test_by_keyboard_alone_another_column_other_options_and_enter(each: Front) -> None:
    page = each.page
    page.get_by_label(f"field of the column {HOSTILE}").select_option("region")
    page.get_by_label("calls at once").fill("8")
    page.get_by_label("calls per second").fill("50")
    page.get_by_label("folder for the rows").fill("users")
    page.get_by_label("errors as rows").uncheck()
    page.get_by_label("folder for the rows").press("Enter")
    sent = begun(each)
    assert sent["source"]["columns"] == {"0": "region", "1": "user_id"}
    assert sent["settings"] == {"concurrency": "8", "rate": "50", "into": "users", "errors": "raise"}
    assert not [content for content in each.sent("request") if content["command"] == "call"]


def test_a_table_of_arrows_has_columns_and_its_rows_may_not_be_known(each: Front) -> None:
    page = each.page
    table = {**NAMES["names"][0], "name": "arrow", "kind": "table", "rows": None}
    each.message("request", **{**NAMES, "names": [table, *NAMES["names"]]})
    page.get_by_label("name in the notebook").select_option("arrow")
    expect(page.get_by_label("name in the notebook").locator("option:checked")).to_have_text("arrow · table")
    expect(page.get_by_label("field of the column user_id")).to_have_value("user_id")
    page.locator(".ge-each-begin").click()
    assert begun(each)["source"] == {"kind": "name", "name": "arrow", "field": "", "columns": {"1": "user_id"}}


def test_values_need_a_field_and_whole_requests_none(each: Front) -> None:
    page = each.page
    page.get_by_label("name in the notebook").select_option("ids")
    expect(page.get_by_role("button", name="Call 1 time", exact=True)).to_be_enabled()
    page.get_by_label("field of the request").select_option("region")
    names = page.get_by_label("name in the notebook").locator("option").all_inner_texts()
    assert {"ids · 1 value", "whole · 7 requests"} <= set(names)
    page.get_by_label("name in the notebook").select_option("whole")
    expect(page.get_by_label("field of the request")).to_have_count(0)
    page.get_by_label("name in the notebook").select_option("ids")
    expect(page.get_by_label("field of the request")).to_have_value("region")
    page.get_by_role("button", name="Call 1 time", exact=True).click()
    assert begun(each)["source"] == {"kind": "name", "name": "ids", "field": "region", "columns": {}}


def test_lines_one_value_each(each: Front) -> None:
    page = each.page
    page.get_by_role("tab", name="Lines").click()
    expect(page.locator(".ge-each-begin")).to_be_disabled()
    page.get_by_label("values, one a line").fill("user1\n\nuser2\n")
    page.get_by_label("field of the request").select_option("user_id")
    page.get_by_label("values, one a line").press("Enter")
    assert not [content for content in each.sent("request") if content["command"] == "collect"]
    page.get_by_label("values, one a line").press("Control+Enter")
    assert begun(each)["source"] == {"kind": "lines", "text": "user1\n\nuser2\n\n", "field": "user_id"}


def test_a_file_by_its_path(each: Front) -> None:
    page = each.page
    page.get_by_role("tab", name="File").click()
    expect(page.locator(".ge-each-begin")).to_be_disabled()
    page.get_by_label("path of the file").fill("ids.csv")
    page.get_by_label("path of the file").press("Enter")
    assert each.sent("request")[-1] == {"command": "look_into", "method": METHOD, "path": "ids.csv"}
    told = {"kind": "sources", "method": METHOD}
    file = {**NAMES["names"][0], "rows": 1000, "problem": ""}
    each.message("request", **told, file={"problem": "ids.csv cannot be read: No such file."})
    expect(page.get_by_text("No such file")).to_be_visible()
    expect(page.locator(".ge-each-begin")).to_be_disabled()
    each.message("request", **told, file=file)
    expect(page.get_by_text("is no field of GetUserRequest, and a file is sent whole")).to_be_visible()
    expect(page.locator(".ge-each-begin")).to_be_disabled()
    each.message("request", **told, file={**file, "columns": file["columns"][:1]})
    expect(page.get_by_text("1,000 rows · user_id")).to_be_visible()
    page.get_by_role("button", name="Call 1,000 times").click()
    assert begun(each)["source"] == {"kind": "file", "path": "ids.csv"}


def test_a_file_through_the_page_is_bounded(each: Front, tmp_path: Path) -> None:
    page = each.page
    page.get_by_role("tab", name="File").click()
    picker = page.locator(".ge-each .ge-picker")
    picker.set_input_files({"name": "ids.csv", "mimeType": "text/csv", "buffer": b"user_id\n\xc3\xa9\n"})
    expect(page.get_by_label("path of the file")).to_have_value("ids.csv")
    page.wait_for_function("models.request.sent.some((content) => content.command === 'look_into')")
    data = base64.b64encode(b"user_id\n\xc3\xa9\n").decode()
    assert each.sent("request")[-1] == {"command": "look_into", "method": METHOD, "name": "ids.csv", "data": data}
    with (tmp_path / "large.parquet").open("wb") as large:
        large.truncate(6_000_001)
    picker.set_input_files(tmp_path / "large.parquet")
    expect(page.get_by_text("through the page go 6 MB at most")).to_be_visible()
    assert "large" not in str(each.sent("request"))


def test_what_the_form_holds_is_said_to_go_with_all(each: Front) -> None:
    page = each.page
    page.get_by_label("user_id", exact=True).fill("x")
    page.get_by_label("field of the column user_id").select_option("")
    expect(page.locator(".ge-each")).to_contain_text("The same in all, from the form: user_id.")
    page.get_by_label("field of the column user_id").select_option("user_id")
    expect(page.locator(".ge-each")).not_to_contain_text("The same in all")


def test_what_cannot_be_sent_is_said_there_and_the_button_is_free_again(each: Front) -> None:
    page = each.page
    page.locator(".ge-each-begin").click()
    each.set("request", "collecting", True)
    expect(page.locator(".ge-each-begin")).to_have_text("Checking …")
    expect(page.locator(".ge-each-begin")).to_be_disabled()
    problem = {"sentence": f"Row 7: {HOSTILE}", "action": {"label": "Sign in again", "command": "sign_in_again"}}
    each.message("request", kind="sources", method=METHOD, problem=problem)
    each.set("request", "collecting", False)
    expect(page.get_by_role("alert").filter(has_text="Row 7")).to_be_visible()
    expect(page.get_by_role("button", name="Call 200 times")).to_be_enabled()
    page.get_by_role("button", name="Sign in again").click()
    assert each.sent("request")[-1] == {"command": "sign_in_again"}
    assert page.evaluate("window.hacked") is None


def test_once_it_has_begun_the_panel_makes_room(each: Front) -> None:
    each.page.locator(".ge-each-begin").click()
    each.message("request", kind="sources", method=METHOD, begun=True)
    expect(each.page.locator(".ge-each")).to_have_count(0)
    expect(each.page.get_by_role("button", name="Call for each …")).to_be_focused()


def test_a_list_that_has_the_focus_is_asked_for_anew_without_an_end_to_it(each: Front) -> None:
    each.page.get_by_label("name in the notebook").focus()
    asked = [content for content in each.sent("request") if content["command"] == "sources"]
    assert len(asked) == 2
    each.message("request", **NAMES)
    each.message("request", **{**NAMES, "names": NAMES["names"][:2]})
    expect(each.page.get_by_label("name in the notebook")).to_be_focused()
    assert len([content for content in each.sent("request") if content["command"] == "sources"]) == 2


def test_no_name_yet_and_look_again(front: Front) -> None:
    front.mount().page.get_by_role("button", name="Call for each …").click()
    front.message("request", **{**NAMES, "names": [], "names_in_all": 0})
    expect(front.page.get_by_text("no DataFrame, table, Series or list with a name yet")).to_be_visible()
    expect(front.page.locator(".ge-each-begin")).to_be_disabled()
    front.page.get_by_role("button", name="Look again", exact=True).last.click()
    assert [content["command"] for content in front.sent("request")] == ["sources", "sources"]


def test_a_stream_of_requests_has_none_of_it_and_what_was_chosen_stays_with_its_method(each: Front) -> None:
    stream = {**GET_USER, "name": "a.B.Up", "label": "Up", "kind": "client stream", "streams": True}
    each.page.get_by_label("calls at once").fill("3")
    each.set("request", "method", stream)
    expect(each.page.get_by_role("button", name="Call for each …")).to_be_hidden()
    expect(each.page.locator(".ge-each")).to_have_count(0)
    each.set("request", "method", GET_USER)
    expect(each.page.get_by_label("calls at once")).to_have_value("3")


def test_nothing_that_was_typed_rests_in_a_trait(each: Front) -> None:
    each.page.get_by_role("tab", name="Lines").click()
    each.page.get_by_label("values, one a line").fill("a secret of mine")
    assert "secret of mine" not in each.page.evaluate("JSON.stringify(models.request.state)")


# The run


def running(front: Front, **more: Any) -> Front:
    run = {**RUN, **more}
    return front.mount(collecting={"run": run, "collecting": True}, response={"answer": NO_ANSWER})


def test_a_run_stands_where_the_answer_would_be(front: Front) -> None:
    page = running(front).page
    expect(page.locator(".ge-collecting")).to_be_visible()
    expect(page.locator(".ge-response")).to_be_hidden()
    expect(page.locator(".ge-run-facts")).to_have_text(RUN["facts"])
    bar = page.get_by_role("progressbar", name="requests answered")
    expect(bar).to_have_attribute("aria-valuenow", "61")
    expect(bar).to_have_attribute("aria-valuetext", "61,240 of 100,000")
    assert page.locator(".ge-collecting td .ge-bad").inner_text() == "NOT_FOUND"
    assert page.evaluate("window.hacked") is None
    expect(page.locator(".ge-collecting .ge-cap")).to_contain_text("widget.run.frame()")


def test_beside_an_answer_it_is_a_line_and_a_bar(front: Front) -> None:
    page = running(front).page
    front.set("response", "answer", OK)
    expect(page.locator(".ge-response")).to_be_visible()
    expect(page.locator(".ge-collecting .ge-live")).to_be_hidden()
    expect(page.get_by_role("progressbar", name="requests answered")).to_be_visible()


def test_pause_resume_and_stop_keep_the_focus_while_all_else_is_drawn_anew(front: Front) -> None:
    page = running(front).page
    page.get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    front.set("collecting", "run", {**RUN, "state": "paused", "badge": "paused"})
    expect(page.get_by_role("button", name="Resume")).to_be_focused()
    page.keyboard.press("Enter")
    front.set("collecting", "run", RUN)
    page.get_by_role("button", name="Stop").focus()
    page.keyboard.press("Enter")
    assert [content["command"] for content in front.sent("collecting")] == ["pause", "resume", "stop_run"]
    front.set("collecting", "run", {**DONE, "state": "cancelled", "badge": "stopped", "tone": "late"})
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    expect(page.get_by_role("button", name="Put the run away")).to_be_focused()


def test_a_sign_in_that_is_needed_is_offered_in_place_and_keeps_the_focus(front: Front) -> None:
    why = {
        "title": "The token has ended.",
        "sentence": ["Only a person can get another one."],
        "facts": [],
        "tone": "late",
        "action": {"label": "Sign in again", "command": "sign_in_again"},
    }
    waiting = {"state": "waiting", "badge": "waiting for a sign-in", "tone": "late", "why": why}
    page = running(front, **waiting).page
    expect(page.get_by_role("button", name="Pause")).to_be_hidden()
    page.get_by_role("button", name="Sign in again").focus()
    front.set("collecting", "run", {**RUN, **waiting, "facts": "61,241 of 100,000"})
    expect(page.get_by_role("button", name="Sign in again")).to_be_focused()
    page.keyboard.press("Enter")
    assert front.sent("collecting") == [{"command": "sign_in_again"}]
    front.set("collecting", "run", RUN)
    expect(page.get_by_role("button", name="Sign in again")).to_have_count(0)


def test_at_the_end_rows_code_the_table_and_a_way_to_put_it_away(front: Front) -> None:
    page = running(front).page
    front.set("collecting", "run", DONE)
    expect(page.locator(".ge-collecting .ge-cap")).to_contain_text("widget.responses")
    page.locator(".ge-collecting").get_by_role("tab", name="Code").click()
    expect(page.get_by_label("this run as Python")).to_contain_text("collect(frame)")
    page.get_by_role("button", name="Open the table").click()
    page.get_by_role("button", name="Put the run away").click()
    assert [content["command"] for content in front.sent("collecting")] == ["table_of_run", "close_run"]
    front.set("collecting", "run", NO_RUN)
    expect(page.locator(".ge-collecting")).to_be_hidden()
    expect(page.locator(".ge-response")).to_be_visible()


def test_a_failure_is_a_sentence_first(front: Front) -> None:
    why = {"title": "The run ended before its time.", "sentence": ["No."], "facts": [], "tone": "bad", "action": None}
    page = running(front).page
    front.set("collecting", "run", {**DONE, "state": "failed", "badge": "failed", "tone": "bad", "why": why})
    expect(page.get_by_role("alert").filter(has_text="before its time")).to_be_visible()
    page.locator(".ge-collecting").get_by_role("tab", name="Rows").click()
    expect(page.locator(".ge-collecting table")).to_be_visible()


def test_the_run_of_another_method_says_so(front: Front) -> None:
    page = running(front).page
    expect(page.locator(".ge-run-whose")).to_be_hidden()
    front.set("collecting", "selected", "a.B.C")
    expect(page.locator(".ge-run-whose")).to_have_text("of GetUser")


@pytest.mark.parametrize("width", [1000, 900, 600, 360])
def test_nothing_sticks_out(open_page: Callable[..., Page], width: int) -> None:
    front = running(Front(open_page(viewport={"width": width, "height": 900})))
    page = front.page
    page.get_by_role("button", name="Call for each …").click()
    front.message("request", **NAMES)
    for name in ("Name", "File", "Lines"):
        page.get_by_role("tab", name=name).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    front.set("collecting", "run", DONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
