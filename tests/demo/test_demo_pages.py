"""The pages: what protects them, what they show, and that they work behind a proxy that adds a prefix."""

import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from person import Page, Person
from waitress.server import create_server

PREFIX = "/user/x/proxy"


@pytest.fixture
def pages(by_hand, demo) -> dict[str, Page]:
    """One page of every kind."""
    device = by_hand.device()
    seen = {}
    with Person(demo) as person:
        seen["sign in"] = person.get(by_hand.authorization_url())
        seen["wrong password"] = person.submit(seen["sign in"], {"username": "ada", "password": "no"}, action="sign_in")
        seen["consent"] = person.submit(seen["sign in"], {"username": "ada", "password": "ada"}, action="sign_in")
        seen["enter code"] = person.get(device["verification_uri"])
        seen["unknown code"] = person.submit(seen["enter code"], {"user_code": "BBBB-BBBB"})
        seen["device"] = person.get(device["verification_uri_complete"])
        seen["done"] = person.submit(seen["device"], {}, action="allow")
        seen["failed"] = person.get(by_hand.authorization_url(client_id="nobody"))
        seen["lost"] = person.get(f"{demo.issuer}/nowhere")
    return seen


def test_every_page_carries_the_headers_that_protect_it(pages):
    for name, page in pages.items():
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy, name
        assert "frame-ancestors 'none'" in policy, name
        assert "base-uri 'none'" in policy, name
        assert "unsafe" not in policy, name
        assert "script-src" not in policy, name
        assert page.headers["X-Content-Type-Options"] == "nosniff", name
        assert page.headers["Referrer-Policy"] == "no-referrer", name
        assert page.headers["Cache-Control"] == "no-store", name
        assert "Server" not in page.headers, name


def test_no_page_needs_a_script_or_anything_from_outside(pages):
    for name, page in pages.items():
        assert "<script" not in page.html, name
        assert "://" not in page.html.replace("http://127.0.0.1:", ""), name
        assert " src=" not in page.html, name
        assert " href=" not in page.html, name


def test_it_is_said_once_that_nobody_here_is_real(by_hand, demo):
    with Person(demo) as person:
        said = person.get(by_hand.authorization_url()).text
    assert (said.count("Made-up"), said.count("made up")) == (1, 0)
    assert "A demo. No password of yours belongs here." in said


def test_every_form_that_changes_something_carries_a_csrf_token(pages):
    forms = [form for page in pages.values() for form in page.forms if form.method == "post"]
    assert len(forms) >= 4
    assert all(len(form.fields["csrf_token"]) > 30 for form in forms)


def test_the_consent_page_names_client_and_scopes_and_destination(pages):
    for words in ("Notebook explorer", "notebook", "Look people up", "read:users", "Ada Example", "127.0.0.1:49152"):
        assert words in pages["consent"].text


@pytest.mark.parametrize("csrf_token", ["", "wrong", None])
def test_a_form_from_elsewhere_is_refused_and_our_own_is_not(by_hand, demo, csrf_token):
    before = demo.counters()["pages"]["csrf_refused"]
    with Person(demo) as person:
        page = person.get(by_hand.authorization_url())
        page = person.submit(page, {"username": "ada", "password": "ada"}, action="sign_in")
        assert isinstance(page, Page)
        ours = dict(page.forms[0].fields)
        page.forms[0].fields.pop("csrf_token")
        forged = person.submit(page, {} if csrf_token is None else {"csrf_token": csrf_token}, action="allow")
        assert isinstance(forged, Page)
        assert forged.status == 403
        assert isinstance(person.submit(page, ours, action="allow"), str)
    assert demo.counters()["pages"]["csrf_refused"] == before + 1


def test_the_csrf_token_of_another_browser_is_refused(by_hand, demo):
    with Person(demo) as one, Person(demo) as other:
        theirs = other.get(by_hand.authorization_url()).forms[0].fields["csrf_token"]
        page = one.get(by_hand.authorization_url())
        answer = one.submit(page, {"username": "ada", "password": "ada", "csrf_token": theirs}, action="sign_in")
    assert answer.status == 403


def test_a_sign_in_changes_the_session_so_that_a_planted_one_is_worth_nothing(by_hand):
    url = by_hand.authorization_url()
    page = by_hand.http.get(url)
    planted = dict(by_hand.http.cookies)
    token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"csrf_token": token, "username": "ada", "password": "ada", "action": "sign_in"}
    answer = by_hand.http.post(url, data=form)
    assert answer.status_code == 303
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert "SameSite=Lax" in answer.headers["Set-Cookie"]
    assert "Allow Notebook explorer?" in by_hand.http.get(url).text
    assert "Password" in httpx.get(url, cookies=planted, trust_env=False, timeout=60).text


def test_the_answer_is_fetched_with_get_and_tells_nobody_where_it_came_from(by_hand):
    url = by_hand.authorization_url()
    for form in ({"username": "ada", "password": "ada", "action": "sign_in"}, {"action": "allow"}):
        token = by_hand.http.get(url).text.partition('name="csrf_token" value="')[2].partition('"')[0]
        answer = by_hand.http.post(url, data={"csrf_token": token, **form})
    assert "code=" in answer.headers["Location"]
    assert (answer.status_code, answer.headers["Referrer-Policy"]) == (303, "no-referrer")


def test_a_session_ends_after_an_hour(make_by_hand):
    by_hand = make_by_hand()
    with Person(by_hand.demo) as person:
        person.sign_in_at(by_hand.authorization_url())
        by_hand.demo.advance(3500)
        assert person.get(by_hand.authorization_url()).offers("allow")
        by_hand.demo.advance(200)
        assert person.get(by_hand.authorization_url()).offers("sign_in")


def test_what_came_in_an_address_is_shown_escaped(by_hand, demo):
    with Person(demo) as person:
        page = person.get(by_hand.authorization_url(scope="<script>alert(1)</script>", redirect_uri="x<script>"))
        assert "<script" not in page.html
        page = person.get(by_hand.authorization_url())
        page = person.submit(page, {"username": '"><script>', "password": "x"}, action="sign_in")
        assert "<script" not in page.html
        assert "&#34;&gt;&lt;script&gt;" in page.html


def test_somebody_else_can_take_over_at_the_consent_page(by_hand, demo):
    with Person(demo) as person:
        page = person.get(by_hand.authorization_url())
        page = person.submit(page, {"username": "bob", "password": "bob"}, action="sign_in")
        assert "Bob Example" in page.text
        assert "Your account does not have this" in page.text
        page = person.submit(page, {}, action="sign_out")
        page = person.submit(page, {"username": "ada", "password": "ada"}, action="sign_in")
        assert "Ada Example" in page.text
        assert "Your account does not have this" not in page.text


def test_prompt_login_asks_whoever_is_there_and_only_once(by_hand, demo):
    with Person(demo) as person:
        person.sign_in_at(by_hand.authorization_url(), "bob")
        assert person.get(by_hand.authorization_url()).offers("allow")
        asked = person.get(by_hand.authorization_url(prompt="login"))
        assert asked.offers("sign_in")
        page = person.submit(asked, {"username": "ada", "password": "ada"}, action="sign_in")
        assert page.offers("allow")
        assert "Ada" in page.text


@pytest.mark.parametrize(
    ("redirect_uri", "source"),
    [("http://127.0.0.1:4000/callback", "http://127.0.0.1:4000"), ("http://[::1]:4000/callback", "http:")],
)
def test_the_policy_lets_the_form_redirect_to_the_receiver(by_hand, demo, redirect_uri, source):
    with Person(demo) as person:
        page = person.get(by_hand.authorization_url(redirect_uri=redirect_uri))
        page = person.submit(page, {"username": "ada", "password": "ada"}, action="sign_in")
    assert f"form-action 'self' {source};" in page.headers["Content-Security-Policy"]


@pytest.fixture
def proxy(demo) -> Iterator[str]:
    """A reverse proxy that takes a prefix off, as the one of Jupyter does; the base URL that people see."""
    upstream = httpx.Client(base_url=demo.issuer, trust_env=False, follow_redirects=False, timeout=60)
    prefix = f"{PREFIX}/{urlsplit(demo.issuer).port}"

    def forward(environ, start_response):
        path = environ["PATH_INFO"]
        if not path.startswith(prefix + "/"):
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"the prefix got lost"]
        headers = {"Host": environ["HTTP_HOST"]}
        for name in ("HTTP_COOKIE", "CONTENT_TYPE"):
            if name in environ:
                headers[name.removeprefix("HTTP_").replace("_", "-")] = environ[name]
        answer = upstream.request(
            environ["REQUEST_METHOD"],
            path.removeprefix(prefix),
            params=environ.get("QUERY_STRING"),
            content=environ["wsgi.input"].read(),
            headers=headers,
        )
        kept = [(k, v) for k, v in answer.headers.multi_items() if k in ("location", "set-cookie", "content-type")]
        start_response(f"{answer.status_code} x", kept)
        return [answer.content]

    server = create_server(forward, host="127.0.0.1", port=0, threads=2)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}{prefix}"
    server.close()
    thread.join()
    upstream.close()


def test_the_device_page_works_behind_a_prefix(by_hand, demo, proxy):
    device = by_hand.device()
    with Person(demo, origins=(proxy,)) as person:
        end = person.approve_device(f"{proxy}/device", device["user_code"])
    assert end.url.startswith(proxy)
    assert "You can close this page." in end.text
    assert by_hand.poll(device["device_code"]).status_code == 200


def test_the_authorization_page_works_behind_a_prefix_and_the_issuer_stays(by_hand, demo, proxy):
    url = by_hand.authorization_url().replace(demo.issuer, proxy)
    with Person(demo, origins=(proxy,)) as person:
        end = person.sign_in_at(url)
    assert isinstance(end, str)
    answer = httpx.URL(end).params
    assert answer["iss"] == demo.issuer
    assert by_hand.redeem(answer["code"]).status_code == 200


def test_a_public_base_url_moves_the_pages_and_nothing_else(make_by_hand):
    by_hand = make_by_hand(public_base_url="https://hub.example/user/x/proxy/{port}/")
    issuer = by_hand.demo.issuer
    public = f"https://hub.example/user/x/proxy/{urlsplit(issuer).port}"
    metadata = by_hand.http.get("/.well-known/oauth-authorization-server").json()
    assert metadata["issuer"] == issuer
    assert metadata["authorization_endpoint"] == f"{public}/authorize"
    assert metadata["token_endpoint"] == f"{issuer}/token"
    assert by_hand.device()["verification_uri"] == f"{public}/device"
    assert by_hand.demo.set_public_base_url(None) == issuer
    assert by_hand.device()["verification_uri"] == f"{issuer}/device"
