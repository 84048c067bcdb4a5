"""The panel behind the countdown, in a real browser, with a clock that the test holds."""

import pytest
from widget_front import STATES

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror='window.hacked = true'><b>bold</b>"
FACTS = {
    "person": "ada",
    "issuer": "https://auth.example.test",
    "client_id": "notebook",
    "granted": ["read:users"],
    "asked": ["read:users", "write:users"],
    "missing": ["write:users"],
    "audience": ["grpc.example.test"],
    "refresh_count": 2,
    "renews": True,
    "last_error": "",
    "advice": "",
    "storage": "in memory",
    "account": "ada",
    "warning": "",
}
EVENTS = [
    {"kind": "sign-in", "age": 200.0, "good": True, "sentence": "Signed in as ada."},
    {"kind": "refresh", "age": 100.0, "good": True, "sentence": "A new access token came."},
    {"kind": "failure", "age": 50.0, "good": False, "sentence": "No answer."},
    {"kind": "call", "age": 20.0, "good": False, "sentence": "GetUser: NOT_FOUND"},
    {"kind": "call", "age": 10.0, "good": True, "sentence": "GetUser: OK"},
]
TOLD = {
    "kind": "details",
    "phase": "fresh",
    "facts": FACTS,
    "claims": '{\n  "header": {}\n}',
    "remaining": 200,
    "lifetime": 300,
    "events": EVENTS,
    "again": True,
    "note": "",
}


def opened(front, **changes):
    front.mount().message("header", kind="clock", remaining=200, lifetime=300)
    front.page.locator(".ge-who").click()
    front.message("details", **{**TOLD, **changes})
    return front.page


def places(page):
    return page.evaluate("[...document.querySelectorAll('.ge-mark')].map((mark) => mark.getBoundingClientRect().x)")


@pytest.mark.parametrize("click", [".ge-who", ".ge-clock"])
def test_a_click_on_the_person_or_the_countdown_opens_and_shuts_it(front, click):
    page = front.mount().page
    front.message("header", kind="clock", remaining=200, lifetime=300)
    card, person = page.locator(".ge-card"), page.locator(".ge-who")
    assert (card.is_visible(), person.get_attribute("aria-expanded")) == (False, "false")
    page.locator(click).click()
    front.message("details", **TOLD)
    assert (card.is_visible(), person.get_attribute("aria-expanded")) == (True, "true")
    page.locator(click).click()
    assert (card.is_visible(), person.get_attribute("aria-expanded")) == (False, "false")
    commands = [{"command": "details", "open": True}, {"command": "details", "open": False}]
    assert front.sent("details") == commands
    assert front.sent("header") == []


def test_by_keyboard_it_opens_and_escape_gives_the_focus_back(front):
    page = opened(front)
    page.get_by_role("button", name="Close").focus()
    page.keyboard.press("Escape")
    assert not page.locator(".ge-card").is_visible()
    assert page.evaluate("document.activeElement.className") == "ge-who"
    page.keyboard.press("Enter")
    assert page.locator(".ge-card").is_visible()


def test_it_shows_what_is_known_and_what_is_missing_in_amber(front):
    page = opened(front)
    facts = page.locator(".ge-known").inner_text()
    for words in ("https://auth.example.test", "notebook", "grpc.example.test", "kept in memory as ada"):
        assert words in facts
    assert page.locator(".ge-known .ge-badge.ge-late").all_inner_texts() == ["write:users not granted"]
    assert page.locator(".ge-phase").inner_text() == "fresh"
    page.locator("summary").click()
    assert page.locator(".ge-claims pre").inner_text() == TOLD["claims"]


def test_how_somebody_came_in_and_what_helps_are_sentences(front):
    note = "Signed in as ada without a page: the refresh token was kept in the keyring."
    page = opened(front, note=note, facts={**FACTS, "advice": "No refresh token came."})
    shown = page.locator(".ge-known").inner_text()
    assert note in shown
    assert "No refresh token came." in shown


def test_an_opaque_token_has_no_claims_to_open(front):
    page = opened(front, claims="", facts={**FACTS, "audience": [], "missing": []})
    assert not page.locator(".ge-claims").is_visible()
    assert "not told by this token" in page.locator(".ge-known").inner_text()
    assert page.locator(".ge-known .ge-late").count() == 0


def test_a_token_that_was_given_shows_its_phase_and_no_facts(front):
    page = opened(front, phase="given", facts={}, claims="", remaining=None, lifetime=None, events=[], again=False)
    assert page.locator(".ge-phase").inner_text() == "given"
    assert page.locator(".ge-known").inner_text() == ""
    assert not page.get_by_role("button", name="Sign in as someone else").is_visible()
    assert page.locator(".ge-last").inner_text() == "Nothing has happened yet."


def test_the_timeline_moves_with_the_browsers_clock_and_sends_nothing(front):
    page = opened(front)
    frames, before = front.frames(), places(page)
    assert len(before) == len(EVENTS)
    assert before == sorted(before)
    page.clock.run_for(30_000)
    after = places(page)
    assert all(now < then for now, then in zip(after, before, strict=True))
    assert page.locator(".ge-left").inner_text() == "2:50 of 5:00"
    assert front.frames() == frames


def test_the_panels_countdown_and_the_headers_are_in_step(front):
    page = opened(front)
    for _ in range(5):
        page.clock.run_for(1700)
        assert page.locator(".ge-left").inner_text().startswith(page.locator(".ge-time").inner_text() + " ")


def test_a_token_that_runs_out_says_so_without_the_kernel(front):
    page = opened(front)
    page.clock.run_for(201_000)
    assert page.locator(".ge-phase").inner_text() == "expired"


def test_the_picture_has_words(front):
    page = opened(front)
    label = page.locator(".ge-chart").get_attribute("aria-label")
    assert label == "Timeline: 1 sign-in, 1 refresh, 1 call, 2 failures."
    told = page.locator(".ge-card ol li").all_inner_texts()
    assert [line.partition(" ")[2] for line in told] == [event["sentence"] for event in EVENTS]
    assert "Signed in as ada." in page.locator(".ge-mark title").first.text_content()


def test_server_text_is_never_markup(front):
    facts = {name: HOSTILE if isinstance(value, str) else value for name, value in FACTS.items()}
    lists = {name: [HOSTILE] for name in ("granted", "asked", "missing", "audience")}
    page = opened(front, facts={**facts, **lists}, claims=HOSTILE, events=[{**EVENTS[0], "sentence": HOSTILE}])
    assert page.evaluate("window.hacked") is None
    assert page.locator(".ge-card :is(img, dd b)").count() == 0
    assert HOSTILE in page.locator(".ge-known").inner_text()


def test_someone_else_is_asked_for_and_the_panel_shuts(front):
    page = opened(front)
    page.get_by_role("button", name="Sign in as someone else").click()
    assert front.sent("details")[-1] == {"command": "someone_else"}
    assert not page.locator(".ge-card").is_visible()


@pytest.mark.parametrize("width", [1000, 480, 320])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_can_be_read(front, width, scheme):
    front.page.emulate_media(color_scheme=scheme)
    front.page.set_viewport_size({"width": width, "height": 700})
    page = opened(front, facts={**FACTS, "warning": "Unencrypted.", "last_error": "No answer from the server." * 9})
    page.locator("summary").click()
    page.mouse.move(1, 1)
    assert page.evaluate("sticking_out()") == []
    assert page.evaluate("weak_words()") == []


def test_another_view_opens_by_itself(front):
    page = opened(front)
    page.evaluate("view_again('details')")
    assert page.locator(".ge-card").count() == 2
    assert page.locator(".ge-card:visible").count() == 1


def test_a_view_that_goes_leaves_no_listener_and_says_that_nobody_looks(front):
    page = opened(front)
    page.evaluate("cleanups.details()")
    assert front.sent("details")[-1] == {"command": "details", "open": False}
    page.evaluate("cleanups.header()")
    frames = front.frames()
    page.clock.run_for(600_000)
    assert front.frames() == frames


# Whether anybody looks


def visible_said(front):
    return [content for content in front.sent("header") if content["command"] == "visible"]


def test_a_widget_in_sight_says_so_now_and_then(front):
    page = front.mount().page
    page.evaluate(
        "new Promise((done) => new IntersectionObserver(() => done()).observe(document.querySelector('.ge-header')))"
    )
    page.clock.run_for(230_000)
    assert visible_said(front) == []
    page.clock.run_for(20_000)
    assert len(visible_said(front)) == 1
    page.clock.run_for(480_000)
    assert len(visible_said(front)) == 3


def test_a_widget_out_of_sight_says_nothing_until_it_is_seen_again(front):
    page = front.mount().page
    page.evaluate("document.querySelector('.grpc-explorer').style.marginTop = '5000px'")
    seen = "new Promise((done) => new IntersectionObserver(() => done()).observe(document.querySelector('.ge-header')))"
    page.evaluate(seen)
    page.clock.run_for(1_000_000)
    assert visible_said(front) == []
    page.evaluate("document.querySelector('.grpc-explorer').style.marginTop = '0'")
    page.evaluate(seen)
    page.wait_for_function("models.header.sent.some((one) => one.command === 'visible')", polling="raf")


def test_the_header_keeps_its_focus_when_the_token_renews(front):
    page = front.mount().page
    front.message("header", kind="clock", remaining=200, lifetime=300)
    page.locator(".ge-who").focus()
    front.set("header", "account", {**STATES["header"]["account"], "phase": "refreshing"})
    front.set("header", "account", STATES["header"]["account"])
    assert page.evaluate("document.activeElement.className") == "ge-who"
