"""The fields of a form: each kind takes what its type allows, and becomes the request."""

import base64
import json
from pathlib import Path

import pytest
from schemas import ODD, pool_of
from widget_form import call, everything, problem, row, sent_request, text, to_form, to_json
from widget_front import EVERYTHING, method_with

pytestmark = pytest.mark.browser


# Fields of every kind


def test_a_form_of_everything_becomes_the_request(front):
    everything(front)
    row(front, "count").fill("-12")
    row(front, "big").fill("9007199254740993")
    row(front, "share").fill("-0")
    row(front, "flag").check()
    row(front, "choice").select_option("false")
    row(front, "role").select_option("ROLE_ADMIN")
    row(front, "nickname").fill("Ada")
    row(front, "nickname").fill("")
    row(front, "blob").fill("aGk=")
    front.page.get_by_label("add to tags").click()
    front.page.keyboard.type("a")
    front.page.get_by_label("send address").check()
    row(front, "address.city").fill("Lisbon")
    front.page.get_by_label("add to attributes").click()
    front.page.keyboard.type("x")
    front.page.get_by_label("value 1 of attributes", exact=True).fill("7")
    row(front, "at").fill("2026-01-31T12:00:00.123456789+01:00")
    row(front, "lasts").fill("1h 30m 0.5s")
    row(front, "mask").fill("count, address.house_number")
    row(front, "free").fill('{"a": [1, 2.50]}')
    row(front, "any_json").fill("null")
    row(front, "boxed").fill("0")
    row(front, "single").fill("nan")
    row(front, "plain_text").fill("dä")
    call(front)
    assert sent_request(front) == {
        "count": -12, "big": "9007199254740993", "share": -0.0, "flag": True, "choice": False, "role": "ROLE_ADMIN",
        "nickname": "", "blob": "aGk=", "tags": ["a"], "address": {"city": "Lisbon"}, "attributes": {"x": 7},
        "at": "2026-01-31T12:00:00.123456789+01:00", "lasts": "5400.500s", "mask": "count,address.houseNumber",
        "free": {"a": [1, 2.5]}, "any_json": None, "boxed": "0", "single": "NaN", "plain_text": "dä",
    }  # fmt: skip
    assert '"share": -0.0' in front.sent("request")[0]["request"]


def test_an_untouched_form_sends_nothing(front):
    call(everything(front))
    assert sent_request(front) == {}


@pytest.mark.parametrize(
    ("name", "wrong", "right", "words"),
    [
        ("count", "2147483648", "2147483647", "2147483648 is outside int32"),
        ("count", "1.5", "1", "1.5 is not a whole number"),
        ("big", "9223372036854775808", "9223372036854775807", "outside int64"),
        ("boxed", "-9223372036854775809", "-9223372036854775808", "outside Int64Value"),
        ("share", "much", "1e300", "much is not a number"),
        ("share", "1e309", "-1e308", "outside double"),
        ("single", "3.5e38", "3.4e38", "outside float"),
        ("blob", "a", "YQ==", "not base64"),
        ("blob", "aä==", "_-8", "not base64"),
        ("at", "2026-01-31T12:00:00", "2026-01-31T12:00:00Z", "time zone is missing"),
        ("at", "2026-02-30T12:00:00Z", "2024-02-29 12:00Z", "no day 2026-02-30"),
        ("at", "tomorrow", "0001-01-01T00:00:00Z", "not a time such as"),
        ("at", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59.999999999Z", "years 1 to 9999"),
        ("lasts", "a while", "-315576000000s", "not a duration such as"),
        ("lasts", "315576000001s", "250ms", "10,000 years"),
        ("mask", "name,,a b", "name", "not a path"),
        ("free", "[]", "{}", "An object is expected"),
        ("free", '{"a":\n 1,}', '{"a": 1}', "a name in quotes is expected at line 2, column 4"),
        ("any_json", '{"a": 1, "a": 2}', "[]", "given twice"),
    ],
)
def test_what_the_type_does_not_allow_is_said_at_its_field_and_not_sent(front, name, wrong, right, words):
    everything(front)
    row(front, name).fill(wrong)
    call(front)
    assert words in problem(front, name)
    assert front.page.evaluate("document.activeElement.dataset.field") == name
    assert row(front, name).get_attribute("aria-invalid") == "true"
    assert front.sent("request") == []
    row(front, name).fill(right)
    assert problem(front, name) == ""
    call(front)
    assert list(sent_request(front)) == [name]


def test_nothing_is_found_fault_with_while_somebody_types(front):
    everything(front)
    row(front, "count").press_sequentially("-")
    assert front.page.locator(".ge-field-problem").count() == 0
    row(front, "count").press("Tab")
    assert "not a whole number" in problem(front, "count")


def test_a_problem_that_comes_while_the_button_is_pressed_does_not_take_the_click_away(front):
    everything(front)
    front.page.evaluate("document.querySelector('.ge-body').style.maxHeight = 'none'")
    row(front, "count").fill("x")
    front.page.locator(".ge-call").click()
    assert "not a whole number" in problem(front, "count")
    assert front.page.evaluate("document.activeElement.dataset.field") == "count"


def test_an_enum_takes_names_aliases_and_numbers_nobody_named(front):
    everything(front)
    assert row(front, "role").locator("option").all_inner_texts() == [
        "ROLE_UNSPECIFIED",
        "ROLE_ADMIN",
        "ROLE_BOSS = ROLE_ADMIN",
        "another number …",
    ]
    row(front, "role").select_option("another")
    front.page.keyboard.type("2147483648")
    call(front)
    assert "outside an enum's numbers" in problem(front, "role")
    row(front, "role").fill("77")
    call(front)
    assert sent_request(front) == {"role": 77}
    front.page.get_by_label("names of role").click()
    assert row(front, "role").input_value() == "ROLE_UNSPECIFIED"


def test_a_pasted_text_of_several_lines_keeps_them(front):
    everything(front)
    row(front, "plain_text").fill("before ")
    row(front, "plain_text").evaluate(
        """(input) => {
          const data = new DataTransfer();
          data.setData('text/plain', 'one\\r\\ntwo');
          input.setSelectionRange(7, 7);
          input.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
        }"""
    )
    assert front.page.evaluate("document.activeElement.tagName") == "TEXTAREA"
    call(front)
    assert sent_request(front) == {"plain_text": "before one\ntwo"}


def test_a_file_becomes_bytes_and_bytes_a_file(front, tmp_path):
    content = bytes(range(256)) * 64
    file = tmp_path / "photo.png"
    file.write_bytes(content)
    everything(front).page.locator("[data-row=blob] input[type=file]").set_input_files(file)
    front.page.wait_for_function("document.querySelector('[data-field=blob]').readOnly")
    assert row(front, "blob").input_value() == "photo.png · 16.0 KiB"
    with front.page.expect_download() as download:
        front.page.get_by_label("save blob to a file").click()
    assert download.value.suggested_filename == "photo.png"
    assert Path(download.value.path()).read_bytes() == content
    call(front)
    assert base64.b64decode(sent_request(front)["blob"]) == content
    front.page.get_by_label("empty blob").click()
    assert row(front, "blob").input_value() == ""


def test_a_dropped_file_becomes_bytes_and_one_that_is_too_large_is_refused(front):
    drop = """([selector, size]) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(size).fill(97)], 'letters.txt'));
      document.querySelector(selector).dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
    }"""  # noqa: E501 - a line of JavaScript
    everything(front).page.evaluate(drop, ["[data-row=blob] .ge-bytes", 3])
    front.page.wait_for_function("document.querySelector('[data-field=blob]').value === 'YWFh'")
    front.page.evaluate(drop, ["[data-row=blob] .ge-bytes", 8 * 1024 * 1024])
    assert "at most 7.0 MiB" in problem(front, "blob")
    assert row(front, "blob").input_value() == "YWFh"


def test_a_comment_is_help_for_mouse_and_keyboard(front):
    everything(front)
    assert front.page.locator("label[title='How many there are, of all kinds.']").count() == 1
    help_line = front.page.locator("[data-row=big] .ge-field-help")
    assert not help_line.is_visible()
    front.page.get_by_label("about big").press("Enter")
    assert help_line.inner_text() == "How many there are, of all kinds."
    assert front.page.get_by_label("about big").get_attribute("aria-expanded") == "true"
    assert front.page.get_by_label("about count").count() == 0


def test_what_proto2_requires_is_asked_for_and_its_defaults_are_shown(front):
    front.mount(request={"method": method_with(pool_of(odd=ODD).FindMessageTypeByName("odd.Odd"))})
    assert "name string · required" in text(front, "[data-row=name]")
    assert "flag bool · deprecated" in text(front, "[data-row=flag]")
    assert row(front, "size").get_attribute("placeholder") == "default 7"
    assert row(front, "flag").locator("option").first.inner_text() == "not sent (default true)"
    assert row(front, "closed").locator("option").all_inner_texts() == ["default FIRST", "SECOND", "FIRST"]
    call(front)
    assert problem(front, "name") == "name is required."
    row(front, "name").fill("")
    front.page.get_by_label("send name").check()
    front.page.get_by_label("send result").check()
    row(front, "result.title").fill("x")
    call(front)
    assert sent_request(front) == {"name": "", "result": {"title": "x"}}


def test_ten_thousand_keys_are_looked_through_at_once(front):
    everything(front)
    many = {f"key{number}": 1 for number in range(10_000)}
    to_json(front, json.dumps({"attributes": many}))
    to_form(front)
    call(front)
    assert sent_request(front) == {"attributes": many}


# Messages, lists, maps, oneofs


def test_what_is_nested_is_folded_until_it_is_there_and_recursion_has_no_end(front):
    everything(front)
    assert row(front, "address.city").count() == 0
    path = "address"
    front.page.get_by_label("send address").check()
    for _ in range(6):
        front.page.locator(f"[data-row='{path}.former'] .ge-presence").check()
        path += ".former"
    row(front, f"{path}.city").fill("Ur")
    call(front)
    innermost = sent_request(front)["address"]
    for _ in range(6):
        innermost = innermost["former"]
    assert innermost == {"city": "Ur"}
    front.page.get_by_label("send address").uncheck()
    assert not row(front, "address.city").is_visible()
    front.page.get_by_label("send address").check()
    assert row(front, f"{path}.city").input_value() == "Ur"


def test_a_problem_within_what_is_folded_opens_it(front):
    everything(front)
    front.page.get_by_label("send address").check()
    row(front, "address.house_number").fill("many")
    front.page.get_by_label("fields of address").click()
    assert not row(front, "address.house_number").is_visible()
    call(front)
    assert row(front, "address.house_number").is_visible()
    assert "not a whole number" in problem(front, "address.house_number")
    assert front.page.evaluate("document.activeElement.dataset.field") == "address.house_number"


def test_of_a_oneof_at_most_one_is_sent(front):
    everything(front)
    row(front, "left").fill("a")
    row(front, "right").fill("1")
    assert not front.page.get_by_label("send left").is_checked()
    call(front)
    assert sent_request(front) == {"right": 1}
    front.page.get_by_label("send middle").check()
    row(front, "middle.city").fill("Faro")
    assert not front.page.get_by_label("send right").is_checked()
    to_json(front)
    assert json.loads(front.page.get_by_label("request as JSON").input_value()) == {"middle": {"city": "Faro"}}
    to_form(front)
    front.page.get_by_label("none of side").check()
    assert not row(front, "middle.city").is_visible()
    assert json.loads(to_json(front).input_value()) == {}


def test_a_list_grows_shrinks_and_is_put_in_order(front):
    everything(front)
    for tag in ("one", "two", "three"):
        front.page.get_by_label("add to tags").click()
        front.page.keyboard.type(tag)
    front.page.get_by_label("move tags 3 up").click()
    assert front.page.evaluate("document.activeElement.getAttribute('aria-label')") == "move tags 2 up"
    row(front, "tags[0]").press("Alt+ArrowDown")
    front.page.get_by_label("remove tags 3").click()
    assert front.page.evaluate("document.activeElement.getAttribute('aria-label')") == "remove tags 2"
    call(front)
    assert sent_request(front) == {"tags": ["three", "one"]}


def test_a_long_list_comes_in_pages_and_a_problem_on_a_later_page_is_shown(front):
    everything(front)
    to_json(front, json.dumps({"roles": ["ROLE_ADMIN"] * 119 + ["ROLE_KING"]}))
    to_form(front)
    assert front.page.locator("[data-row^='roles[']").count() == 50
    front.page.get_by_role("button", name="show more of roles").click()
    assert front.page.locator("[data-row^='roles[']").count() == 100
    call(front)
    assert "There is no value ROLE_KING. Did you mean" in problem(front, "roles[119]")
    front.page.get_by_role("button", name="show earlier ones of roles").click()
    assert front.page.locator("[data-row^='roles[']").count() == 70
    front.page.get_by_label("remove roles 120").click()
    call(front)
    assert len(sent_request(front)["roles"]) == 119


def test_adding_to_a_very_long_list_draws_no_more_than_a_page(front):
    everything(front)
    to_json(front, json.dumps({"tags": [str(number) for number in range(3000)]}))
    to_form(front)
    front.page.get_by_label("add to tags").click()
    front.page.keyboard.type("last")
    assert row(front, "tags[3000]").input_value() == "last"
    assert front.page.locator("[data-row^='tags[']").count() <= 50
    call(front)
    assert sent_request(front)["tags"][2999:] == ["2999", "last"]


def test_an_enum_of_very_many_names_is_typed_and_completed(front):
    values = [[f"UNIT_{number}", number, ""] for number in range(3000)]
    types = {**EVERYTHING["types"], "test.Role": {"values": values}}
    front.mount(request={"method": {**EVERYTHING, "types": types}})
    for _ in range(3):
        front.page.get_by_label("add to roles").click()
    assert front.page.locator(".ge-request option").count() < 3010
    listed = row(front, "role").get_attribute("list")
    assert front.page.locator(f"datalist[id='{listed}'] option").count() == 3000
    row(front, "role").fill("UNITS_42")
    front.page.get_by_label("remove roles 1", exact=True).click()
    call(front)
    assert "Did you mean UNIT_42" in problem(front, "role")


def test_messages_in_a_list_are_told_in_short(front):
    everything(front)
    to_json(front, '{"places": [{"city": "Lisbon", "house_number": 3}, {}]}')
    to_form(front)
    assert front.page.locator(".ge-short").all_inner_texts() == ["city Lisbon, house_number 3", "empty"]
    front.page.get_by_label("fields of places 2").click()
    row(front, "places[1].city").fill("Faro")
    call(front)
    assert sent_request(front) == {"places": [{"city": "Lisbon", "house_number": 3}, {"city": "Faro"}]}


def test_a_key_that_is_there_already_is_a_problem_and_nothing_is_lost(front):
    everything(front)
    for key in ("x", "x"):
        front.page.get_by_label("add to attributes").click()
        front.page.keyboard.type(key)
        front.page.keyboard.press("Tab")
        front.page.keyboard.type("1")
    call(front)
    assert 'The key "x" is there already.' in text(front, ".ge-field-problem:not(:empty)")
    assert front.sent("request") == []
    front.page.get_by_role("tab", name="JSON").first.click()
    assert front.page.get_by_label("request as JSON").count() == 0
    front.page.get_by_label("key 2 of attributes").fill("y")
    call(front)
    assert sent_request(front) == {"attributes": {"x": 1, "y": 1}}


def test_a_key_of_the_wrong_kind_is_a_problem(front):
    everything(front).page.get_by_label("add to by_flag").click()
    front.page.get_by_label("key 1 of by_flag").fill("yes")
    call(front)
    assert "true or false" in text(front, ".ge-field-problem:not(:empty)")
    front.page.get_by_label("key 1 of by_flag").fill("true")
    call(front)
    assert sent_request(front) == {"by_flag": {"true": {}}}
