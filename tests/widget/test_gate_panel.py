"""The gate: signing in by every way that fits, on a stub page with the clock held."""

import pytest
from widget_front import SIGN_IN, STATES, Front

pytestmark = pytest.mark.browser


def text(front, selector):
    return front.page.locator(selector).inner_text()


def test_the_click_opens_the_window_and_the_address_comes_later(front):
    front.mount(shut=True)
    with front.page.context.expect_page() as opened:
        front.page.get_by_role("button", name="Open the sign-in page").click()
    window = opened.value
    assert front.sent("gate") == [{"command": "sign_in", "method": "browser", "away": False}]
    assert window.url == "about:blank"
    assert window.evaluate("window.opener") is None
    window.route("**/*", lambda route: route.fulfill(body="signed in", content_type="text/plain"))
    front.set("gate", "gate", {**SIGN_IN, "kind": "browser"})
    front.message("gate", kind="page", url="http://127.0.0.1:9/authorize?state=abc")
    window.wait_for_url("**/authorize?state=abc")
    assert front.page.get_by_role("link", name="Open the sign-in page again").get_attribute("href") == window.url


def test_where_windows_are_blocked_a_link_is_left(front):
    front.mount(shut=True).page.evaluate("window.open = () => null")
    front.page.get_by_role("button", name="Open the sign-in page").click()
    front.set("gate", "gate", {**SIGN_IN, "kind": "browser"})
    front.message("gate", kind="page", url="http://127.0.0.1:9/authorize?state=abc")
    assert front.page.get_by_role("link").get_attribute("rel") == "noopener noreferrer"
    front.message("gate", kind="nothing")
    assert front.page.get_by_role("link").count() == 0


def test_the_window_closes_when_the_sign_in_cannot_begin(front):
    front.mount(shut=True)
    with front.page.context.expect_page() as opened:
        front.page.get_by_role("button", name="Open the sign-in page").click()
    with opened.value.expect_event("close"):
        front.set("gate", "gate", {**SIGN_IN, "sentence": "auth.example.test does not answer."})
    assert text(front, ".ge-gate [role=alert]") == "auth.example.test does not answer."


def test_t15_the_user_code_stands_beside_client_scopes_and_warning(front):
    front.mount(shut=True, gate={"gate": {**SIGN_IN, "kind": "device"}})
    front.message(
        "gate",
        kind="device",
        user_code="WDJB-MJHT",
        verification_uri="https://auth.example.test/device",
        verification_uri_complete=None,
        remaining=581,
    )
    shown = text(front, ".ge-gate")
    for words in (
        "WDJB-MJHT",
        "notebook",
        "read:users",
        "only if you started this",
        "valid for 9:41",
        "auth.example.test/device",
    ):
        assert words in shown
    front.page.clock.run_for(2000)
    assert "valid for 9:39" in text(front, ".ge-gate")
    front.page.get_by_role("button", name="Cancel").click()
    assert front.sent("gate") == [{"command": "cancel_sign_in"}]


@pytest.mark.parametrize(
    ("away", "expected"),
    [
        (True, "http://127.0.0.1:9/user/x/proxy/4444/device?user_code=AB-CD"),
        (False, "http://127.0.0.1:4444/device?user_code=AB-CD"),
    ],
)
def test_a_page_on_the_kernels_loopback_opens_through_jupyter_where_the_browser_is_away(front, away, expected):
    front.page.evaluate("configure({ baseUrl: '/user/x/' })")
    front.mount(shut=True, gate={"gate": {**SIGN_IN, "kind": "device", "away": away}})
    uri = "http://127.0.0.1:4444/device"
    front.message(
        "gate",
        kind="device",
        user_code="AB-CD",
        verification_uri=uri,
        verification_uri_complete=f"{uri}?user_code=AB-CD",
        remaining=60,
    )
    assert front.page.get_by_role("link", name="Open the sign-in page").get_attribute("href") == expected


HEADER = [
    ({}, "ada read:users", "read:users"),
    ({"scope": [], "missing": ["read:users"]}, "ada no scopes granted", "asked for, not granted: read:users"),
    ({"scope": []}, "ada no scopes", "no scopes"),
    ({"missing": ["write:users"]}, "ada read:users not write:users", "asked for, not granted: write:users"),
    ({"resumed": "Kept from before."}, "ada read:users · resumed", "Kept from before."),
    ({"ends": "No refresh token came."}, "ada read:users · not renewed", "No refresh token came."),
]


@pytest.mark.parametrize(("changes", "shown", "title"), HEADER)
def test_what_was_not_granted_kept_or_given_is_said_quietly_in_the_header(front, changes, shown, title):
    front.mount(header={"account": {**STATES["header"]["account"], **changes}})
    who = front.page.locator(".ge-who")
    assert who.inner_text() == shown
    assert title in (who.get_attribute("title") or "").splitlines()


def test_where_no_button_signs_in_the_line_of_python_is_at_the_words(front):
    line = "In Python: session.token_source.take_over(…)"
    account = {**STATES["header"]["account"], "phase": "sign in again", "again": False, "advice": line}
    front.mount(header={"account": account})
    assert front.page.get_by_text("sign in again").get_attribute("title") == line


ELSEWHERE = ["Sign in with a device code", "Paste the address instead"]


def test_on_a_hub_the_device_code_comes_first_and_says_why(front):
    front.mount(shut=True, gate={"gate": {**SIGN_IN, "away": True}})
    assert front.page.locator(".ge-gate button").all_inner_texts() == ELSEWHERE
    assert "runs on another machine" in text(front, ".ge-gate")


def test_on_another_host_the_device_code_comes_first(open_page):
    front = Front(open_page("http://lab.example.test/lab")).mount(shut=True)
    assert front.page.locator(".ge-gate button").all_inner_texts() == ELSEWHERE
    front.page.get_by_role("button", name="Sign in with a device code").click()
    assert front.sent("gate") == [{"command": "sign_in", "method": "device", "away": True}]


def test_where_browser_and_kernel_share_a_machine_nothing_need_be_said(front):
    front.mount(shut=True)
    assert front.page.locator(".ge-gate button").all_inner_texts() == [
        "Open the sign-in page",
        "Use a device code instead",
    ]
    assert "another machine" not in text(front, ".ge-gate")


def test_after_a_wrong_guess_the_next_way_comes_first(front):
    sentence = "auth.example.test gives no device codes (device_authorization_endpoint)."
    front.mount(shut=True, gate={"gate": {**SIGN_IN, "away": True, "ways": ["paste"], "sentence": sentence}})
    assert front.page.locator(".ge-gate button").all_inner_texts() == ["Open the page, then paste its address"]
    assert text(front, ".ge-gate [role=alert]") == sentence
    assert "carried back by hand" in text(front, ".ge-gate")


def test_a_store_is_named_before_anything_is_kept_in_it(front):
    front.mount(shut=True, gate={"gate": {**SIGN_IN, "keeps": "unencrypted, in files of /home/ada"}})
    assert "The refresh token is kept unencrypted, in files of /home/ada." in text(front, ".ge-gate")


PAGE = {"kind": "page", "url": "http://127.0.0.1:9/authorize?state=abc", "ends_at": "http://127.0.0.1:4/callback"}
ADDRESS_FIELD = "The address at which the sign-in ended"


def test_a_browser_that_cannot_come_back_is_helped_within_seconds(front):
    front.mount(shut=True).page.evaluate("window.open = () => null")
    front.set("gate", "gate", {**SIGN_IN, "kind": "browser"})
    front.message("gate", **PAGE)
    field = front.page.get_by_label(ADDRESS_FIELD)
    assert field.count() == 0
    front.page.clock.run_for(8100)
    assert "cannot be reached?" in text(front, ".ge-gate")
    assert field.count() == 1


@pytest.mark.parametrize("submit", ["Enter", "click"])
def test_a_pasted_address_is_masked_goes_as_a_message_and_rests_nowhere(front, submit):
    front.mount(shut=True, gate={"gate": {**SIGN_IN, "kind": "paste"}})
    front.message("gate", **PAGE)
    assert "begins with http://127.0.0.1:4/callback?" in text(front, ".ge-gate")
    field = front.page.get_by_label(ADDRESS_FIELD)
    assert field.get_attribute("type") == "password"
    field.fill("http://127.0.0.1:4/callback?code=secret-code&state=x")
    if submit == "Enter":
        field.press("Enter")
    else:
        front.page.get_by_role("button", name="Go on").click()
    [sent] = front.sent("gate")
    assert sent == {"command": "paste", "address": "http://127.0.0.1:4/callback?code=secret-code&state=x"}
    assert field.input_value() == ""
    states = front.page.evaluate("JSON.stringify(Object.values(models).map((model) => model.state))")
    assert "secret-code" not in states + front.page.content()


def test_an_address_that_is_no_answer_is_said_beside_the_field_and_a_right_one_ends_the_asking(front):
    front.mount(shut=True, gate={"gate": {**SIGN_IN, "kind": "paste"}})
    front.message("gate", **PAGE)
    front.message("gate", kind="pasted", sentence="What was pasted does not answer this sign-in.")
    assert "does not answer" in text(front, ".ge-gate [role=alert]")
    assert front.page.get_by_label(ADDRESS_FIELD).count() == 1
    front.message("gate", kind="pasted", sentence="")
    assert front.page.get_by_label(ADDRESS_FIELD).count() == 0
    assert "signing in …" in text(front, ".ge-gate")


def test_what_is_typed_stays_when_the_view_is_drawn_again(front):
    front.mount(shut=True, gate={"gate": {**SIGN_IN, "kind": "paste"}})
    front.message("gate", **PAGE)
    front.page.get_by_label(ADDRESS_FIELD).fill("http://127")
    front.page.clock.run_for(9000)
    assert front.page.get_by_label(ADDRESS_FIELD).input_value() == "http://127"


def test_a_device_request_starts_on_a_click_and_never_by_itself(front):
    front.mount(shut=True)
    front.page.clock.run_for(60_000)
    assert front.sent("gate") == []
    front.page.get_by_role("button", name="Use a device code instead").click()
    assert front.sent("gate") == [{"command": "sign_in", "method": "device", "away": False}]


def test_with_nothing_connected_a_button_or_else_a_line_of_python_is_the_way(front):
    offer = {**SIGN_IN, "kind": "offer", "demo": True, "sentence": ""}
    front.mount(shut=True, gate={"gate": offer})
    assert "or, in a cell, explorer.explore(" in text(front, ".ge-gate")
    front.page.get_by_role("button", name="Start the demo").click()
    assert {"command": "start_demo"} in front.sent("gate")
    front.set("gate", "gate", {**offer, "demo": False})
    assert front.page.get_by_role("button", name="Start the demo").count() == 0
    shown = text(front, ".ge-gate")
    assert "In a cell: explorer.explore(" in shown
    assert "demo" not in shown
