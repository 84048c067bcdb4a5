"""Answers, the drawer and the foot by themselves: the real modules in a real browser, without a kernel."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from playwright.sync_api import expect
from widget_front import GET_USER, OK, Front

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror='window.hacked = true'><b>bold</b>"
CALLS: list[dict[str, Any]] = [
    {
        "number": 2,
        "at": 1_800_000_000_000,
        "method": "UserService.GetUser",
        "label": "GetUser",
        "status": "NOT_FOUND",
        "tone": "bad",
        "milliseconds": 3.14,
        "sent": 1,
        "came": 0,
        "bytes": 0,
    },
    {
        "number": 1,
        "at": 1_799_999_990_000,
        "method": "a.Directory.List",
        "label": "List",
        "status": "OK",
        "tone": "good",
        "milliseconds": 12_345.6,
        "sent": 1,
        "came": 100_000,
        "bytes": 8_200_000,
    },
    {
        "number": None,
        "at": 1_799_999_980_000,
        "method": "a.Directory.Get",
        "label": "Get",
        "status": "mixed",
        "tone": "late",
        "milliseconds": None,
        "sent": 20,
        "came": 20,
        "bytes": None,
    },
]
SAVED = [{"name": "Ada by id", "shown": "Ada by id", "method": "UserService.GetUser", "problem": ""}]
TOLD: dict[str, Any] = {
    "kind": "history",
    "calls": CALLS,
    "calls_in_all": len(CALLS),
    "saved": SAVED,
    "saved_in_all": len(SAVED),
    "file": "saved_requests.json",
    "path": "/notebooks/saved_requests.json",
    "problem": "",
}
STREAM = {**GET_USER, "name": "a.Directory.LookUp", "label": "LookUp", "kind": "bidi", "streams": True, "timeout": 600}
IDLE = {"method": "", "open": False, "sent": 0, "waiting": 0}


def opened(front: Front, **told: Any) -> Front:
    front.mount().page.get_by_role("button", name="History 14").click()
    front.message("history", **{**TOLD, **told})
    return front


# The foot


@pytest.mark.parametrize(
    ("health", "words"),
    [
        ({"status": "SERVING", "reason": ""}, "serving"),
        ({"status": "NOT_SERVING", "reason": ""}, "not serving"),
        ({"status": "unknown", "reason": "the server went away."}, "health unknown"),
    ],
)
def test_the_health_sign_says_what_the_server_said(front: Front, health: dict[str, str], words: str) -> None:
    front.mount(foot={"health": health})
    expect(front.page.locator(".ge-health")).to_have_text(words)
    assert front.page.locator(".ge-unwell").count() == (words != "serving")
    assert front.page.locator(".ge-health").get_attribute("title")


def test_no_sign_where_the_server_gives_none(front: Front) -> None:
    front.mount(foot={"health": {"status": "", "reason": ""}})
    assert front.page.locator(".ge-health").count() == 0


# The drawer


def test_the_drawer_opens_from_the_foot_and_asks_only_then(front: Front) -> None:
    front.mount()
    assert not front.page.locator(".ge-history").is_visible()
    assert front.sent("history") == []
    front.page.get_by_role("button", name="History 14").click()
    assert front.sent("history") == [{"command": "history", "open": True}]
    front.message("history", **TOLD)
    assert front.page.locator(".ge-calls tbody tr").count() == 3
    front.page.keyboard.press("Tab")
    front.page.locator(".ge-history .ge-tab").first.focus()
    front.page.keyboard.press("Escape")
    assert not front.page.locator(".ge-history").is_visible()
    assert front.sent("history")[-1] == {"command": "history", "open": False}
    expect(front.page.get_by_role("button", name="History 14")).to_be_focused()
    assert "user123" not in front.page.evaluate("JSON.stringify(models.history.state)")


def test_each_call_says_how_it_went_and_can_be_shown_made_again_and_saved(front: Front) -> None:
    opened(front)
    cells = front.page.locator(".ge-calls tbody tr").nth(1).locator("td")
    assert [cells.nth(at).inner_text().strip() for at in (1, 2, 3, 4)] == [
        "List 100,000 answers",
        "OK",
        "12.3 s",
        "8.2 MB",
    ]
    front.page.get_by_role("button", name="GetUser", exact=True).click()
    front.page.get_by_role("button", name="Call again").nth(1).click()
    front.page.get_by_role("button", name="Save as …").first.click()
    name = front.page.get_by_label("name for this call of GetUser")
    expect(name).to_be_focused()
    front.message("history", **TOLD)  # something else was called meanwhile: what is typed stays
    name = front.page.get_by_label("name for this call of GetUser")
    name.fill("Ada by id")
    name.press("Enter")
    assert front.sent("history")[1:] == [
        {"command": "show", "number": 2},
        {"command": "again", "number": 1},
        {"command": "save", "number": 2, "name": "Ada by id"},
    ]
    expect(front.page.locator(".ge-saved tbody tr")).to_have_count(1)
    last = opened_calls(front).nth(2)
    assert "not kept" in last.inner_text()
    assert "whoever made it has the rows" in str(last.get_by_text("not kept").get_attribute("title"))
    assert last.get_by_role("button").count() == 0


def opened_calls(front: Front) -> Any:
    front.page.get_by_role("tab", name="Calls").click()
    return front.page.locator(".ge-calls tbody tr")


def test_what_is_typed_as_a_name_outlives_news(front: Front) -> None:
    opened(front)
    front.page.get_by_role("button", name="Save as …").first.click()
    front.page.locator(".ge-save-name").fill("half a na")
    front.message("history", **TOLD)
    expect(front.page.locator(".ge-save-name")).to_have_value("half a na")
    expect(front.page.locator(".ge-save-name")).to_be_focused()
    front.page.keyboard.press("Escape")
    assert front.page.locator(".ge-save-name").count() == 0
    assert front.page.locator(".ge-history").is_visible()


def test_a_saved_request_runs_with_one_click(front: Front) -> None:
    opened(front)
    front.page.get_by_role("tab", name="Saved 1").click()
    assert "saved_requests.json" in front.page.locator(".ge-history").inner_text()
    front.page.get_by_role("button", name="Run", exact=True).click()
    front.page.get_by_role("button", name="Delete Ada by id").click()
    assert front.sent("history")[1:] == [
        {"command": "run_saved", "name": "Ada by id"},
        {"command": "delete_saved", "name": "Ada by id"},
    ]


def test_nothing_in_the_drawer_is_markup(front: Front) -> None:
    row = {**CALLS[0], "method": HOSTILE, "label": HOSTILE, "status": HOSTILE}
    named = {"name": HOSTILE, "shown": HOSTILE, "method": HOSTILE, "problem": HOSTILE}
    opened(
        front,
        calls=[row],
        saved=[named, {**named, "problem": ""}],
        saved_in_all=2,
        problem=HOSTILE,
        file=HOSTILE,
        path=HOSTILE,
    )
    assert front.page.locator(".ge-history").inner_text().count("<b>bold</b>") >= 3
    front.page.get_by_role("tab", name="Saved 2").click()
    assert front.page.locator(".ge-history img, .ge-history b").count() == 0
    assert not front.page.evaluate("'hacked' in window")


# Texts, details, bytes


def test_the_call_is_shown_as_three_texts_and_the_choice_stays(front: Front) -> None:
    front.mount().page.get_by_role("tab", name="Code").click()
    expect(front.page.get_by_label("this call as Python", exact=True)).to_contain_text("session[")
    front.page.get_by_role("tab", name="grpcurl").click()
    expect(front.page.get_by_label("this call as a grpcurl command")).to_contain_text("grpcurl localhost")
    front.set("response", "answer", {**OK, "grpcurl": "grpcurl again\n"})
    expect(front.page.get_by_label("this call as a grpcurl command")).to_have_text("grpcurl again\n")
    front.page.get_by_role("tab", name="Generated stub").click()
    expect(front.page.get_by_label("this call as Python with a generated stub")).to_contain_text("import grpc")


def test_where_copying_is_not_allowed_the_text_is_selected(front: Front) -> None:
    front.mount().page.get_by_role("tab", name="Code").click()
    front.page.evaluate(
        "Object.defineProperty(navigator, 'clipboard', {value: {writeText: async () => { throw new Error('no'); }}})"
    )
    front.page.get_by_role("button", name="Copy").click()
    expect(front.page.get_by_role("button", name="Selected: press Ctrl+C")).to_be_visible()
    assert front.page.evaluate("getSelection().toString()").strip() == OK["code"].strip()


def test_what_is_copied_is_the_text_and_nothing_else(front: Front) -> None:
    front.mount().page.get_by_role("tab", name="Code").click()
    front.page.evaluate(
        "Object.defineProperty(navigator, 'clipboard', {value: {writeText: async (text) => { window.copied = text; }}})"
    )
    front.page.get_by_role("button", name="Copy").click()
    expect(front.page.get_by_role("button", name="Copied")).to_be_visible()
    assert front.page.evaluate("window.copied") == OK["code"]


def refused(**why: Any) -> dict[str, Any]:
    reason = {"title": "Stopped.", "sentence": ["It was."], "facts": [], "tone": "late", "action": None, **why}
    return {**copy.deepcopy(OK), "badge": "CANCELLED", "tone": "late", "why": reason}


def test_what_came_is_shown_before_why_it_stopped(front: Front) -> None:
    front.mount(response={"answer": {**refused(), "first": "Table"}})
    expect(front.page.get_by_role("tab", name="Table")).to_have_attribute("aria-selected", "true")
    front.set("response", "answer", refused())
    expect(front.page.get_by_role("tab", name="Why")).to_have_attribute("aria-selected", "true")


def test_the_foot_counts_the_rows_of_a_run_apart_until_they_are_kept(front: Front) -> None:
    foot = front.mount(foot={"rows": 0}).page.locator(".ge-collected > :not([hidden])")
    expect(foot).to_have_text("Nothing collected yet")
    front.set("foot", "coming", 340)
    expect(foot).to_have_text("340 rows in widget.run")
    front.set("foot", "rows", 1)
    expect(foot).to_have_text(["1 row in widget.responses", "340 more rows in widget.run"])
    front.set("foot", "coming", 0)
    expect(foot).to_have_text("1 row in widget.responses")


def test_details_and_bytes_are_rows(front: Front) -> None:
    shown = {"size": "3 B", "hex": "0a 05 61", "base64": "CgVh", "cut": False}
    front.mount(response={"answer": refused(facts=[["RetryInfo", "retry_delay 5s"], ["", HOSTILE]], bytes=shown)})
    said = front.page.locator(".ge-why").inner_text()
    for words in ("RetryInfo", "retry_delay 5s", "<b>bold</b>", "0a 05 61", "CgVh"):
        assert words in said
    assert front.page.locator(".ge-why b, .ge-why img").count() == 0


def test_an_answer_of_another_method_than_the_form_says_so(front: Front) -> None:
    front.mount()
    assert front.page.locator(".ge-whose").count() == 0
    front.set("response", "selected", "a.Directory.List")
    expect(front.page.locator(".ge-whose")).to_have_text("of GetUser")


def test_an_earlier_request_is_laid_out_in_the_form_and_rests_in_no_trait(front: Front) -> None:
    front.mount()
    front.message("request", kind="request", method="UserService.GetUser", request='{"user_id": "canary"}', many=False)
    expect(front.page.get_by_role("textbox", name="user_id")).to_have_value("canary")
    front.message("request", kind="request", method="a.Other.Method", request='{"user_id": "x"}', many=False)
    expect(front.page.get_by_role("textbox", name="user_id")).to_have_value("canary")
    assert "canary" not in front.page.evaluate("JSON.stringify(Object.values(models).map((model) => model.state))")
    front.set("request", "method", STREAM)
    lines = '{"user_id": "a"}\n{"user_id": "b"}'
    front.message("request", kind="request", method=STREAM["name"], request=lines, many=True)
    expect(front.page.get_by_label("request as JSON")).to_have_value(lines)


def test_of_a_stream_that_runs_the_latest_rows_are_in_view(front: Front) -> None:
    rows = [[f"user{n}", "1"] for n in range(30)]
    live = {**copy.deepcopy(OK), "state": "calling", "badge": "running", "json": None, "metadata": None, "code": ""}
    front.mount(response={"answer": {**live, "table": {**OK["table"], "rows": rows, "total": 61_240}}})
    front.set("response", "answer", {**live, "table": {**OK["table"], "rows": rows[1:], "total": 61_270}})
    expect(front.page.get_by_role("cell", name="user29")).to_be_in_viewport()
    expect(front.page.get_by_role("cell", name="user1", exact=True)).not_to_be_in_viewport()
    assert (
        "The last 29 of 61,270 rows are drawn; all are in widget.responses."
        in front.page.locator(".ge-cap").inner_text()
    )


def test_what_is_not_drawn_is_said_in_the_same_words_everywhere(front: Front) -> None:
    answer = {**copy.deepcopy(OK), "json_of": {"drawn": 200, "total": 5_000}}
    answer["table"]["width"] = 1_234
    front.mount(response={"answer": answer})
    cap = front.page.locator(".ge-cap")
    assert cap.all_inner_texts() == ["The first 2 of 1,234 columns are drawn; all are in widget.responses."]
    front.page.locator(".ge-response").get_by_role("tab", name="JSON").click()
    assert cap.all_inner_texts() == ["The last 200 of 5,000 messages are drawn; all are in widget.call.json()."]


def test_the_drawer_says_what_it_does_not_draw(front: Front) -> None:
    opened(front, calls_in_all=2_400, saved_in_all=350)
    cap = front.page.locator(".ge-history .ge-cap")
    assert cap.all_inner_texts() == ["The last 3 of 2,400 calls are drawn; all are in widget.history."]
    front.page.get_by_role("tab", name="Saved 350").click()
    assert cap.all_inner_texts() == [f"The first {len(SAVED)} of 350 names are drawn; all are in widget.saved."]
    front.message("history", **TOLD)
    assert cap.count() == 0


# Streams of requests


def test_a_stream_of_requests_has_send_file_done_and_stop(front: Front) -> None:
    front.mount(request={"method": STREAM})
    page = front.page
    assert page.get_by_role("button", name="Call", exact=True).count() == 0
    assert not page.get_by_role("button", name="Done sending").is_visible()
    page.get_by_role("textbox", name="user_id").fill("user1")
    page.get_by_role("button", name="Send", exact=True).click()
    sent = front.sent("request")[-1]
    assert (sent["command"], sent["method"], sent["many"]) == ("send", STREAM["name"], False)
    front.set("request", "busy", True)
    front.set("request", "flow", {"method": STREAM["name"], "open": True, "sent": 1, "waiting": 0})
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("button", name="Done sending").click()
    page.get_by_role("button", name="Stop").click()
    assert [one["command"] for one in front.sent("request")] == ["send", "send", "half_close", "stop"]
    front.set("request", "flow", {"method": STREAM["name"], "open": False, "sent": 2, "waiting": 0})
    assert page.get_by_role("button", name="Send", exact=True).is_disabled()
    assert not page.get_by_role("button", name="Done sending").is_visible()
    front.set("request", "busy", False)
    front.set("request", "flow", IDLE)
    assert page.get_by_role("button", name="Send", exact=True).is_enabled()
    assert not page.get_by_role("button", name="Stop").is_visible()


def test_a_file_of_messages_is_sent_as_it_is(front: Front) -> None:
    front.mount(request={"method": STREAM})
    text = '{"user_id": "user1"}\n{"user_id": "user2"}\n'
    front.page.locator("input[type=file]").set_input_files(
        files=[{"name": "users.jsonl", "mimeType": "application/json", "buffer": text.encode()}]
    )
    front.page.wait_for_function("models.request.sent.some((content) => content.command === 'send')")
    (sent,) = [one for one in front.sent("request") if one["command"] == "send"]
    assert (sent["request"], sent["many"]) == (text, True)


def test_a_list_is_sent_from_the_json_tab(front: Front) -> None:
    front.mount(request={"method": STREAM}).page.get_by_role("tab", name="JSON").first.click()
    front.page.get_by_label("request as JSON").fill('[{"user_id": "user1"}]')
    front.page.get_by_role("button", name="Send", exact=True).click()
    sent = front.sent("request")[-1]
    assert (sent["request"], sent["many"]) == ('[{"user_id": "user1"}]', True)


def test_bytes_metadata_asks_for_base64(front: Front) -> None:
    front.mount().page.get_by_role("button", name="metadata none").click()
    front.page.get_by_label("metadata name").fill("x-raw-bin")
    value = front.page.get_by_label("value of metadata")
    assert (value.get_attribute("type"), value.get_attribute("placeholder")) == ("password", "base64")


@pytest.mark.parametrize("width", [360, 1000])
def test_nothing_sticks_out(front: Front, width: int) -> None:
    front.page.set_viewport_size({"width": width, "height": 700})
    opened(front)
    front.set("request", "method", STREAM)
    front.set("request", "busy", True)
    front.set("request", "flow", {"method": STREAM["name"], "open": True, "sent": 100_000, "waiting": 5000})
    assert front.page.evaluate("sticking_out()") == []


def test_every_word_can_be_read(front: Front) -> None:
    opened(front)
    front.set("foot", "health", {"status": "NOT_SERVING", "reason": ""})
    assert front.page.evaluate("weak_words()") == []


def test_what_was_refused_before_is_put_away_where_something_else_is_refused(front: Front) -> None:
    why = {"title": "Nothing was sent.", "sentence": ["no field 'x'"], "facts": [], "tone": "bad", "action": None}
    refused = {**OK, "state": "failed", "badge": "not sent", "tone": "bad", "why": why, "table": None, "json": None}
    front.mount(response={"answer": refused})
    expect(front.page.locator(".ge-response")).to_contain_text("Nothing was sent.")
    front.page.get_by_role("tab", name="JSON").first.click()
    front.page.get_by_label("request as JSON").fill('{"user_id": user1}')
    front.page.get_by_role("button", name="Call", exact=True).click()
    expect(front.page.locator(".ge-request")).to_contain_text("This is not JSON")
    expect(front.page.locator(".ge-response")).not_to_contain_text("Nothing was sent.")
    front.set("response", "answer", OK)
    expect(front.page.locator(".ge-response .ge-badge")).to_have_text("OK")


def test_code_is_broken_between_words_in_an_output_of_labs(front: Front) -> None:
    front.page.add_style_tag(content=".jp-OutputArea-output pre { word-break: break-all; }")
    front.mount()
    front.page.locator(".grpc-explorer").evaluate("element => element.parentElement.className = 'jp-OutputArea-output'")
    front.page.get_by_role("tab", name="Code").click()
    code = front.page.get_by_label("this call as Python")
    assert code.evaluate("element => getComputedStyle(element).wordBreak") == "normal"
