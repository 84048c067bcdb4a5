"""The request panel by itself: the real modules in a real browser, on a page that plays the kernel's part."""

import json

import pytest
from schemas import pool_of
from widget_form import answer, call, everything, general, row, sent_request, to_form, to_json
from widget_front import EVERYTHING, GET_USER, method_with

pytestmark = pytest.mark.browser


# Sending


def test_enter_in_a_field_calls(front):
    front.mount().page.get_by_label("user_id").fill("user123")
    front.page.keyboard.press("Enter")
    [call] = front.sent("request")
    assert call == {
        "command": "call",
        "method": "UserService.GetUser",
        "request": '{\n  "user_id": "user123"\n}',
        "timeout": 30,
        "metadata": [],
    }


@pytest.mark.parametrize("keys", ["Shift+Enter", "Control+Enter", "Enter"])
def test_keys_stay_inside(front, keys):
    front.page.evaluate("window.heard = 0; document.addEventListener('keydown', () => { window.heard += 1; })")
    front.mount().page.get_by_label("user_id").press(keys)
    assert front.page.evaluate("window.heard") == 0
    assert len(front.sent("request")) == 1
    front.page.evaluate("document.activeElement.blur()")
    front.page.keyboard.press(keys)
    assert front.page.evaluate("window.heard") > 0


def test_shortcuts_of_the_notebook_are_kept_out(front):
    front.mount()
    assert front.page.locator(".ge-panel:not([data-lm-suppress-shortcuts])").count() == 0


@pytest.mark.parametrize(("keys", "heard"), [("Control+s", 1), ("Meta+s", 1), ("s", 0), ("Control+a", 0)])
def test_only_saving_is_heard_outside(front, keys, heard):
    front.page.evaluate(
        """window.heard = [];
        document.addEventListener('keydown', (event) => {
          if (event.target.closest('.grpc-explorer')) return;
          event.preventDefault();
          window.heard.push([event.key, event.keyCode]);
        })"""
    )
    front.mount().page.get_by_label("user_id").press(keys)
    assert front.page.evaluate("window.heard.filter(([key]) => key.length === 1)") == [["s", 83]] * heard


@pytest.mark.parametrize("where", ["[data-field=flag]", "[data-field='at']", "[data-add=tags]", "[role=tab]"])
def test_control_and_enter_calls_from_anywhere(front, where):
    everything(front).page.locator(where).first.press("Control+Enter")
    assert [content["command"] for content in front.sent("request")] == ["call"]


def test_call_becomes_stop_and_comes_back(front):
    front.mount()
    button = front.page.locator(".ge-call")
    width = button.bounding_box()["width"]
    front.set("request", "busy", True)
    front.page.clock.run_for(200)
    assert button.inner_text() == "Call"
    front.page.clock.run_for(100)
    assert button.inner_text() == "Stop"
    assert button.bounding_box()["width"] == width
    button.click()
    assert front.sent("request") == [{"command": "stop"}]
    front.set("request", "busy", False)
    assert button.inner_text() == "Call"
    button.click()
    assert front.sent("request")[-1]["command"] == "call"


@pytest.mark.parametrize("typed", ["0", "-1", "soon", ""])
def test_a_deadline_is_a_number_of_seconds(front, typed):
    front.mount().page.get_by_label("deadline in seconds").fill(typed)
    call(front)
    assert "number of seconds above 0" in general(front)
    assert front.sent("request") == []
    front.page.get_by_label("deadline in seconds").fill("2.5")
    call(front)
    assert front.sent("request")[0]["timeout"] == 2.5


def test_metadata_values_are_masked_and_rest_in_no_trait(front):
    front.mount().page.get_by_role("button", name="metadata none").click()
    front.page.get_by_label("metadata name").fill("x-api-key")
    value = front.page.get_by_label("value of metadata")
    value.fill("canary")
    assert value.get_attribute("type") == "password"
    call(front)
    assert front.sent("request")[0]["metadata"] == [["x-api-key", "canary"]]
    assert "canary" not in front.page.evaluate("JSON.stringify(Object.values(models).map((model) => model.state))")
    front.page.get_by_label("metadata name").fill("x-request-id")
    assert value.get_attribute("type") == "text"


def test_metadata_out_of_sight_is_counted_kept_and_sent(front):
    front.mount()
    toggle = front.page.locator(".ge-metadata-toggle")
    toggle.click()
    front.page.get_by_label("metadata name").fill("x-api-key")
    assert toggle.inner_text() == "metadata 1"
    front.page.get_by_label("value of metadata").fill("canary")
    toggle.click()
    assert not front.page.get_by_label("metadata name").count()
    assert toggle.inner_text() == "metadata 1"
    call(front)
    assert front.sent("request")[0]["metadata"] == [["x-api-key", "canary"]]
    toggle.click()
    assert front.page.get_by_label("metadata name").input_value() == "x-api-key"
    front.page.get_by_label("remove x-api-key").click()
    assert toggle.inner_text() == "metadata none"


def test_what_the_server_says_of_several_fields_stands_line_by_line_where_there_are_no_fields(front):
    front.mount().page.get_by_role("tab", name="JSON").first.click()
    front.set("request", "problems", {"a": "is too long", "b[0]": "is empty"})
    said = front.page.locator(".ge-trouble p")
    assert said.all_inner_texts() == ["a: is too long", "b[0]: is empty"]


# From one method to another


def test_what_was_typed_waits_while_another_method_is_looked_at(front):
    front.mount().page.get_by_label("user_id").fill("user123")
    front.set("request", "method", EVERYTHING)
    front.page.get_by_label("send address").check()
    row(front, "address.city").fill("Lisbon")
    front.set("request", "method", GET_USER)
    assert front.page.get_by_label("user_id").input_value() == "user123"
    front.set("request", "method", EVERYTHING)
    assert row(front, "address.city").input_value() == "Lisbon"


def test_a_schema_that_changed_keeps_what_still_fits(front):
    everything(front)
    row(front, "count").fill("7")
    fields = EVERYTHING["types"]["test.Everything"]["fields"]
    fewer = {"test.Everything": {"fields": [one for one in fields if one["name"] in {"count", "big"}]}}
    front.set("request", "method", {**EVERYTHING, "types": fewer})
    assert row(front, "count").input_value() == "7"
    assert row(front, "share").count() == 0
    front.set("request", "method", {**EVERYTHING, "types": {"test.Everything": {"fields": []}}})
    assert json.loads(front.page.get_by_label("request as JSON").input_value()) == {"count": 7}


@pytest.mark.parametrize("width", [360, 480, 1000])
def test_nothing_of_an_open_form_sticks_out(open_page, width):
    from widget_front import Front

    front = everything(Front(open_page(viewport={"width": width, "height": 900})))
    given = {
        "address": {"former": {"former": {"former": {"city": "x" * 60}}}},
        "places": [{"city": "y" * 90}],
        "attributes": {"k" * 50: 1},
        "anything": {"@type": "type.googleapis.com/test.Stamp", "ink": "z"},
        "at": "2026-01-31T12:00:00Z",
        "roles": [77],
    }
    to_json(front, json.dumps(given))
    to_form(front)
    answer(front)
    front.page.get_by_label("fields of places 1").click()
    front.page.get_by_label("choose paths of mask").click()
    assert front.page.evaluate("document.documentElement.scrollWidth") <= width
    assert front.page.evaluate("sticking_out()") == []
    assert front.page.evaluate("weak_words()") == []


def test_the_keyboard_alone_is_enough(front):
    """From the search to the call, with no pointer and no shortcut but those of any page."""
    everything(front).page.get_by_label("Search methods").focus()
    keys = front.page.keyboard
    label = "document.activeElement.getAttribute('aria-label')"

    def tab_to(name):
        for _ in range(60):
            keys.press("Tab")
            if front.page.evaluate(label) == name:
                return
        raise AssertionError(name)

    tab_to("count")
    keys.type("7")
    tab_to("flag")
    keys.press("Space")
    tab_to("add to tags")
    keys.press("Enter")
    keys.type("one")
    tab_to("remove tags 1")
    tab_to("add to tags")
    keys.press("Space")
    keys.type("two")
    tab_to("send address")
    keys.press("Space")
    tab_to("city")
    keys.type("Lisbon")
    tab_to("none of side")
    keys.press("ArrowDown")
    tab_to("choose paths of mask")
    keys.press("Space")
    tab_to("type whose paths mask names")
    keys.press("Tab")
    keys.press("Space")
    tab_to("send anything")
    keys.press("Space")
    tab_to("type of anything")
    keys.type("dur")
    answer(front)
    keys.press("Enter")
    answer(front)
    keys.press("Tab")
    keys.type("2s")
    keys.press("Enter")
    assert sent_request(front) == {
        "count": 7,
        "flag": True,
        "tags": ["one", "two"],
        "address": {"city": "Lisbon"},
        "left": "",
        "mask": "street",
        "anything": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "2s"},
    }


@pytest.mark.parametrize("width", [1280, 620])
def test_a_wide_form_is_no_wider_than_its_pane(front, width):
    kinds = ("string", "int32", "bool", "bytes")
    fields = "".join(f"{kinds[n % 4]} field_{n} = {n + 1};" for n in range(200))
    wide = pool_of(wide=f'syntax = "proto3"; message Wide {{ {fields} }}').FindMessageTypeByName("Wide")
    front.page.set_viewport_size({"width": width, "height": 800})
    front.mount(request={"method": method_with(wide)})
    body = front.page.locator(".ge-body")
    assert row(front, "field_0").is_visible()
    assert body.evaluate("body => body.scrollWidth <= body.clientWidth")
    row(front, "field_199").scroll_into_view_if_needed()
    assert body.evaluate("body => body.scrollWidth <= body.clientWidth")
