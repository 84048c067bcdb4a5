"""Every way of signing in from the widget, what is kept from before, a session that was given: with real servers."""

import json
import threading
import traceback
from urllib.parse import parse_qs, urlsplit

import pytest
from canary import found
from odd_server import WELL_KNOWN, OddServer, Reply, error
from person import Person
from widget_ear import GET_USER, Ear

import explorer
from explorer.errors import ConfigurationError
from explorer.oauth import FileStore, MemoryStore, client_credentials
from explorer.widget.model import Model
from explorer.widget.place import Place, connection_settings, demo_place
from explorer.widget.sign_in import Grant
from explorer.widget.view import explore


@pytest.fixture
def models():
    made = []

    def make(*args, **options):
        made.append(Model(*args, **options))
        ear = Ear(made[-1])
        made[-1].start()
        return ear

    yield make
    for model in made:
        model.close()


@pytest.fixture
def odd_server():
    server = OddServer()
    yield server
    server.close()


@pytest.fixture
def store(tmp_path):
    return FileStore(tmp_path / "tokens")


def callback_of(demo, page, username="ada"):
    """The address at which a browser ends that cannot reach it."""
    with Person(demo) as somebody:
        return somebody.sign_in_at(page["url"], username, follow=False)


def sign_in(ear, demo, username="ada"):
    ear.forget()
    ear.model.command({"command": "sign_in", "method": "browser"})
    with Person(demo) as somebody:
        somebody.sign_in_at(ear.message("page")["url"], username, follow=True)
    ear.until(lambda: not ear.model.state["shut"] and ear.model.state["account"]["person"] == username)


def test_an_address_that_is_pasted_signs_in_and_rests_nowhere(models, demo, monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    ear = models(demo_place(demo), away=True)
    ear.model.command({"command": "sign_in", "method": "paste", "away": True})
    page = ear.message("page")
    assert ear.until_gate("paste")
    ear.model.command({"command": "paste", "address": "http://127.0.0.1:1/callback?code=another&state=x"})
    assert "nothing was sent" in ear.message("pasted")["sentence"]
    assert ear.model.state["gate"]["kind"] == "paste", "the sign-in goes on"
    address = callback_of(demo, page)
    code = parse_qs(urlsplit(address).query)["code"][0]
    ear.forget()
    ear.model.command({"command": "paste", "address": address})
    ear.open()
    assert ear.message("pasted")["sentence"] == ""
    assert ear.call(GET_USER, '{"user_id": "user123"}')["badge"] == "OK"
    heard = json.dumps([ear.heard, ear.model.state], default=str).encode()
    assert found([code], heard) == []
    assert found([code], heard + address.encode()) != []


def test_a_page_that_could_not_come_back_is_helped_by_its_address(models, demo):
    ear = models(demo_place(demo))
    ear.model.command({"command": "sign_in", "method": "browser"})
    ear.model.command({"command": "paste", "address": callback_of(demo, ear.message("page"))})
    ear.open()


def test_without_a_choice_the_best_way_for_here_is_taken(models, demo_factory, monkeypatch):
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22")
    ear = models(demo_place(demo_factory()), away=True)
    ear.model.command({"command": "sign_in"})
    assert ear.message("device")["user_code"]


@pytest.mark.parametrize(
    ("missing", "method", "left", "words"),
    [
        ("device_authorization_endpoint", "device", ["paste"], "gives no device codes"),
        ("authorization_endpoint", "browser", ["device"], "has no sign-in page"),
        ("authorization_endpoint", "paste", ["device"], "has no sign-in page"),
    ],
)
def test_what_the_server_does_not_offer_is_said_and_the_next_way_offered(
    models, odd_server, missing, method, left, words
):
    odd_server.publish(**{missing: None})
    grant = Grant(issuer=odd_server.issuer, client_id="notebook")
    ear = models(Place(target="localhost:1", grant=grant), away=True)
    ear.model.command({"command": "sign_in", "method": method, "away": True})
    gate = ear.until(lambda: ear.model.state["gate"].get("sentence"))["gate"]
    assert (gate["kind"], gate["ways"]) == ("sign in", left)
    assert words in gate["sentence"]
    assert not odd_server.asked("/device"), "a device request starts on a click"


def test_a_client_that_may_not_ask_for_a_code_is_offered_the_page(models, odd_server):
    odd_server.answer("/device", error("unauthorized_client"))
    ear = models(Place(target="localhost:1", grant=Grant(issuer=odd_server.issuer, client_id="notebook")))
    ear.model.command({"command": "sign_in", "method": "device"})
    gate = ear.until(lambda: ear.model.state["gate"].get("ways"))["gate"]
    assert gate["ways"] == ["browser", "paste"]
    assert "unauthorized_client" in gate["sentence"]


def test_what_is_given_up_while_the_server_is_looked_for_asks_for_no_code(models, odd_server):
    hold = threading.Event()
    odd_server.answer(WELL_KNOWN, Reply(odd_server.metadata(), hold=hold))
    ear = models(Place(target="localhost:1", grant=Grant(issuer=odd_server.issuer, client_id="notebook")))
    ear.model.command({"command": "sign_in", "method": "device"})
    odd_server.until_asked(WELL_KNOWN, 1)
    ear.model.command({"command": "cancel_sign_in"})
    assert ear.until_gate("sign in")["sentence"] == ""
    hold.set()
    ear.model.close()
    for thread in ear.model._worker._threads:
        thread.join(60)
    assert odd_server.asked("/device") == []


def test_a_refusal_by_the_person_is_no_wrong_guess(models, demo):
    ear = models(demo_place(demo))
    ear.model.command({"command": "sign_in", "method": "browser"})
    with Person(demo) as somebody:
        somebody.sign_in_at(ear.message("page")["url"], "ada", allow=False, follow=True)
    gate = ear.until(lambda: ear.model.state["gate"].get("sentence"))["gate"]
    assert gate["ways"] == []


def test_what_is_kept_is_named_and_used_without_a_page(models, demo, store):
    first = models(demo_place(demo, store=store))
    assert first.until_gate("sign in")["keeps"].startswith("unencrypted, in files of")
    sign_in(first, demo)
    assert first.model.state["account"]["resumed"] == ""
    second = models(demo_place(demo, store=store))
    second.open()
    assert not [name for name, _ in second.heard if name in {"page", "device"}]
    assert "without a page" in second.model.state["account"]["resumed"]
    assert second.call(GET_USER, '{"user_id": "user123"}')["badge"] == "OK"
    second.model.command({"command": "sign_out"})
    second.until_gate("sign in")
    second.until(lambda: store.read(_key(demo)) is None)
    third = models(demo_place(demo, store=store))
    assert third.until_gate("sign in")["sentence"] == ""


def _key(demo):
    from explorer.oauth.stored_grant import GrantKey

    key = GrantKey(issuer=demo.issuer, client_id="notebook", scope=("read:users",), account="ada")
    return key.name


def test_a_kept_sign_in_that_has_ended_says_so_and_asks(models, demo_factory, store):
    demo = demo_factory()
    first = models(demo_place(demo, store=store))
    first.until_gate("sign in")
    sign_in(first, demo)
    demo.kill_refresh_tokens("notebook")
    second = models(demo_place(demo, store=store))
    sentence = second.until_gate("sign in")["sentence"]
    assert "The stored sign-in as ada has ended" in sentence


def test_several_kept_accounts_are_named(models, demo, store):
    for username in ("ada", "bob"):
        ear = models(demo_place(demo, store=store, account=username))
        ear.until_gate("sign in")
        sign_in(ear, demo, username)
    undecided = models(demo_place(demo, store=store))
    assert "'ada' and 'bob'" in undecided.until_gate("sign in")["sentence"]
    bob = models(demo_place(demo, store=store, account="bob"))
    bob.open()
    assert bob.model.state["account"]["person"] == "bob"


def test_explore_takes_store_and_account_and_prints_them(demo, store):
    with pytest.raises(ConfigurationError, match="'cupboard'"):
        explore(demo, store="cupboard")
    widget = explore(demo, store=store, account="ada")
    try:
        assert 'store="file", account="ada"' in widget.code
        assert "store" not in explore_code(demo)
    finally:
        widget.close()


def explore_code(demo):
    widget = explore(demo)
    widget.close()
    return widget.code


def test_what_sign_in_takes_beside_goes_to_the_sign_in_and_no_secret_into_the_python(models, odd_server):
    further = {
        "audience": "https://api.example",
        "redirect_uri": "http://localhost/here",
        "authorization_parameters": {"login_hint": "ada"},
        "client_secret": "a-client-secret-canary",
    }
    widget = explore(target="localhost:1", issuer=odd_server.issuer, client_id="notebook", **further)
    ear = Ear(widget._model)
    try:
        widget._model.command({"command": "sign_in", "method": "browser"})
        page = ear.message("page")["url"]
        asked = {name: value for name, (value,) in parse_qs(urlsplit(page).query).items()}
        assert (asked["audience"], asked["login_hint"]) == ("https://api.example", "ada")
        assert urlsplit(asked["redirect_uri"]).path == "/here"
        code = widget.code
        assert 'audience="https://api.example"' in code
        assert 'client_secret=os.environ["CLIENT_SECRET"]' in code
        compile(code, "code", "exec")
        shown = repr(vars(widget._model.place)) + code + json.dumps(ear.heard, default=str)
        assert "a-client-secret-canary" not in shown
    finally:
        widget.close()


@pytest.mark.parametrize(
    "further",
    [
        {"issuer": "https://a.test", "client_id": "c", "client_secret": ""},
        {"issuer": "https://a.test", "client_id": "c", "redirect_uri": "http://a.test/"},
        {"issuer": "https://a.test", "client_id": "c", "private_key": "none"},
        {"issuer": "https://a.test", "client_id": "c", "authorization_parameters": {"state": "x"}},
        {"audience": "https://api.example"},
    ],
)
def test_what_cannot_be_is_said_before_anybody_is_asked(further):
    with pytest.raises(ConfigurationError):
        explore(target="localhost:1", **further)


def test_t32_a_secret_that_is_refused_with_others_is_in_no_frame(demo):
    with pytest.raises(ConfigurationError) as caught:
        explore(demo, client_secret="a-client-secret-canary", metadata={"x-api-key": "a-key-canary"})
    below = caught.value.with_traceback(caught.value.__traceback__.tb_next)
    text = "".join(traceback.TracebackException.from_exception(below, capture_locals=True).format())
    assert "explore" in text
    assert "canary" not in text


# A session that was given


@pytest.fixture
def given(demo):
    made = []

    def make(tokens):
        session = explorer.connect(demo.target, token_source=tokens, root_certificates=demo.root_certificates)
        made.append(session)
        return session

    yield make
    for session in made:
        session.close()


@pytest.fixture
def adas(demo):
    """What sign_in() gives."""
    flow = explorer.oauth.AuthorizationCodeFlow(demo.issuer, client_id="notebook", scope="read:users")
    with Person(demo) as somebody:
        somebody.sign_in_at(flow.authorization_url, "ada", follow=True)
    tokens = flow.wait(60)
    yield tokens
    tokens.sign_out()


def test_a_given_session_whose_source_came_by_a_person_is_signed_in_again_from_here(models, demo, given, adas):
    session = given(adas)
    ear = models(session=session)
    ear.open()
    adas.sign_out()
    answer = ear.call(GET_USER, '{"user_id": "user123"}')
    assert answer["why"]["action"] == {"label": "Sign in again", "command": "sign_in_again"}
    ear.model.command({"command": "sign_in_again"})
    gate = ear.until_gate("sign in")
    assert (gate["client_id"], gate["scope"], gate["leave"]) == ("notebook", ["read:users"], True)
    sign_in(ear, demo)
    assert ear.model.session is session, "whoever else holds it goes on, too"
    assert session[GET_USER](user_id="user123").ok
    assert ear.call(GET_USER, '{"user_id": "user123"}')["badge"] == "OK"
    assert adas.state.phase == "fresh"


def test_signing_out_of_a_given_session_asks_again_and_signing_in_mends_it(models, demo, given, adas):
    session = given(adas)
    ear = models(session=session)
    ear.open()
    ear.model.command({"command": "sign_out"})
    ear.until_gate("sign in")
    assert adas.state.phase == "sign in again"
    sign_in(ear, demo, "bob")
    assert adas.state.subject == "bob"
    assert session.token_source is adas


def test_where_nobody_signed_in_the_line_of_python_is_named(models, demo, given):
    tokens = client_credentials(demo.issuer, client_id="service", client_secret="service-secret", scope="read:users")
    session = given(tokens)
    ear = models(session=session)
    ear.open()
    tokens.sign_out()
    ear.until(lambda: ear.model.state["account"]["phase"] == "sign in again")
    account = ear.model.state["account"]
    assert not account["again"]
    line = account["advice"]
    assert line.startswith("In Python: session.token_source.take_over(explorer.oauth.sign_in(")
    compile(line.removeprefix("In Python: "), "line", "eval")
    answer = ear.call(GET_USER, '{"user_id": "user123"}')
    assert line in answer["why"]["sentence"][0]
    assert answer["why"]["action"] is None
    late = models(Place(target=demo.target, root_certificates=demo.root_certificates, token_source=tokens))
    gate = late.until_gate("retry")
    assert "Nobody is signed in" in gate["title"]
    assert "take_over" in gate["sentence"]


# What connect() takes


def test_what_connect_takes_explore_takes_and_says_at_once_what_cannot_be(demo):
    settings = connection_settings(server_name="elsewhere", metadata={"x-api-key": "a-secret-key"}, timeout=3)
    assert "a-secret-key" not in repr(settings) + repr(Place(target="a:1", connection=settings))
    with pytest.raises(TypeError, match="no_such_thing"):
        explore(target="a:1", no_such_thing=1)
    with pytest.raises(ConfigurationError):
        explore(target="a:1", compression="brotli")
    with pytest.raises(ConfigurationError, match="has its own metadata"):
        explore(demo, metadata={"x": "y"})


def test_metadata_and_server_name_reach_the_server(models, demo):
    wrong = connection_settings(root_certificates=demo.root_certificates, server_name="elsewhere.example")
    ear = models(Place(target=demo.target, connection=wrong))
    assert "elsewhere.example" in ear.until_gate("retry")["sentence"]


def test_memory_needs_no_words():
    assert Grant(issuer="https://a.test", client_id="x", store=MemoryStore()).keeps == ""
    assert Grant(issuer="https://a.test", client_id="x").stored_as == ""


def test_a_server_that_answers_with_a_page_is_a_wrong_guess(models, odd_server):
    odd_server.answer("/device", Reply(b"<h1>no</h1>", 404, {"Content-Type": "text/html"}))
    ear = models(Place(target="localhost:1", grant=Grant(issuer=odd_server.issuer, client_id="notebook")))
    ear.model.command({"command": "sign_in", "method": "device"})
    gate = ear.until(lambda: ear.model.state["gate"].get("ways"))["gate"]
    assert gate["ways"] == ["browser", "paste"]


def test_a_sign_in_without_a_refresh_token_says_so_and_what_helps(models, odd_server):
    ear = models(Place(target="localhost:1", grant=Grant(issuer=odd_server.issuer, client_id="notebook")))
    ear.model.command({"command": "sign_in", "method": "paste"})
    page = ear.message("page")
    state = parse_qs(urlsplit(page["url"]).query)["state"][0]
    ear.model.command({"command": "paste", "address": f"{page['ends_at']}?code=x&state={state}"})
    ear.until(lambda: ear.model.state["account"]["ends"])
    assert "offline_access often brings one" in ear.model.state["account"]["ends"]
    assert not ear.model.state["account"]["renews"]
