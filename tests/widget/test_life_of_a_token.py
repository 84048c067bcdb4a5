"""The life of a token as the widget tells it, and several people side by side: the model against the real demo."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from canary import found
from person import Person
from widget_ear import GET_USER, Ear

from explorer.tokens import StaticTokenSource
from explorer.widget.details import details_of
from explorer.widget.model import Model
from explorer.widget.place import Place, demo_place
from explorer.widget.sign_in import Grant, SignIn
from explorer.widget.timeline import Calls


@pytest.fixture
def signed_in(demo):
    made = []

    def make(username="ada"):
        ear = Ear(Model(demo_place(demo)))
        made.append(ear.model)
        ear.model.start()
        sign_in(ear, demo, username)
        return ear

    yield make
    for model in made:
        model.close()


def sign_in(ear, demo, username):
    ear.forget()
    ear.model.command({"command": "sign_in", "method": "browser"})
    url = ear.message("page")["url"]
    with Person(demo) as somebody:
        somebody.sign_in_at(url, username, follow=True)
    ear.until(lambda: not ear.model.state["shut"] and ear.model.state["account"]["person"] == username)
    return parse_qs(urlsplit(url).query)


def details(ear):
    """What an opened panel is told first."""
    ear.forget()
    ear.model.command({"command": "details", "open": True})
    return ear.message("details")


def test_the_details_say_who_asked_whom_for_what(signed_in, demo):
    told = details(signed_in())
    facts = told["facts"]
    assert told["phase"] == "fresh"
    assert 0 < told["remaining"] <= told["lifetime"] == 300
    assert (facts["person"], facts["issuer"], facts["client_id"]) == ("ada", demo.issuer, "notebook")
    assert facts["granted"] == facts["asked"] == ["read:users"]
    assert (facts["missing"], facts["refresh_count"], facts["last_error"]) == ([], 0, "")
    assert facts["storage"]
    claims = json.loads(told["claims"])
    assert claims["header"]["typ"] == "at+jwt"
    assert claims["payload"]["iss"] == demo.issuer
    assert facts["audience"] == [claims["payload"]["aud"]]


def test_a_scope_that_was_not_granted_is_missing(signed_in):
    facts = details(signed_in("bob"))["facts"]
    assert (facts["granted"], facts["asked"], facts["missing"]) == ([], ["read:users"], ["read:users"])


def test_sign_in_calls_and_refreshes_are_on_the_timeline_and_a_shut_panel_is_told_nothing(signed_in):
    ear = signed_in()
    ear.call(GET_USER, '{"user_id": "user123"}')
    ear.call(GET_USER, '{"user_id": "nobody"}')
    assert not [name for name, _ in ear.heard if name == "details"]
    events = details(ear)["events"]
    assert [(event["kind"], event["good"]) for event in events] == [("sign-in", True), ("call", True), ("call", False)]
    assert [event["age"] for event in events] == sorted((event["age"] for event in events), reverse=True)
    assert events[1]["sentence"].startswith("GetUser: OK")
    assert events[2]["sentence"].startswith("GetUser: NOT_FOUND")
    ear.model.command({"command": "refresh"})
    ear.until(lambda: [value for name, value in ear.heard if name == "details"][-1]["events"][-1]["kind"] == "refresh")
    ear.call(GET_USER, '{"user_id": "user123"}')
    ear.until(lambda: [value for name, value in ear.heard if name == "details"][-1]["events"][-1]["kind"] == "call")


def test_what_was_never_sent_is_no_call(signed_in):
    ear = signed_in()
    ear.call(GET_USER, '{"nothing": "like that"}')
    assert [event["kind"] for event in details(ear)["events"]] == ["sign-in"]


def test_t30_no_details_hold_a_secret(signed_in):
    ear = signed_in()
    token = ear.model.tokens.token().access_token.reveal()
    ear.model.command({"command": "refresh"})
    ear.until(lambda: ear.model.tokens.state.refresh_count == 1)
    secrets = [token, token.rpartition(".")[2], ear.model.tokens.token().access_token.reveal()]
    grant = ear.model.tokens._kept.grant
    secrets.append(grant.refresh_token.reveal())
    told = json.dumps(details(ear)).encode()
    assert found(secrets, told) == []
    assert found(secrets, told + token.encode()) != []


def test_whoever_sees_the_widget_keeps_the_renewing_alive(signed_in):
    ear = signed_in()
    reuse = ear.model.tokens._reuse
    for command in ("visible", "look"):
        reuse._needed_at -= 600
        before = reuse._needed_at
        ear.model.command({"command": command})
        assert reuse._needed_at > before + 500
    reuse._needed_at = before = reuse._needed_at - 600
    ear.model.command({"command": "details", "open": True})
    ear.message("details")
    assert reuse._needed_at == before


def test_someone_else_is_asked_for_by_name_and_nobody_else_is(signed_in, demo):
    ear = signed_in("bob")
    ear.model.command({"command": "someone_else"})
    ear.until_gate("sign in")
    assert sign_in(ear, demo, "ada")["prompt"] == ["login"]
    ear.model.command({"command": "sign_in_again"})
    ear.until_gate("sign in")
    assert "prompt" not in sign_in(ear, demo, "ada")


@pytest.mark.parametrize(
    ("scope", "prompt"), [("read:users", "login"), ("read:users offline_access", "login consent"), (None, "login")]
)
def test_asking_for_someone_else_costs_nobody_their_refresh_token(demo, scope, prompt):
    attempt = SignIn(Grant(issuer=demo.issuer, client_id="notebook", scope=scope), "browser", someone_else=True)
    attempt.begin()
    assert parse_qs(urlsplit(attempt.message()["url"]).query)["prompt"] == [prompt]
    attempt.cancel()


def test_giving_up_someone_else_forgets_it(signed_in, demo):
    ear = signed_in()
    ear.model.command({"command": "someone_else"})
    ear.until_gate("sign in")
    ear.model.command({"command": "cancel_sign_in"})
    ear.model.command({"command": "sign_in_again"})
    assert "prompt" not in sign_in(ear, demo, "ada")


def test_two_people_side_by_side_have_each_their_own(signed_in):
    ada, bob = signed_in("ada"), signed_in("bob")
    request = '{"user_id": "user123"}'
    assert ada.call(GET_USER, request)["badge"] == "OK"
    assert bob.call(GET_USER, request)["badge"] == "PERMISSION_DENIED"
    assert details(ada)["facts"]["person"] == "ada"
    assert details(bob)["facts"]["person"] == "bob"
    bob.model.command({"command": "refresh"})
    bob.until(lambda: bob.model.tokens.state.refresh_count == 1)
    assert ada.model.tokens.state.refresh_count == 0
    bob.model.command({"command": "sign_out"})
    bob.until_gate("sign in")
    assert ada.model.tokens.refresh()
    assert ada.call(GET_USER, request)["badge"] == "OK"
    assert [event["kind"] for event in details(ada)["events"]] == ["sign-in", "call", "refresh", "call"]


def test_a_token_that_was_given_has_its_calls_and_no_more(demo):
    told = details_of(StaticTokenSource("given"), Calls())
    assert (told["phase"], told["facts"], told["claims"], told["events"]) == ("given", {}, "", [])
    assert details_of(None, Calls())["phase"] == "none"
    ear = Ear(Model(Place(target=demo.target, token_source=StaticTokenSource("given"))))
    ear.model.command({"command": "visible"})
    ear.model.close()
