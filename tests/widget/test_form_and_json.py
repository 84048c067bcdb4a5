"""A form and its JSON are one request; what is wrong with it is said in both."""

import json

import pytest
from widget_form import answer, call, everything, general, problem, row, sent_request, text, to_form, to_json
from widget_front import FORM_POOL, GET_USER, method_with

from explorer.widget.form import types_of

pytestmark = pytest.mark.browser

STAMP = FORM_POOL.FindMessageTypeByName("test.Stamp")


# Form and JSON


def test_form_and_json_are_one_request(front):
    everything(front)
    row(front, "count").fill("7")
    area = to_json(front)
    assert json.loads(area.input_value()) == {"count": 7}
    area.fill('{"big": 9007199254740993, "role": 3, "address": {"houseNumber": 1.0}, "choice": true, "wording": "x"}')
    to_form(front)
    assert row(front, "count").input_value() == ""
    assert row(front, "big").input_value() == "9007199254740993"
    assert row(front, "role").input_value() == "ROLE_ADMIN"
    assert row(front, "address.house_number").input_value() == "1"
    call(front)
    assert sent_request(front) == {
        "big": "9007199254740993",
        "choice": True,
        "role": "ROLE_ADMIN",
        "address": {"house_number": 1},
        "plain_text": "x",
    }


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ('{"cuont": 1}', "test.Everything has no field cuont. Did you mean count?"),
        ('{"address": {"sity": 1}}', "test.Address has no field address.sity. Did you mean city?"),
        ('{"zzzzzzzzzz": 1}', "Known are count, big, share"),
        ('{\n  "count": 1\n  "big": 2\n}', "a comma or } is expected at line 3, column 3"),
        ('{"count": NaN}', "NaN needs quotes at line 1, column 11"),
        ('{"count": 1, "count": 2}', "“count” is given twice"),
        ('{"nickname": "a\nb"}', "as \\n or \\t at line 1, column 16"),
        ("{", "a name in quotes is expected at line 1, column 2"),
        ("[]", "The request is []; expected an object of test.Everything’s fields"),
        ('{"count": {}}', "count is {}; expected a whole number"),
        ('{"tags": "a"}', 'tags is "a"; expected a list'),
        ('{"tags": [1]}', "tags[0] is 1; expected text in quotes"),
        ('{"attributes": []}', "attributes is []; expected an object"),
        ('{"left": "a", "right": 1}', "left and right are both given, and side takes one of them"),
        ('{"anything": {"city": "x"}}', "anything.@type is null; expected a type such as"),
    ],
)
def test_json_that_the_form_cannot_show_stays_json_and_says_why(front, typed, words):
    everything(front)
    to_json(front, typed)
    to_form(front)
    assert words in general(front)
    area = front.page.get_by_label("request as JSON")
    assert area.input_value() == typed
    assert area.evaluate("(area) => area === document.activeElement")


def test_broken_json_is_not_sent_and_the_place_is_marked(front):
    everything(front)
    area = to_json(front, '{\n  "count": 1,\n}')
    call(front)
    assert front.sent("request") == []
    assert "line 3, column 1" in general(front)
    assert area.evaluate("(area) => area.value.slice(area.selectionStart, area.selectionEnd)") == "}"


def test_what_is_wrong_in_the_form_is_seen_in_the_json_and_comes_back(front):
    everything(front)
    row(front, "count").fill("1.5")
    assert json.loads(to_json(front).input_value()) == {"count": "1.5"}
    to_form(front)
    assert row(front, "count").input_value() == "1.5"


def test_extensions_are_kept_from_the_json(front):
    everything(front)
    to_json(front, '{"[test.more]": {"a": 1}, "count": 2}')
    to_form(front)
    assert "[test.more]" in text(front, ".ge-form > .ge-top > .ge-hint")
    call(front)
    assert sent_request(front) == {"count": 2, "[test.more]": {"a": 1}}


# What Python and the server find wrong


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("address.city", "address.city"),
        ("address.house_number", "address.house_number"),
        ("address.houseNumber", "address.house_number"),
        ("places[1].city", "places[1].city"),
        ("places.1.city", "places[1].city"),
        ('attributes["x"]', 'attributes["x"]'),
        ("attributes[x]", 'attributes["x"]'),
        ("attributes.x", 'attributes["x"]'),
        ("plainText", "plain_text"),
        ("wording", "plain_text"),
        ("Everything.count", "count"),
        ("tags[0]", "tags[0]"),
    ],
)
def test_a_refused_field_is_marked_where_it_is(front, path, where):
    everything(front)
    given = {"address": {"city": "X"}, "places": [{}, {}], "attributes": {"x": 1}, "tags": ["a"]}
    to_json(front, json.dumps(given))
    to_form(front)
    front.set("request", "problems", {path: "It will not do.", "": "And one more thing."})
    found = front.page.locator(".ge-field-problem:not(:empty)")
    assert found.all_inner_texts() == ["It will not do."]
    assert found.locator("xpath=ancestor::*[@data-row][1]").get_attribute("data-row") == where
    assert found.is_visible()
    assert general(front) == "And one more thing."


def test_a_refused_field_of_a_message_that_is_not_there_is_marked_at_the_message(front):
    everything(front).set("request", "problems", {"places[3].city": "No such city.", "nope.x": "Nor this."})
    assert problem(front, "places") == "[3].city: No such city."
    assert general(front) == "nope.x: Nor this."


def test_a_oneof_of_which_none_was_sent_is_marked_as_a_whole(front):
    everything(front).set("request", "problems", {"side": "One of them is needed."})
    assert problem(front, "side") == "One of them is needed."
    row(front, "left").fill("a")
    assert problem(front, "side") == ""


def test_what_the_server_found_wrong_goes_when_it_is_typed_over(front):
    everything(front).set("request", "problems", {"count": "It is too small."})
    row(front, "count").fill("2")
    assert problem(front, "count") == ""


def test_the_focus_goes_to_what_the_server_found_wrong_unless_somebody_writes(front):
    everything(front)
    front.page.locator(".ge-call").focus()
    front.set("request", "problems", {"count": "It is too small."})
    assert front.page.evaluate("document.activeElement.dataset.field") == "count"
    row(front, "share").focus()
    front.set("request", "problems", {"big": "It is too small."})
    assert front.page.evaluate("document.activeElement.dataset.field") == "share"


def test_a_question_that_nobody_heard_is_asked_again(front):
    method = method_with(STAMP, types={"test.Stamp": types_of(STAMP, {})["test.Stamp"]})
    front.mount(request={"method": method})
    to_json(front, '{"inside": {"@type": "type.googleapis.com/test.Address", "city": "Ur"}}')
    to_form(front)
    front.set("request", "method", GET_USER)
    front.set("request", "method", method)
    assert [content["names"] for content in front.sent("request")] == [["test.Address"]] * 2
    answer(front)
    assert row(front, "inside.city").input_value() == "Ur"


def test_problems_in_the_json_stand_below_it(front):
    everything(front)
    to_json(front)
    front.set("request", "problems", {"address.city": "No such city."})
    assert general(front) == "address.city: No such city."
