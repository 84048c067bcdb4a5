"""Well-known types have fields of their own: times, masks, and an Any of every known type."""

import json

import pytest
from widget_form import answer, call, everything, row, sent_request, text, to_form, to_json
from widget_front import FORM_POOL, method_with

from explorer.widget.form import types_of

pytestmark = pytest.mark.browser

STAMP = FORM_POOL.FindMessageTypeByName("test.Stamp")


def test_a_time_is_picked_in_utc_and_said_in_words(front):
    everything(front).page.get_by_label("now as at").click()
    assert row(front, "at").input_value() == "2027-01-15T08:00:10Z"
    assert text(front, "[data-row=at] .ge-hint") == "Fri, 15 Jan 2027, 08:00:10 UTC"
    front.page.locator("[data-row=at] .ge-picker").evaluate(
        "(picker) => { picker.value = '2026-01-31T12:00'; picker.dispatchEvent(new Event('change')); }"
    )
    call(front)
    assert sent_request(front) == {"at": "2026-01-31T12:00:00Z"}


def test_a_mask_is_a_tree_of_paths(front):
    everything(front).page.get_by_label("choose paths of mask").click()
    kind = front.page.get_by_label("type whose paths mask names")
    assert kind.locator("option").all_inner_texts() == ["test.Address", "test.Everything"]
    kind.select_option("test.Everything")
    tick = lambda path: front.page.locator(f".ge-mask [data-path='{path}']")  # noqa: E731 - a word for this test
    tick("count").check()
    front.page.get_by_label("paths within address", exact=True).click()
    tick("address.house_number").check()
    assert row(front, "mask").input_value() == "count,address.house_number"
    assert tick("address").evaluate("(box) => box.indeterminate")
    tick("address").check()
    assert row(front, "mask").input_value() == "count,address"
    assert tick("address.house_number").is_disabled()
    tick("address").press("Escape")
    assert not tick("address").is_visible()
    front.page.keyboard.press("Enter")
    row(front, "mask").fill("plain_text")
    assert tick("plain_text").is_checked()
    assert not tick("count").is_checked()
    call(front)
    assert sent_request(front) == {"mask": "plainText"}


def test_a_path_that_camel_case_cannot_carry_is_sent_as_it_is(front):
    everything(front)
    row(front, "mask").fill("camelCase,snake_case")
    call(front)
    assert sent_request(front) == {"mask": {"paths": ["camelCase", "snake_case"]}}


def test_an_any_takes_every_known_type_found_by_typing(front):
    everything(front).page.get_by_label("send anything").check()
    chooser = front.page.get_by_label("type of anything")
    chooser.fill("st")
    answer(front)
    assert front.page.locator("li[role=option]").all_inner_texts() == ["test.Stamp", "test.Address", "test.Everything"]
    chooser.press("ArrowDown")
    chooser.press("ArrowUp")
    chooser.press("Enter")
    assert chooser.input_value() == "test.Stamp"
    assert [content["command"] for content in front.sent("request")] == ["type_names", "types"]
    answer(front)
    row(front, "anything.ink").fill("blue")
    call(front)
    assert sent_request(front) == {"anything": {"@type": "type.googleapis.com/test.Stamp", "ink": "blue"}}


def test_escape_leaves_the_type_as_it_was(front):
    everything(front).page.get_by_label("send anything").check()
    chooser = front.page.get_by_label("type of anything")
    chooser.fill("dur")
    answer(front)
    chooser.press("Enter")
    answer(front)
    chooser.fill("nothing like it")
    assert "No known type has that" in text(front, "[role=listbox]")
    chooser.press("Escape")
    assert chooser.input_value() == "google.protobuf.Duration"
    row(front, "anything").last.fill("90s")
    call(front)
    assert sent_request(front)["anything"] == {
        "@type": "type.googleapis.com/google.protobuf.Duration",
        "value": "90s",
    }


def test_an_any_that_nobody_knows_keeps_its_bytes(front):
    everything(front)
    given = {"anything": {"@type": "type.googleapis.com/unheard.Of", "@value": "AAE="}}
    to_json(front, json.dumps(given))
    to_form(front)
    answer(front)
    call(front)
    assert sent_request(front) == given


def test_a_type_that_comes_late_takes_what_was_typed_before_it(front):
    method = method_with(STAMP, types={"test.Stamp": types_of(STAMP, {})["test.Stamp"]})
    front.mount(request={"method": method})
    given = {"inside": {"@type": "type.googleapis.com/test.Address", "former": {"city": "Ur"}}}
    to_json(front, json.dumps(given))
    to_form(front)
    call(front)
    assert sent_request(front) == given
    answer(front)
    assert row(front, "inside.former.city").input_value() == "Ur"


def test_a_late_type_that_does_not_know_a_field_says_so_and_loses_nothing(front):
    method = method_with(STAMP, types={"test.Stamp": types_of(STAMP, {})["test.Stamp"]})
    front.mount(request={"method": method})
    given = {"inside": {"@type": "type.googleapis.com/test.Address", "citty": "Ur"}}
    to_json(front, json.dumps(given))
    to_form(front)
    answer(front)
    call(front)
    assert "Did you mean city?" in text(front, ".ge-field-problem:not(:empty)")
    assert json.loads(to_json(front).input_value()) == given


@pytest.mark.parametrize(
    ("type_name", "typed", "request_text"),
    [
        ("google.protobuf.Timestamp", "2026-01-31T12:00:00Z", '"2026-01-31T12:00:00Z"'),
        ("google.protobuf.StringValue", "x", '"x"'),
        ("google.protobuf.Struct", '{"a": 1}', '{\n  "a": 1\n}'),
        ("google.protobuf.Timestamp", "", "{}"),
        ("google.protobuf.ListValue", "", "[]"),
    ],
)
def test_a_request_may_be_a_well_known_type_itself(front, type_name, typed, request_text):
    front.mount(request={"method": method_with(FORM_POOL.FindMessageTypeByName(type_name))})
    row(front, "").fill(typed)
    call(front)
    assert front.sent("request")[0]["request"] == request_text


def test_a_request_without_fields_says_so(front):
    front.mount(request={"method": method_with(FORM_POOL.FindMessageTypeByName("google.protobuf.Empty"))})
    assert "empty" in text(front, ".ge-form")
    call(front)
    assert sent_request(front) == {}
