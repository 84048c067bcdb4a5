"""Calls of every kind by clicks, and what is kept of them: the model against the real demo."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from canary import found
from person import Person
from widget_ear import GET_USER, LIST_USERS, Ear

import explorer
from explorer import SavedRequests
from explorer.demo import Demo
from explorer.widget.model import Model
from explorer.widget.place import demo_place

DIRECTORY = "explorer.demo.v1.DirectoryService"
LOOK_UP, IMPORT, WATCH = f"{DIRECTORY}.LookUp", f"{DIRECTORY}.ImportUsers", f"{DIRECTORY}.WatchUsers"
REHEARSE = f"{DIRECTORY}.RehearseStatus"
KEY = "canary-of-a-key-0815"


@pytest.fixture(scope="module")
def tokens(demo: Demo) -> Iterator[Any]:
    source = explorer.oauth.client_credentials(
        demo.issuer, client_id="service", client_secret=demo.clients["service"], scope="read:users"
    )
    yield source
    source.sign_out()


@pytest.fixture
def ear(demo: Demo, tokens: Any, tmp_path: Path) -> Iterator[Ear]:
    session = explorer.connect(demo.target, token_source=tokens, root_certificates=demo.root_certificates)
    model = Model(session=session, saved=SavedRequests(tmp_path / "requests.json"))
    model.start()
    listening = Ear(model)
    listening.open()
    yield listening
    model.close()
    session.close()


def send(ear: Ear, method: str, request: Any, **more: Any) -> None:
    text = request if isinstance(request, str) else json.dumps(request)
    content = {"command": "send", "method": method, "request": text, "timeout": 60, "metadata": [], **more}
    ear.model.command(content)


def rows(answer: dict[str, Any], column: str) -> list[Any]:
    place = [one["name"] for one in answer["table"]["columns"]].index(column)
    return [row[place] for row in answer["table"]["rows"]]


def served(demo: Demo, method: str) -> int:
    """How often a method was called, by the server's own count, however it ended."""
    return sum(count for what, count in demo.counters()["methods"].items() if method in what)


def drawer(ear: Ear) -> dict[str, Any]:
    ear.forget()
    ear.model.command({"command": "history", "open": True})
    told: dict[str, Any] = ear.message("history")
    return told


# Streams of requests


def test_messages_are_sent_one_at_a_time_and_answers_come_between(ear: Ear) -> None:
    send(ear, LOOK_UP, {"id": "user123"})
    live = ear.until(lambda: (ear.model.state["answer"]["table"] or {}).get("total") == 1)
    assert live["busy"]
    assert live["answer"]["state"] == "calling"
    assert live["flow"] == {"method": LOOK_UP, "open": True, "sent": 1, "waiting": 0}
    send(ear, LOOK_UP, {"id": "user7"})
    ear.until(lambda: ear.model.state["answer"]["table"]["total"] == 2)
    assert "2 sent · 2 messages" in ear.model.state["answer"]["facts"]
    ear.model.command({"command": "half_close"})
    answer = ear.answered()
    assert answer["badge"] == "OK"
    assert rows(answer, "user.id") == ["user123", "user7"]
    assert ear.model.state["flow"] == {"method": "", "open": False, "sent": 0, "waiting": 0}
    assert '[{"id": "user123"}, {"id": "user7"}]' in answer["code"].replace("\n", "").replace("    ", "")


@pytest.mark.parametrize(
    "text",
    ['[{"id": "user1"}, {"id": "user2"}]', '{"id": "user1"}\n{"id": "user2"}\n', '{"id": "user1"} {"id": "user2"}'],
)
def test_a_list_is_sent_as_array_or_as_lines(ear: Ear, text: str) -> None:
    send(ear, LOOK_UP, text, many=True)
    ear.until(lambda: (ear.model.state["answer"]["table"] or {}).get("total") == 2)
    ear.model.command({"command": "half_close"})
    assert rows(ear.answered(), "user.id") == ["user1", "user2"]


def test_a_message_that_is_none_is_said_and_the_call_goes_on(ear: Ear) -> None:
    send(ear, LOOK_UP, {"id": "user1"})
    ear.until(lambda: (ear.model.state["answer"]["table"] or {}).get("total") == 1)
    send(ear, LOOK_UP, {"idd": "user2"})
    problems = ear.until(lambda: ear.model.state["problems"])["problems"]
    assert "idd" in json.dumps(problems)
    assert ear.model.state["busy"]
    send(ear, LOOK_UP, {"id": "user3"})
    ear.until(lambda: ear.model.state["answer"]["table"]["total"] == 2)
    assert ear.model.state["problems"] == {}
    ear.model.command({"command": "half_close"})
    assert rows(ear.answered(), "user.id") == ["user1", "user3"]


@pytest.mark.parametrize("name", ["x y", "grpc-timeout", "authorization"])
def test_metadata_that_cannot_be_sent_is_said_to_be_not_sent(ear: Ear, name: str) -> None:
    answer = ear.call(GET_USER, '{"user_id": "user1"}', metadata=[[name, "value"]])
    assert (answer["badge"], answer["why"]["title"]) == ("not sent", "Nothing was sent.")


def test_a_first_message_that_is_none_begins_nothing(ear: Ear, demo: Demo) -> None:
    before = served(demo, "/LookUp ")
    send(ear, LOOK_UP, '[{"id": "user1"}, {"id": 5}]', many=True)
    answer = ear.answered()
    assert (answer["badge"], answer["why"]["title"]) == ("not sent", "Nothing was sent.")
    assert "[1]" in next(iter(ear.model.state["problems"]))
    assert served(demo, "/LookUp ") == before


def test_a_client_stream_gives_its_one_answer_after_the_half_close(demo_factory: Any, tmp_path: Path) -> None:
    place = demo_place(demo_factory(), scope="read:users write:users")
    model = Model(place, saved=SavedRequests(tmp_path / "requests.json"))
    model.start()
    ear = Ear(model)
    model.command({"command": "sign_in", "method": "browser"})
    with Person(place.demo) as somebody:
        somebody.sign_in_at(ear.message("page")["url"], "ada", follow=True)
    ear.open()
    send(ear, IMPORT, {"user": {"name": "Zoë"}, "validateOnly": True})
    ear.until(lambda: model.state["flow"]["sent"] == 1)
    send(ear, IMPORT, {"user": {"name": "Bea"}, "validateOnly": True})
    ear.until(lambda: model.state["flow"]["sent"] == 2)
    assert model.state["busy"]
    model.command({"command": "half_close"})
    answer = ear.answered()
    assert answer["badge"] == "OK"
    assert rows(answer, "received") == ["2"]
    assert answer["facts"].startswith("2 sent · ")
    model.close()


def test_a_stream_of_requests_that_is_refused_ends_by_itself(ear: Ear) -> None:
    ear.forget()
    send(ear, IMPORT, {"user": {"name": "Zoë"}, "validateOnly": True})  # this client may not write
    ear.until(lambda: ear.model.state["answer"]["badge"] == "PERMISSION_DENIED" and not ear.model.state["busy"])
    send(ear, IMPORT, {"user": {"name": "Zoë"}})
    ear.until(lambda: ear.model.state["rows"] == 2)


def test_stop_ends_an_open_stream_of_requests_at_the_server(ear: Ear) -> None:
    send(ear, LOOK_UP, {"id": "user1"})
    ear.until(lambda: (ear.model.state["answer"]["table"] or {}).get("total") == 1)
    ear.model.command({"command": "stop"})
    answer = ear.answered()
    assert (answer["badge"], answer["first"]) == ("CANCELLED", "Table")
    assert rows(answer, "user.id") == ["user1"]
    assert not ear.model.state["busy"]


# Streams of answers


def watchers(ear: Ear) -> int:
    """How many watch, as the server says to one more."""
    call = ear.model.session[WATCH](interval="0.01s", maximum_events=1)
    return int(call.messages[0].heartbeat.watchers)


def test_stop_of_an_endless_stream_ends_it_at_the_server_and_shows_what_came(ear: Ear) -> None:
    before = watchers(ear)
    ear.forget()
    ear.model.command(
        {"command": "call", "method": WATCH, "request": '{"interval": "0.01s"}', "timeout": 60, "metadata": []}
    )
    ear.until(lambda: (ear.model.state["answer"]["table"] or {}).get("total", 0) >= 2)
    ear.model.command({"command": "stop"})
    answer = ear.answered()
    assert (answer["badge"], answer["first"], answer["why"]["title"]) == ("CANCELLED", "Table", "Stopped.")
    assert answer["table"]["total"] == len(ear.model.calling.last)
    for _ in range(200):
        if watchers(ear) == before:
            break
    assert watchers(ear) == before


def test_stop_of_a_unary_call_ends_it_at_once(ear: Ear) -> None:
    ear.forget()
    ear.model.command(
        {"command": "call", "method": REHEARSE, "request": '{"delay": "60s"}', "timeout": 100, "metadata": []}
    )
    ear.until(lambda: ear.model.state["busy"])
    ear.model.command({"command": "stop"})
    answer = ear.answered()
    assert answer["badge"] == "CANCELLED"
    last = ear.model.calling.last
    assert last is None or last.elapsed < 50  # None: it had not even begun


def test_everything_is_kept_of_a_long_stream_and_the_end_of_it_is_drawn(ear: Ear) -> None:
    answer = ear.call(LIST_USERS, '{"limit": 5000}')
    assert answer["table"]["total"] == 5000
    assert len(answer["table"]["rows"]) == 200
    assert len(ear.model.calling.responses) == 5000
    assert rows(answer, "id")[-1] == str(ear.model.calling.last.messages[-1].id)


# Metadata, details, texts


def test_bytes_are_typed_as_base64_under_a_name_in_bin(ear: Ear) -> None:
    answer = ear.call(GET_USER, '{"user_id": "user123"}', metadata=[["x-raw-bin", "AP8"], ["x-api-key", KEY]])
    assert answer["badge"] == "OK"
    assert 'base64.b64decode(os.environ["X_RAW_BIN"])' in answer["code"]
    refused = ear.call(GET_USER, '{"user_id": "user123"}', metadata=[["x-raw-bin", f"{KEY}!"]])
    assert refused["badge"] == "not sent"
    assert "not base64" in refused["why"]["sentence"][0]
    assert found([KEY], json.dumps(ear.model.state).encode()) == []


def test_the_call_stands_there_as_three_texts(ear: Ear) -> None:
    answer = ear.call(GET_USER, '{"user_id": "user123"}')
    assert answer["code"].endswith('session["UserService.GetUser"](user_id="user123")\n')
    assert "user_service_pb2_grpc.UserServiceStub(channel)" in answer["stub"]
    assert "-expand-headers" in answer["grpcurl"]
    token = ear.model.tokens.token().access_token.reveal()
    assert found([token], json.dumps(ear.model.state).encode()) == []


def test_sizes_time_and_compression_stand_beside_the_metadata(ear: Ear) -> None:
    known = dict(ear.call(GET_USER, '{"user_id": "user123"}')["metadata"]["call"])
    assert known["sent"] == "1 message, 9 B"
    assert known["came"].startswith("1 message, ")
    assert known["compression of what was sent"] == "none"
    assert known["token"] == "sent"


def test_the_details_of_a_status_are_readable_rows(ear: Ear) -> None:
    kinds = ["DETAIL_QUOTA_FAILURE", "DETAIL_DEBUG_INFO", "DETAIL_HOUSE_POLICY", "DETAIL_UNHEARD_OF"]
    asked = {"code": "RESOURCE_EXHAUSTED", "message": "too many", "details": kinds}
    facts = dict(ear.call(REHEARSE, json.dumps(asked))["why"]["facts"])
    assert facts["QuotaFailure"] == "violations subject calls, description One call too many."
    assert facts["DebugInfo"].startswith("stack_entries act 1; scene 2, ")
    assert "severity SEVERITY_RULE" in facts["HousePolicy"]
    assert facts["Hologram"].startswith("bytes, as base64: ")
    garbage = ear.call(REHEARSE, json.dumps({**asked, "details": ["DETAIL_GARBAGE"]}))
    assert garbage["badge"] == "RESOURCE_EXHAUSTED"


# What was called


def test_every_call_is_in_the_history_and_can_be_shown_again(ear: Ear) -> None:
    ear.call(GET_USER, '{"user_id": "user123"}')
    ear.call(GET_USER, '{"user_id": "nobody"}')
    ear.model.session[GET_USER](user_id="user7")  # from Python, and in it too
    told = drawer(ear)
    assert [(one["label"], one["status"], one["tone"]) for one in told["calls"]] == [
        ("GetUser", "OK", "good"),
        ("GetUser", "NOT_FOUND", "bad"),
        ("GetUser", "OK", "good"),
    ]
    assert list(ear.model.archive.frame()["status_code"]) == ["OK", "NOT_FOUND", "OK"]
    ear.model.command({"command": "show", "number": told["calls"][-1]["number"]})
    ear.until(lambda: ear.model.state["answer"]["badge"] == "OK")
    assert rows(ear.model.state["answer"], "id") == ["user123"]
    assert "user123" in ear.model.code
    assert len(ear.model.calling.responses) == 2  # shown, and not collected once more
    laid_out = ear.message("request")
    assert (laid_out["method"], json.loads(laid_out["request"])) == (GET_USER, {"user_id": "user123"})


def test_call_again_makes_the_same_call_again_with_its_metadata(ear: Ear, demo: Demo) -> None:
    ear.call(LIST_USERS, '{"limit": 3}', metadata=[["x-api-key", KEY]])
    told = drawer(ear)
    assert found([KEY], json.dumps(told).encode()) == []
    before = served(demo, "/ListUsers ")
    ear.forget()
    ear.model.command({"command": "again", "number": told["calls"][0]["number"]})
    answer = ear.until(lambda: ear.model.state["rows"] == 6 and not ear.model.state["busy"])["answer"]
    assert (answer["badge"], answer["table"]["total"]) == ("OK", 3)
    assert served(demo, "/ListUsers ") == before + 1
    assert [call.asked.metadata[0].name for call in ear.model.session.calls] == ["x-api-key", "x-api-key"]


def test_a_stream_of_requests_is_called_again_whole(ear: Ear) -> None:
    send(ear, LOOK_UP, '[{"id": "user1"}, {"id": "user2"}]', many=True)
    ear.model.command({"command": "half_close"})  # before it has begun, as likely as not
    ear.until(lambda: ear.model.state["answer"]["badge"] == "OK")
    told = drawer(ear)
    ear.forget()
    ear.model.command({"command": "again", "number": told["calls"][0]["number"]})
    ear.until(lambda: ear.model.state["rows"] == 4)
    assert rows(ear.answered(), "user.id") == ["user1", "user2"]


def test_a_number_that_nothing_has_is_said(ear: Ear) -> None:
    for command in ("show", "again", "save"):
        ear.model.command({"command": "history", "open": True})
        ear.forget()
        ear.model.command({"command": command, "number": 99, "name": "x"})
        ear.until(lambda: any(name == "history" and "not kept" in value["problem"] for name, value in ear.heard))
    ear.model.command({"command": "again", "number": {"a": []}})
    assert ear.call(GET_USER, '{"user_id": "user123"}')["badge"] == "OK"
    assert ear.model.archive.saved.names == []


def test_while_a_call_goes_on_no_other_is_made(ear: Ear) -> None:
    ear.call(GET_USER, '{"user_id": "user123"}')
    number = drawer(ear)["calls"][0]["number"]
    ear.model.command({"command": "call", "method": WATCH, "request": "{}", "timeout": 60})
    ear.until(lambda: (ear.model.state["answer"]["table"] or {}).get("total"))
    for command in ("show", "again"):
        ear.forget()
        ear.model.command({"command": command, "number": number})
        ear.until(lambda: any(name == "history" and "under way" in value["problem"] for name, value in ear.heard))
    assert ear.model.state["answer"]["method"] == WATCH
    ear.model.command({"command": "stop"})
    assert ear.answered()["badge"] == "CANCELLED"


# What has a name


def test_a_call_is_saved_under_a_name_and_run_with_one_click(ear: Ear) -> None:
    ear.call(GET_USER, '{"user_id": "user123"}', metadata=[["x-request-id", "r-1"]])
    number = drawer(ear)["calls"][0]["number"]
    ear.forget()
    ear.model.command({"command": "save", "number": number, "name": "Ada"})
    told = ear.message("history")
    assert [(one["name"], one["method"], one["problem"]) for one in told["saved"]] == [("Ada", GET_USER, "")]
    assert ear.model.archive.saved["Ada"].metadata == (("x-request-id", "r-1"),)
    ear.forget()
    ear.model.command({"command": "run_saved", "name": "Ada"})
    ear.until(lambda: ear.model.state["rows"] == 2)
    assert rows(ear.answered(), "id") == ["user123"]
    ear.forget()
    ear.model.command({"command": "delete_saved", "name": "Ada"})
    assert ear.message("history")["saved"] == []


def test_what_cannot_be_saved_or_run_is_said_in_the_drawer(ear: Ear) -> None:
    ear.call(GET_USER, '{"user_id": "user123"}', metadata=[["x-api-key", KEY]])
    number = drawer(ear)["calls"][0]["number"]
    ear.forget()
    ear.model.command({"command": "save", "number": number, "name": " "})
    assert "needs a name" in ear.message("history")["problem"]
    ear.forget()
    ear.model.command({"command": "save", "number": number, "name": "with a key"})
    ear.until(lambda: ear.model.archive.saved.names)
    assert found([KEY], ear.model.archive.saved.path.read_bytes()) == []
    ear.forget()
    ear.model.command({"command": "run_saved", "name": "with a key"})
    ear.until(lambda: any(name == "history" and "X_API_KEY" in value["problem"] for name, value in ear.heard))
    ear.model.archive.saved.path.write_text("{")
    ear.forget()
    ear.model.command({"command": "history", "open": True})
    told = ear.message("history")
    assert told["saved"] == []
    assert "is not JSON" in told["problem"]


def test_nothing_is_told_of_the_drawer_while_it_is_shut(ear: Ear) -> None:
    ear.forget()
    ear.call(GET_USER, '{"user_id": "user123"}')
    ear.until(lambda: ear.model.state["calls"] == 1)
    assert not [value for name, value in ear.heard if name == "history"]


# Health


def test_the_health_sign_follows_the_server(demo_factory: Any) -> None:
    demo = demo_factory()
    model = Model(session=explorer.connect(demo.target, root_certificates=demo.root_certificates))
    model.start()
    ear = Ear(model)
    ear.until(lambda: model.state["health"]["status"] == "SERVING")
    demo.stop_grpc()
    state = ear.until(lambda: model.state["health"]["status"] == "unknown")
    assert state["health"]["reason"]
    session = model.session
    model.close()
    session.close()
