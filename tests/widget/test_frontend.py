"""The front end by itself: the real modules in a real browser, on a page that plays the kernel's part."""

import re
from pathlib import Path

import pytest
from widget_front import EVERYTHING, GET_USER, OK, SIGN_IN, STATES, Front

pytestmark = pytest.mark.browser


def test_in_a_row_of_widgets_it_has_a_width(front: Front) -> None:
    page = front.mount().page
    page.evaluate(
        "document.querySelector('.grpc-explorer').parentElement.style.cssText = 'display: flex; width: 420px'"
    )
    box = page.locator(".ge-frame").bounding_box()
    assert box is not None
    assert box["width"] > 400


HOSTILE = "<img src=x onerror='window.hacked = true'><b>bold</b>"


def text(front, selector):
    return front.page.locator(selector).inner_text()


# The countdown


def test_the_countdown_runs_down_with_no_message_to_the_kernel(front):
    front.mount().message("header", kind="clock", remaining=252.4, lifetime=300)
    before = front.frames()
    shown = []
    for _ in range(4):
        shown.append(text(front, "[role=timer]"))
        front.page.clock.run_for(1000)
    front.page.clock.run_for(200_000)
    assert shown == ["4:12", "4:11", "4:10", "4:09"]
    assert text(front, "[role=timer]") == "0:48"
    assert front.frames() == before


def test_the_countdown_starts_when_it_arrives_whatever_the_kernels_clock_says(front):
    front.mount().page.clock.run_for(90_000)
    front.message("header", kind="clock", remaining=5, lifetime=5)
    assert text(front, "[role=timer]") == "0:05"


def test_a_token_that_runs_out_says_so_without_the_kernel(front):
    front.mount().message("header", kind="clock", remaining=5, lifetime=5)
    front.page.clock.run_for(4000)
    assert front.page.locator(".ge-header").get_attribute("data-phase") == "fresh"
    front.page.clock.run_for(1100)
    assert front.page.locator(".ge-header").get_attribute("data-phase") == "expired"
    assert "expired" in text(front, ".ge-account")
    assert text(front, "[role=status].ge-aloud") == "The token has expired."


def test_it_turns_amber_when_nearly_over_and_not_before(front):
    front.mount().message("header", kind="clock", remaining=60, lifetime=300)
    assert front.page.locator(".ge-nearly").count() == 0
    front.page.clock.run_for(36_000)
    assert front.page.locator(".ge-nearly").count() == 1


def test_nothing_moves_when_a_token_renews(front):
    front.mount().message("header", kind="clock", remaining=31, lifetime=300)
    before = front.page.evaluate("boxes()")
    front.set("header", "account", {**STATES["header"]["account"], "phase": "refreshing"})
    assert front.page.evaluate("boxes()") == before
    front.set("header", "account", STATES["header"]["account"])
    front.message("header", kind="clock", remaining=300, lifetime=300)
    assert text(front, "[role=timer]") == "5:00"
    assert front.page.evaluate("boxes()") == before


def test_a_token_of_unknown_life_says_so(front):
    front.mount().message("header", kind="clock", remaining=None, lifetime=None)
    assert text(front, "[role=timer]") == "no expiry known"


def test_a_second_view_of_the_header_shows_the_same_clock(front):
    front.mount().message("header", kind="clock", remaining=100, lifetime=300)
    front.page.clock.run_for(10_000)
    front.page.evaluate("view_again('header')")
    assert front.page.locator("[role=timer].ge-time").all_inner_texts() == ["1:30", "1:30"]


@pytest.mark.parametrize(
    ("phase", "words", "command"),
    [
        ("fresh", "Sign out", "sign_out"),
        ("sign in again", "Sign in again", "sign_in_again"),
        ("expired", "Sign out", "sign_out"),
    ],
)
def test_each_phase_has_its_words_and_its_button(front, phase, words, command):
    front.mount(header={"account": {**STATES["header"]["account"], "phase": phase}})
    front.page.get_by_role("button", name=words).click()
    assert front.sent("header") == [{"command": command}]


def test_somebody_else_is_announced(front):
    front.mount()
    account = front.page.locator(".ge-header [role=status]")
    front.set("header", "account", {**STATES["header"]["account"], "person": "bob"})
    assert account.inner_text() == "Signed in as bob."


def test_signed_out_offers_nothing_to_press(front):
    front.mount(header={"account": {**STATES["header"]["account"], "phase": "signed out"}})
    assert text(front, ".ge-account") == "signed out"


def test_scopes_that_were_not_granted_are_named_on_demand(front):
    front.mount(header={"account": {**STATES["header"]["account"], "scope": [], "missing": ["read:users"]}})
    assert "no scopes granted" in text(front, ".ge-who")
    assert "not granted: read:users" in (front.page.locator(".ge-who").get_attribute("title") or "")


# Text that came over the wire


def hostile(value):
    if isinstance(value, str):
        return HOSTILE
    if isinstance(value, list):
        return [hostile(one) for one in value]
    return {name: hostile(one) for name, one in value.items()} if isinstance(value, dict) else value


def test_server_text_is_never_markup(front):
    why = {
        "title": HOSTILE,
        "sentence": [HOSTILE, {"wire": HOSTILE}],
        "facts": [[HOSTILE, HOSTILE]],
        "tone": "bad",
        "action": {"label": HOSTILE, "command": "x"},
    }
    role = {"name": HOSTILE, "type": HOSTILE, "kind": "enum", "of": HOSTILE, "help": HOSTILE}
    fields = [role, {**role, "many": "list"}, {**role, "oneof": HOSTILE, "presence": True}]
    types = {HOSTILE: {"fields": fields, "values": [[HOSTILE, 0, HOSTILE]]}}
    method = {**hostile(GET_USER), "types": types}
    answer = {
        **hostile(OK),
        "state": "done",
        "at": 0,
        "why": why,
        "metadata": {"initial": [[HOSTILE, HOSTILE]], "trailing": []},
    }
    front.mount(
        header=hostile(STATES["header"]),
        tree=hostile(STATES["tree"]),
        request={"method": method, "problems": {"": HOSTILE}},
        response={"answer": answer},
        gate={"gate": {**hostile(SIGN_IN), "kind": "device", "away": False}},
    )
    front.message(
        "gate",
        kind="device",
        user_code=HOSTILE,
        verification_uri=HOSTILE,
        verification_uri_complete=HOSTILE,
        remaining=60,
    )
    for tab in front.page.locator(".ge-response [role=tab]").all():
        tab.click()
        assert front.page.locator(".grpc-explorer img, .grpc-explorer b b").count() == 0
    front.page.clock.run_for(1000)
    assert HOSTILE in text(front, ".ge-response")
    assert front.page.evaluate("window.hacked") is None


def test_markup_would_have_been_seen(front):
    front.mount().page.evaluate("(html) => { document.querySelector('.ge-foot').innerHTML = html; }", "<b><b>x</b></b>")
    assert front.page.locator(".grpc-explorer b b").count() == 1


@pytest.mark.parametrize(
    "address", ["javascript:window.hacked=true", "data:text/html,x", "file:///etc/passwd", HOSTILE]
)
def test_no_other_address_than_a_web_page_becomes_a_link(front, address):
    front.mount(shut=True, gate={"gate": {**SIGN_IN, "kind": "device"}})
    front.message(
        "gate",
        kind="device",
        user_code="AB-CD",
        verification_uri=address,
        verification_uri_complete=address,
        remaining=60,
    )
    assert front.page.locator(".ge-gate a").count() == 0
    front.message(
        "gate",
        kind="device",
        user_code="AB-CD",
        verification_uri="https://a.test/d",
        verification_uri_complete=None,
        remaining=60,
    )
    assert front.page.locator(".ge-gate a").first.get_attribute("href") == "https://a.test/d"


# The answer


def test_the_table_shows_types_and_what_is_missing(front):
    front.mount()
    assert front.page.locator("th").all_inner_texts() == ["id\nstring", "age\nint32"]
    assert front.page.locator("td").all_inner_texts() == ["user123", "NA"]
    assert "drawn" not in text(front, ".ge-response")


def test_a_capped_table_says_so(front):
    front.mount(response={"answer": {**OK, "table": {**OK["table"], "total": 12_431}}})
    assert "The last 1 of 12,431 rows are drawn" in text(front, ".ge-response")


def test_the_tabs_are_walked_by_arrow_keys(front):
    front.mount().page.locator(".ge-response").get_by_role("tab", name="Table").press("ArrowRight")
    assert "user123" in text(front, ".ge-response pre")
    front.page.keyboard.press("ArrowRight")
    assert "hidden" in text(front, ".ge-response")
    front.page.keyboard.press("ArrowRight")
    assert "session[" in text(front, ".ge-response pre")


def test_a_refusal_says_why_first_and_offers_the_way_out(front):
    why = {
        "title": "The token lacks a scope.",
        "sentence": ["GetUser needs ", {"wire": "read:users"}, "."],
        "facts": [],
        "tone": "bad",
        "action": {"label": "Sign in as someone else", "command": "sign_in_again"},
    }
    front.mount(
        response={
            "answer": {**OK, "badge": "PERMISSION_DENIED", "tone": "bad", "table": None, "json": None, "why": why}
        }
    )
    assert front.page.locator(".ge-response [role=tab]").all_inner_texts() == ["Why", "Metadata", "Code"]
    assert "GetUser needs read:users." in text(front, "[role=alert].ge-why")
    front.page.get_by_role("button", name="Sign in as someone else").click()
    assert front.sent("response") == [{"command": "sign_in_again"}]


def test_an_answer_without_facts_begins_with_its_age(front):
    front.mount(response={"answer": {**OK, "facts": "", "at": 1_800_000_000_000}})
    assert text(front, ".ge-facts").strip() == "just now"


def test_the_age_of_an_answer_grows_by_itself(front):
    front.mount(response={"answer": {**OK, "at": 1_800_000_000_000}})
    assert "just now" in text(front, ".ge-facts")
    before = front.frames()
    front.page.clock.run_for(180_000)
    assert "3 min ago" in text(front, ".ge-facts")
    assert front.frames() == before


# The whole


def test_a_closed_view_leaves_nothing_behind(front):
    front.mount().message("header", kind="clock", remaining=100, lifetime=300)
    front.page.evaluate("Object.values(cleanups).forEach((cleanup) => cleanup())")
    left = front.page.evaluate(
        "Object.fromEntries(Object.entries(models).map(([name, model]) => [name, model.listening()]))"
    )
    # Header, details and gate keep what arrives for a next view.
    assert {name: count for name, count in left.items() if count} == {"header": 1, "details": 1, "gate": 2}
    assert len(left) == len(STATES)
    shown = front.page.locator("[role=timer].ge-time").inner_text()
    front.page.clock.run_for(5000)
    assert front.page.locator("[role=timer].ge-time").inner_text() == shown


@pytest.mark.parametrize("width", [360, 480, 640, 1000, 1600])
@pytest.mark.parametrize("shut", [True, False])
def test_nothing_sticks_out_at_any_width(open_page, width, shut):
    page = open_page(viewport={"width": width, "height": 700})
    front = Front(page).mount(shut=shut, request={"method": EVERYTHING})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert front.page.evaluate("sticking_out()") == []


NAMES = ("layout-color0", "content-font-color0", "brand-color1", "warn-color1", "success-color1", "error-color1")
LIGHT = ("#fff", "rgba(0,0,0,1)", "#1976d2", "#f57c00", "#388e3c", "#d32f2f")
DARK = ("#111", "rgba(255,255,255,1)", "#2196f3", "#ff9800", "#4caf50", "#f44336")
THEMES = {
    "Lab light": {**dict(zip(NAMES, LIGHT, strict=True)), "ui-inverse-font-color0": "#fff"},
    "Lab dark": {**dict(zip(NAMES, DARK, strict=True)), "ui-inverse-font-color0": "#000"},
    "no Lab": {},
}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("shut", [True, False])
def test_every_word_can_be_read(open_page, theme, scheme, shut):
    page = open_page(color_scheme=scheme)
    why = {
        "title": "The token lacks a scope.",
        "sentence": ["x"],
        "facts": [],
        "tone": "bad",
        "action": {"label": "Sign in", "command": "x"},
    }
    answer = {**OK, "badge": "INTERNAL", "tone": "bad", "why": why}
    front = Front(page).mount(shut=shut, response={"answer": answer}, request={"method": EVERYTHING})
    page.evaluate("dress", THEMES[theme])
    if not shut:
        front.page.get_by_label("send address").check()
        front.page.get_by_label("about big").click()
        front.set("request", "problems", {"count": "It is too small.", "": "And more."})
    front.message("header", kind="clock", remaining=24, lifetime=300)
    assert page.evaluate("weak_words()") == []


FORBIDDEN = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc|\bimport\(|https?://|\burl\("
)
STATIC = sorted((Path(__file__).parents[2] / "explorer" / "widget" / "static").rglob("*.*"))


def findings(source):
    return [hit[0] for hit in FORBIDDEN.finditer(source.replace("http://www.w3.org/2000/svg", ""))]


@pytest.mark.parametrize("path", STATIC, ids=lambda path: path.name)
def test_no_file_of_the_front_end_can_write_markup_or_reach_a_network(path):
    assert findings(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("line", ["e.innerHTML = x", "import('x')", 'src = "https://a"', "@import url(x)"])
def test_such_a_line_would_be_found(line):
    assert findings(line)
