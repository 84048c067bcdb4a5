"""The request panel by itself: the real modules in a real browser, on a page that plays the kernel's part."""

import base64
import json
from pathlib import Path

import pytest
from schemas import ODD, pool_of
from widget_front import EVERYTHING, FORM_POOL, GET_USER, method_with

from explorer.widget.form import known_types, types_named, types_of

pytestmark = pytest.mark.browser

STAMP = FORM_POOL.FindMessageTypeByName("test.Stamp")
NAMES = ["test.Address", "test.Everything", "test.Stamp", "google.protobuf.Duration"]


def text(front, selector):
    return front.page.locator(selector).inner_text()


def row(front, path):
    """The input of the field at a path."""
    return front.page.locator(f"[data-field='{path}']")


def problem(front, path):
    return front.page.locator(f"[data-row='{path}'] .ge-field-problem").first.inner_text()


def general(front):
    return text(front, ".ge-request .ge-trouble")


def call(front):
    front.page.get_by_role("button", name="Call", exact=True).click()


def sent_request(front):
    [call] = [content for content in front.sent("request") if content["command"] == "call"]
    return json.loads(call["request"])


def to_json(front, typed=None):
    front.page.get_by_role("tab", name="JSON").first.click()
    area = front.page.get_by_label("request as JSON")
    if typed is not None:
        area.fill(typed)
    return area


def to_form(front):
    front.page.get_by_role("tab", name="Form").click()


def everything(front, **state):
    return front.mount(request={"method": EVERYTHING, **state})


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


# Well-known types


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


def answer(front, *names):
    """Play the kernel's part once, for what the form asked."""
    for content in front.sent("request"):
        if content["command"] == "type_names":
            front.message("request", kind="type_names", names=NAMES)
        if content["command"] == "types":
            known = [
                FORM_POOL.FindMessageTypeByName(name) for name in content["names"] if not name.startswith("unheard.")
            ]
            found = {**dict.fromkeys(content["names"]), **types_named(known, {})}
            front.message("request", kind="types", types=found)


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


def test_known_types_are_those_of_the_files_and_protobufs_own():
    names = known_types({"form.proto": FORM_POOL.FindFileByName("form.proto").serialized_pb}, FORM_POOL)
    assert names[:3] == ["test.Address", "test.Everything", "test.Stamp"]
    assert "google.protobuf.Duration" in names
    assert not [name for name in names if name.endswith("Entry")]


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
