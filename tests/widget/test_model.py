"""What a click leads to, without a browser: the model against the real demo, over real HTTP and gRPC."""

import gc

import pytest
from person import Person
from widget_ear import GET_USER, LIST_USERS, Ear

import explorer
from explorer.errors import ConfigurationError
from explorer.oauth import AuthorizationServer
from explorer.widget import answers
from explorer.widget.asking import Ask
from explorer.widget.model import Model
from explorer.widget.place import Place, demo_place
from explorer.widget.sign_in import Grant
from explorer.widget.view import explore


@pytest.fixture
def models():
    made = []

    def make(*args, **options):
        made.append(Model(*args, **options))
        return Ear(made[-1])

    yield make
    for model in made:
        model.close()
    for thread in [thread for model in made for thread in model._worker._threads]:
        thread.join(60)  # what it revokes is counted: by this test, and not by the next


@pytest.fixture
def person(demo):
    with Person(demo) as somebody:
        yield somebody


def sign_in(ear, demo, username="ada", *, way="browser"):
    ear.forget()
    ear.model.command({"command": "sign_in", "method": way})
    with Person(demo) as somebody:
        if way == "browser":
            somebody.sign_in_at(ear.message("page")["url"], username, follow=True)
        else:
            device = ear.message("device")
            somebody.approve_device(device["verification_uri"], device["user_code"], username)
    ear.until(lambda: not ear.model.state["shut"] and ear.model.state["account"]["person"] == username)


def calls(demo):
    """How often GetUser was called, by the server's own count."""
    counted = demo.counters()["methods"].items()
    return sum(count for what, count in counted if what.startswith("/UserService/GetUser "))


def settled(model):
    """Close it, and wait until its threads have done what they had begun."""
    model.close()
    for thread in model._worker._threads:
        thread.join(60)
        assert not thread.is_alive()


@pytest.fixture
def ada(models, demo):
    ear = models(demo_place(demo))
    ear.model.start()
    sign_in(ear, demo)
    return ear


def test_before_anything_it_asks_to_sign_in_and_has_sent_nothing(models, demo_factory):
    demo = demo_factory()  # its own: a shared one may still be asked by what a test before this left behind
    before = demo.counters()
    ear = models(demo_place(demo))
    ear.model.start()
    gate = ear.until_gate("sign in")
    assert (gate["client_id"], gate["scope"]) == ("notebook", ["read:users"])
    assert ear.model.state["account"]["phase"] == "signed out"
    assert ear.model.state["place"]["target"] == demo.target
    assert demo.counters() == before


def test_from_the_page_to_the_answer(ada, demo):
    state = ada.model.state
    clock = ada.message("clock")
    assert clock["lifetime"] == 300
    assert 280 < clock["remaining"] <= 300
    assert state["place"] == {
        "target": demo.target,
        "security": "TLS",
        "notice": "",
        "services": len(state["services"]),
        "reflection": "v1",
    }
    assert state["account"]["scope"] == ["read:users"]
    assert state["selected"] == GET_USER
    assert [field["name"] for field in state["method"]["types"]["GetUserRequest"]["fields"]] == ["user_id"]
    answer = ada.call(GET_USER, '{"user_id": "user123"}')
    assert (answer["badge"], answer["tone"], answer["why"]) == ("OK", "good", None)
    assert [column["name"] for column in answer["table"]["columns"]] == ["id", "name"]
    assert answer["table"]["rows"][0][0] == "user123"
    assert '"id": "user123"' in answer["json"]
    assert ada.model.state["rows"] == 1


def test_who_comes_back_to_a_method_finds_its_last_answer_beside_what_was_typed(ada):
    first = ada.call(GET_USER, '{"user_id": "nobody"}')
    call = ada.model.calling.last
    ada.model.command({"command": "select", "method": LIST_USERS})
    ada.until(lambda: ada.model.state["selected"] == LIST_USERS and ada.model.state["answer"]["state"] == "none")
    ada.call(LIST_USERS, "{}")
    ada.model.command({"command": "select", "method": GET_USER})
    ada.until(lambda: ada.model.state["answer"] == first)
    assert ada.model.calling.last is call
    assert ada.model.code == first["code"]


def test_the_device_code_leads_to_the_same_place(models, demo_factory):
    demo = demo_factory(device_interval=0.1)
    ear = models(demo_place(demo))
    ear.model.start()
    sign_in(ear, demo, way="device")
    assert ear.call(GET_USER, '{"user_id": "user123"}')["badge"] == "OK"


def test_a_call_can_be_read_as_python_and_runs(ada, demo):
    ada.call(GET_USER, '{"user_id": "user123"}')
    code = ada.model.code
    assert "explorer.connect(demo.target" in code
    assert "timeout" not in code
    call = eval(code.splitlines()[-1], {"session": ada.model.session})
    assert call.message.id == "user123"


def test_numbers_are_drawn_as_they_are(ada):
    answer = ada.call(LIST_USERS, '{"limit": 1, "offset": 7}')
    [at] = [at for at, column in enumerate(answer["table"]["columns"]) if column["name"] == "address.latitude"]
    assert float(answer["table"]["rows"][0][at]) == ada.model.calling.last.messages[0].address.latitude


def test_every_call_is_a_row_errors_too(ada):
    ada.call(GET_USER, '{"user_id": "user123"}')
    answer = ada.call(GET_USER, '{"user_id": "nobody"}')
    assert (answer["badge"], answer["why"]["title"]) == ("NOT_FOUND", "Not found.")
    ada.call(LIST_USERS, '{"limit": 3}')
    frame = ada.model.calling.responses.frame()
    assert list(frame["method"]) == [GET_USER, GET_USER, LIST_USERS, LIST_USERS, LIST_USERS]
    assert list(frame["status_code"]) == ["OK", "NOT_FOUND", "OK", "OK", "OK"]
    assert frame["request.user_id"].isna().tolist() == [False, False, True, True, True]
    assert ada.model.state["rows"] == 5


def test_a_stream_is_drawn_to_its_cap_and_kept_whole(ada):
    answer = ada.call(LIST_USERS, "{}")
    total = answer["table"]["total"]
    assert total > len(answer["table"]["rows"]) == 200
    assert len(ada.model.calling.responses.frame()) == total
    assert f"{total:,} messages" in answer["facts"]


def test_what_the_details_say_is_said_once(ada):
    answer = ada.call(GET_USER, '{"user_id": ""}')
    assert "".join(answer["why"]["sentence"]).startswith("user_id: must not be empty; user123 is one that exists. ")
    assert answer["why"]["facts"] == []
    answer = ada.call(GET_USER, '{"user_id": "nobody"}')
    assert answer["why"]["sentence"][0] == "There is no user 'nobody'."
    assert answer["why"]["facts"] == [["ResourceInfo", "resource_type user, resource_name nobody"]]


def test_another_method_does_not_show_the_answer_of_the_former(ada):
    answer = ada.call(GET_USER, '{"user_id": "user123"}')
    ada.model.select(GET_USER)
    assert ada.model.state["answer"] == answer
    ada.model.select(LIST_USERS)
    assert ada.model.state["answer"] == {**answers.NONE, "hint": "Fill in the request and press Call."}
    assert ada.model.state["rows"] == 1


def test_a_demo_that_was_given_lives_as_long_as_the_widget(models):
    demo = explorer.demo.start()
    ear = models(demo_place(demo))
    ear.model.start()
    sign_in(ear, demo)
    del demo
    gc.collect()
    assert ear.call(GET_USER, '{"user_id": "user123"}')["badge"] == "OK"
    ear.model.place.demo.stop()


def test_a_scope_is_named_only_where_the_details_name_it(models, demo):
    ear = models(demo_place(demo))
    ear.model.start()
    sign_in(ear, demo, "bob")
    answer = ear.call(GET_USER, '{"user_id": "user123"}')
    assert answer["badge"] == "PERMISSION_DENIED"
    assert answer["why"]["title"] == "The token lacks a scope."
    assert answer["why"]["sentence"][:2] == ["GetUser needs ", {"wire": "read:users"}]
    assert answer["why"]["action"] == {"label": "Sign in as someone else", "command": "someone_else"}
    ear.model.command({"command": "someone_else"})
    assert ear.until_gate("sign in")["leave"]
    sign_in(ear, demo)
    assert ear.model.state["answer"]["state"] == "none"  # it spoke of bob's token
    assert ear.call(GET_USER, '{"user_id": "user123"}')["badge"] == "OK"
    assert ear.model.state["rows"] == 2


def test_a_sign_in_given_up_leads_back_to_what_was_there(ada):
    ada.model.command({"command": "sign_in_again"})
    ada.until_gate("sign in")
    ada.forget()
    ada.model.command({"command": "sign_in", "method": "browser"})
    ada.message("page")
    ada.model.command({"command": "cancel_sign_in"})
    ada.open()
    assert ada.message("nothing")
    assert ada.call(GET_USER, '{"user_id": "user123"}')["badge"] == "OK"


def test_a_consent_that_is_refused_is_one_sentence_and_the_button_is_back(models, demo, person):
    ear = models(demo_place(demo))
    ear.model.start()
    ear.model.command({"command": "sign_in", "method": "browser"})
    person.sign_in_at(ear.message("page")["url"], allow=False, follow=True)
    gate = ear.until(lambda: ear.model.state["gate"].get("sentence"))["gate"]
    assert gate["kind"] == "sign in"
    assert "access_denied" in gate["sentence"]


def test_an_authorization_server_that_is_not_there_is_one_sentence(models, demo):
    grant = Grant(issuer="http://127.0.0.1:9", client_id="notebook")
    ear = models(Place(target=demo.target, root_certificates=demo.root_certificates, grant=grant))
    ear.model.start()
    ear.model.command({"command": "sign_in", "method": "browser"})
    gate = ear.until(lambda: ear.model.state["gate"].get("sentence"))["gate"]
    assert gate["kind"] == "sign in"
    assert "127.0.0.1:9" in gate["sentence"]


def test_nothing_listening_is_one_sentence_and_trying_again_works(models, demo_factory):
    demo = demo_factory()
    demo.stop_grpc()
    ear = models(Place(target=demo.target, root_certificates=demo.root_certificates))
    ear.model.start()
    gate = ear.until_gate("retry")
    assert gate["title"] == f"No connection to {demo.target}"
    assert demo.target in gate["sentence"]
    demo.start_grpc()
    ear.model.command({"command": "connect"})
    ear.open()


def test_reflection_that_is_off_is_said_and_trying_again_works(models, demo_factory):
    demo = demo_factory(reflection="off")
    ear = models(Place(target=demo.target, root_certificates=demo.root_certificates))
    ear.model.start()
    gate = ear.until_gate("retry")
    assert gate["title"] == f"{demo.target} does not say what it serves"
    demo.set_reflection("open")
    ear.model.command({"command": "connect"})
    ear.open()


def test_without_a_token_the_server_says_so_and_nothing_is_made_up(models, demo):
    ear = models(Place(target=demo.target, root_certificates=demo.root_certificates))
    ear.model.start()
    ear.open()
    answer = ear.call(GET_USER, '{"user_id": "user123"}')
    assert (answer["badge"], answer["why"]["title"]) == ("UNAUTHENTICATED", "GetUser wants a token.")
    assert answer["why"]["action"] is None
    assert ear.model.state["account"]["phase"] == "none"


@pytest.mark.parametrize(
    ("request_text", "field", "words"),
    [
        ('{"user_id": 5}', "user_id", "user_id"),
        ('{"user": "x"}', "user", "user_id"),
        ("{", "", "JSON"),
    ],
)
def test_a_wrong_request_is_named_and_not_sent(ada, demo, request_text, field, words):
    before = calls(demo)
    answer = ada.call(GET_USER, request_text)
    assert answer["badge"] == "not sent"
    assert words in answer["why"]["sentence"][0]
    assert list(ada.model.state["problems"]) == ([field] if field else [])
    assert calls(demo) == before
    assert ada.call(GET_USER, '{"user_id": "user123"}')["badge"] == "OK"


def test_a_server_that_goes_leaves_the_button_and_the_rows(models, demo_factory):
    demo = demo_factory()
    ear = models(demo_place(demo))
    ear.model.start()
    sign_in(ear, demo)
    ear.call(GET_USER, '{"user_id": "user123"}')
    demo.stop_grpc()
    answer = ear.call(GET_USER, '{"user_id": "user123"}', timeout=2)
    assert answer["badge"] != "OK"
    assert answer["why"]["sentence"]
    assert not ear.model.state["busy"]
    assert len(ear.model.calling.responses) >= 1
    demo.start_grpc()
    assert ear.call(GET_USER, '{"user_id": "user123"}')["badge"] == "OK"


def test_one_call_at_a_time(ada):
    turn = ada.model.calling.take()
    assert ada.model.calling.take() is None
    ada.model.calling.release(turn)
    assert ada.model.calling.take() is not None


def test_a_call_that_is_stopped_before_it_began_sends_nothing(ada, demo):
    calling, before = ada.model.calling, calls(demo)
    turn = calling.take()
    calling.stop()
    content = {"method": GET_USER, "request": '{"user_id": "user123"}', "timeout": 5}
    ask = Ask(content, preamble="", scope=None, may_sign_in=True)
    calling.run(turn, lambda: ada.model.session[GET_USER], ask)
    assert not ada.model.state["busy"]
    answer = ada.model.state["answer"]
    assert (answer["badge"], answer["why"]["title"], answer["tone"]) == ("CANCELLED", "Stopped.", "late")
    assert calls(demo) == before


def test_a_stream_shows_as_it_comes_and_stops_when_told(ada):
    ada.model.command({"command": "call", "method": "grpc.health.v1.Health.Watch", "request": "{}", "timeout": 30})
    live = ada.until(lambda: ada.model.state["answer"]["table"])["answer"]
    assert (live["state"], live["badge"], live["table"]["total"]) == ("calling", "running", 1)
    assert ada.model.state["busy"]
    ada.model.command({"command": "stop"})
    answer = ada.answered()
    assert (answer["badge"], answer["why"]["title"], answer["why"]["tone"]) == ("CANCELLED", "Stopped.", "late")
    assert answer["table"]["total"] == 1
    assert list(ada.model.calling.responses.frame()["status_code"]) == ["OK", "CANCELLED"]


def test_refresh_renews_the_token_and_the_clock_starts_again(ada, demo):
    before = demo.counters()["token_requests"]["refresh_token"]
    ada.forget()
    ada.model.command({"command": "refresh"})
    ada.until(lambda: demo.counters()["token_requests"]["refresh_token"] > before)
    clock = ada.message("clock")
    assert clock["lifetime"] == 300
    assert 290 < clock["remaining"] <= 300


def test_a_dead_grant_is_sign_in_again_and_the_page_stays(models, demo_factory):
    demo = demo_factory()
    ear = models(demo_place(demo))
    ear.model.start()
    sign_in(ear, demo)
    demo.kill_refresh_tokens("notebook")
    ear.model.command({"command": "refresh"})
    ear.until(lambda: ear.model.state["account"]["last_error"])
    assert not ear.model.state["shut"]


def test_s17_sign_out_revokes_and_the_widget_asks_again(ada, demo):
    before = demo.counters()["revocations"]
    tokens = ada.model.tokens
    ada.call(GET_USER, '{"user_id": "user123"}')
    ada.model.command({"command": "sign_out"})
    ada.until_gate("sign in")
    assert ada.model.state["answer"]["state"] == "none", "whoever comes next is not shown it"
    assert ada.model.state["rows"] == 1, "but it stays collected"
    assert ada.model.state["account"]["phase"] == "signed out"
    assert (ada.model.tokens, ada.model.session) == (None, None)
    settled(ada.model)
    assert tokens.state.phase == "sign in again"
    assert sum(demo.counters()["revocations"].values()) > sum(before.values())


def test_a_session_that_was_given_is_used_and_not_closed(models, ada, demo):
    session = ada.model.session
    other = models(session=session)
    other.model.start()
    other.open()
    assert other.call(GET_USER, '{"user_id": "user123"}')["badge"] == "OK"
    assert "widget.session" in other.model.code
    other.model.close()
    assert session[GET_USER](user_id="user123").ok


def test_with_nothing_it_offers_the_demo_and_starts_it(models, demo):
    ear = models(start_demo=lambda: demo)
    ear.model.start()
    assert ear.until_gate("offer")["demo"]
    ear.model._close_own = lambda: None  # the run's own demo: not this test's to stop
    ear.model.command({"command": "start_demo"})
    assert ear.until_gate("sign in")["client_id"] == "notebook"


def test_a_demo_that_does_not_start_says_why(models):
    def start():
        raise RuntimeError("no ports left")

    ear = models(start_demo=start)
    ear.model.start()
    ear.model.command({"command": "start_demo"})
    assert "no ports left" in ear.until(lambda: ear.model.state["gate"].get("sentence"))["gate"]["sentence"]


def test_closing_ends_threads_listeners_and_the_sign_in(models, demo):
    ear = models(demo_place(demo))
    ear.model.start()
    sign_in(ear, demo)
    tokens = ear.model.tokens
    assert ear.model._worker._threads
    settled(ear.model)
    assert tokens.state.phase == "sign in again"
    ear.forget()
    ear.model.command({"command": "refresh"})
    assert ear.heard == []


@pytest.mark.parametrize(
    "options",
    [
        {"issuer": "https://a.test"},
        {"target": "a:1", "issuer": "https://a.test"},
        {"session": object()},
        {"token_source": object()},
        {"target": "a:1", "issuer": "https://a.test", "client_id": "x", "token_source": object()},
    ],
)
def test_what_does_not_go_together_is_said_at_once(options):
    with pytest.raises(ConfigurationError):
        explore(**options)


def test_what_is_neither_session_nor_demo_nor_target_is_told_of_the_target():
    with pytest.raises(ConfigurationError, match=r"not int\. .*: explorer\.explore\(target='host:port'\)\.$"):
        explore(50051)


@pytest.mark.parametrize("given", [{"session": "localhost:1"}, {"target": "localhost:1"}], ids=["alone", "by name"])
def test_text_is_a_target_and_the_explorer_of_it_says_so(given):
    widget = explore(**given)
    try:
        assert repr(widget) == "<Explorer of localhost:1, shown in a notebook: 0 rows in .responses>"
    finally:
        widget.close()


def test_an_explorer_of_a_session_names_its_target_at_once(demo):
    with explorer.connect(demo.target, root_certificates=demo.root_certificates) as session:
        widget = explore(session)
        assert repr(widget).startswith(f"<Explorer of {demo.target}, shown in a notebook: ")
        widget.close()


def test_with_nothing_at_all_the_demo_is_offered():
    widget = explorer.explore()
    try:
        assert widget._model.state["gate"]["demo"]
        assert repr(widget).startswith("<Explorer of nothing yet, ")
    finally:
        widget.close()


def test_an_issuer_by_hand_is_as_good_as_its_url(models, demo):
    server = AuthorizationServer(
        issuer=demo.issuer, token_endpoint=f"{demo.issuer}/token", authorization_endpoint=f"{demo.issuer}/authorize"
    )
    ear = models(
        Place(
            target=demo.target, root_certificates=demo.root_certificates, grant=Grant(server, "notebook", "read:users")
        )
    )
    ear.model.start()
    assert ear.until_gate("sign in")["host"] in demo.issuer
