"""The tree of services by itself, and finding one method among a thousand by typing."""

import pytest
from playwright.sync_api import expect
from widget_front import EVERYTHING, GET_USER, SERVICES

pytestmark = pytest.mark.browser


def method(service, name, messages="", problem=""):
    return {"name": f"{service}.{name}", "label": name, "kind": "unary", "messages": messages, "problem": problem}


def thousand():
    """A hundred services with ten methods each."""
    verbs = ("Get", "List", "Create", "Update", "Delete")
    return [
        {
            "name": f"big.v1.Number{number}Service",
            "label": f"Number{number}Service",
            "problem": "",
            "methods": [
                method(
                    f"big.v1.Number{number}Service",
                    f"{verb}{noun}{number}",
                    f"{verb}{noun}{number}Request {noun}{number}",
                )
                for verb in verbs
                for noun in ("Invoice", "Receipt")
            ],
        }
        for number in range(100)
    ]


def words(front, selector):
    """What stands in each of these, a line for each part; of a service not yet drawn, too, which has no inner text."""
    parts = "(all) => all.map((one) => Array.from(one.childNodes, (part) => part.textContent).join('\\n'))"
    return front.page.locator(selector).evaluate_all(parts)


def find(front, typed):
    front.page.get_by_label("Search methods").fill(typed)
    return [said.split("\n")[0] for said in words(front, ".ge-method:visible")]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("list", ["ListUsers"]),
        ("gu", ["GetUser"]),
        ("geus", ["GetUser"]),
        ("userservice get", ["GetUser"]),
        ("demo.v1", ["ListUsers"]),
        ("ListUsersRequest", ["ListUsers"]),
        ("directoryuser", ["ListUsers"]),
        ("lur", ["ListUsers"]),
        ("ug", []),
        ("getx", []),
    ],
)
def test_a_method_is_found_by_its_name_its_humps_its_service_or_its_messages(front, typed, found):
    assert find(front.mount(), typed) == found


def test_a_message_that_a_method_was_found_by_stands_beside_it(front):
    find(front.mount(), "directoryuser")
    assert words(front, ".ge-method:visible") == ["ListUsers\nDirectoryUser"]
    find(front, "")
    assert words(front, ".ge-method") == ["GetUser\nunary", "ListUsers\nserver stream"]


def test_enter_takes_the_best_of_what_is_found(front):
    services = [
        {**SERVICES[0], "methods": [method("s.S", "GetUserById"), method("s.S", "BigUser"), method("s.S", "GetUser")]}
    ]
    front.mount(tree={"services": services, "selected": ""})
    assert find(front, "getuser") == ["GetUserById", "GetUser"]
    assert words(front, ".ge-best")[0].startswith("GetUser\n")
    front.page.keyboard.press("Enter")
    assert front.sent("tree") == [{"command": "select", "method": "s.S.GetUser"}]


def test_enter_in_the_search_leads_to_the_first_field_of_the_method(front):
    front.mount()
    find(front, "list")
    front.page.keyboard.press("Enter")
    expect(front.page.get_by_label("Search methods")).to_be_focused()  # its form is not there yet
    front.set("request", "method", {**EVERYTHING, "name": "explorer.demo.v1.DirectoryService.ListUsers"})
    expect(front.page.get_by_label("count", exact=True)).to_be_focused()
    find(front, "getuser")
    front.set("request", "method", GET_USER)
    front.page.keyboard.press("Enter")  # chosen already
    expect(front.page.get_by_label("user_id")).to_be_focused()


def test_methods_are_found_by_typing_and_chosen_by_keys(front):
    find(front.mount(), "list")
    front.page.keyboard.press("ArrowDown")
    front.page.keyboard.press("Enter")
    assert front.sent("tree") == [{"command": "select", "method": "explorer.demo.v1.DirectoryService.ListUsers"}]
    assert find(front, "nothing like it") == []
    assert "No method has that" in front.page.locator(".ge-tree").inner_text()
    front.page.get_by_label("Search methods").press("Escape")
    assert front.page.locator(".ge-method:visible").count() == 2


def focused(front):
    return words(front, ":focus")[0].split("\n")[0]


def test_the_tree_is_walked_like_any_tree(front):
    front.mount().page.locator(".ge-method[tabindex='0']").focus()
    assert focused(front) == "GetUser"
    front.page.keyboard.press("ArrowDown")
    assert focused(front) == "DirectoryService"
    front.page.keyboard.press("ArrowLeft")
    assert front.page.locator("[data-service*=Directory]").get_attribute("aria-expanded") == "false"
    assert front.page.locator(".ge-method:visible").count() == 1
    front.page.keyboard.press("ArrowRight")
    front.page.keyboard.press("ArrowRight")
    assert focused(front) == "ListUsers"
    front.page.keyboard.press("ArrowLeft")
    assert focused(front) == "DirectoryService"
    front.page.keyboard.press("Home")
    assert focused(front) == "UserService"
    front.page.keyboard.press("End")
    assert focused(front) == "ReportService"
    assert front.page.locator(".ge-tree [role=treeitem][tabindex='0']").count() == 1


def test_what_is_folded_is_still_found(front):
    front.mount().page.locator("[data-service*=Directory]").click()
    assert front.page.locator(".ge-method:visible").count() == 1
    assert find(front, "listu") == ["ListUsers"]
    find(front, "")
    assert front.page.locator(".ge-method:visible").count() == 1


@pytest.mark.parametrize(("where", "goes"), [(".ge-call", True), ("[data-field=user_id]", False)])
def test_a_slash_goes_to_the_search_where_nobody_writes(front, where, goes):
    front.mount().page.locator(where).focus()
    front.page.keyboard.press("/")
    there = front.page.evaluate("document.activeElement.type === 'search'")
    assert there is goes
    assert front.page.get_by_label("user_id").input_value() == ("" if goes else "/")


def test_a_slash_outside_is_not_ours(front):
    front.mount()
    front.page.evaluate("document.activeElement.blur()")
    front.page.keyboard.press("/")
    assert not front.page.evaluate("document.activeElement.type === 'search'")


def test_a_broken_service_says_why_and_hides_no_other(front):
    front.mount()
    assert "reports/v2/types.proto is not served" in front.page.locator(".ge-service .ge-problem").text_content()
    assert front.page.locator(".ge-method").count() == 2
    find(front, "report")
    assert front.page.locator(".ge-service .ge-problem").is_visible()
    find(front, "getuser")
    assert not front.page.locator(".ge-service .ge-problem").is_visible()


def test_the_chosen_method_is_marked(front):
    front.mount().set("tree", "selected", SERVICES[1]["methods"][0]["name"])
    assert words(front, "[aria-selected=true].ge-method")[0].startswith("ListUsers")


def test_one_of_a_thousand_is_found_and_counted(front):
    front.mount(tree={"services": thousand(), "selected": ""})
    assert find(front, "gi42") == ["GetInvoice42"]
    assert front.page.locator(".ge-none").inner_text() == "1 of 1,000"
    find(front, "invoice")
    assert front.page.locator(".ge-none").inner_text() == "500 of 1,000"


def test_what_enter_would_take_is_in_sight(front):
    services = [*thousand(), {**SERVICES[0], "methods": [method("s.S", "Invoice")]}]
    front.mount(tree={"services": services, "selected": ""})
    front.page.locator(".ge-list").evaluate("(list) => { list.style.maxHeight = '200px'; list.scrollTop = 0; }")
    assert find(front, "invoice")[-1] == "Invoice"
    best = front.page.locator(".ge-best")
    assert words(front, ".ge-best") == ["Invoice\nunary"]
    top, bottom = front.page.locator(".ge-list").evaluate(
        "(list) => { const box = list.getBoundingClientRect(); return [box.top, box.bottom]; }"
    )
    box = best.bounding_box()
    assert top <= box["y"]
    assert box["y"] + box["height"] <= bottom


def test_look_again_asks_once_and_says_what_went_wrong(front):
    front.mount()
    again = front.page.get_by_role("button", name="Look again")
    again.click()
    assert front.sent("tree") == [{"command": "rediscover"}]
    front.set("tree", "looking", {"busy": True, "sentence": ""})
    assert again.is_disabled()
    front.set("tree", "looking", {"busy": False, "sentence": "<b>No</b> answer."})
    assert again.is_enabled()
    assert front.page.locator(".ge-looking").inner_text() == "<b>No</b> answer."


def test_a_service_that_was_repaired_has_a_small_sign_that_says_of_what(front):
    said = "`big.v1.Number0Service` needs `x.proto`, which the server does not serve."
    services = thousand()[:2]
    services[0]["note"] = said
    front.mount(tree={"services": services})
    first, second = front.page.locator(".ge-service-name").all()
    assert first.locator(".ge-repaired").get_attribute("title") == said
    assert front.page.get_by_role("treeitem", name="Number0Service", exact=True).get_attribute("aria-describedby")
    assert first.evaluate("head => document.getElementById(head.getAttribute('aria-describedby')).textContent") == said
    assert second.locator(".ge-repaired").count() == 0
    assert second.get_attribute("aria-describedby") is None
