"""Clock, counters and bad days, over the control pipe."""

import socket
import threading
import time

import httpx
import pytest

from explorer.demo import DemoError


def test_the_clock_is_both_servers(make_by_hand, refused):
    by_hand = make_by_hand()
    token = by_hand.service_token()
    assert by_hand.get_user(token).id == "user123"
    by_hand.demo.advance(301)
    with refused() as answer:
        by_hand.get_user(token)
    assert answer.reason == "TOKEN_EXPIRED"
    assert by_hand.get_user(by_hand.service_token()).id == "user123"
    by_hand.demo.set_clock(0)
    assert by_hand.get_user(token).id == "user123"
    assert by_hand.demo.now() == pytest.approx(time.time(), abs=60)
    assert by_hand.demo.set_clock(-3600) == pytest.approx(time.time() - 3600, abs=60)


def test_counters_say_what_the_servers_saw(make_by_hand, refused):
    by_hand = make_by_hand()
    assert by_hand.demo.counters()["token_requests"]["client_credentials"] == 0
    token = by_hand.service_token()
    by_hand.token(("service", "wrong"), grant_type="client_credentials")
    by_hand.get_user(token)
    with refused():
        by_hand.get_user(None)
    counters = by_hand.demo.counters()
    assert counters["token_requests"] == {"client_credentials": 2}
    assert counters["token_responses"] == {"ok": 1, "invalid_client": 1}
    assert counters["rpc"] == {"OK": 1, "UNAUTHENTICATED": 1}
    assert counters["methods"]["/UserService/GetUser OK"] == 1


def test_what_was_issued_is_listed_without_its_value(make_by_hand):
    by_hand = make_by_hand(token_lifetime=5)
    token = by_hand.sign_in()
    issued = by_hand.demo.issued()[-1]
    assert (issued["client_id"], issued["subject"], issued["grant_type"]) == ("notebook", "ada", "authorization_code")
    assert issued["expiry"] - issued["issued_at"] == issued["expires_in"] == token["expires_in"] == 5
    assert token["access_token"] not in str(issued)


def test_a_token_lifetime_can_be_set_for_all_and_for_one(make_by_hand):
    by_hand = make_by_hand(token_lifetime=100)
    by_hand.demo.set_token_lifetime(5, "notebook")
    assert by_hand.sign_in()["expires_in"] == 5
    service = {"auth": ("service", "service-secret"), "grant_type": "client_credentials"}
    assert by_hand.token(**service).json()["expires_in"] == 100
    by_hand.demo.set_token_lifetime(2.5)
    assert by_hand.token(**service).json()["expires_in"] == 2.5
    assert by_hand.sign_in()["expires_in"] == 5


@pytest.mark.parametrize(
    ("kind", "status", "mimetype"),
    [
        ("unavailable", 503, "text/plain"),
        ("too_many_requests", 429, "text/plain"),
        ("html", 200, "text/html"),
        ("server_error", 400, "application/json"),
    ],
)
def test_the_token_endpoint_fails_as_often_as_asked(make_by_hand, kind, status, mimetype):
    by_hand = make_by_hand()
    by_hand.demo.fail_token_requests(kind, count=2, retry_after="7")
    service = {"auth": ("service", "service-secret"), "grant_type": "client_credentials"}
    for _ in range(2):
        answer = by_hand.token(**service)
        assert answer.status_code == status
        assert answer.headers["Content-Type"].startswith(mimetype)
        assert answer.headers["Retry-After"] == "7"
    assert by_hand.token(**service).json()["token_type"] == "Bearer"
    assert by_hand.demo.counters()["token_requests"]["client_credentials"] == 3


def test_planned_failures_can_be_taken_back(make_by_hand):
    by_hand = make_by_hand()
    by_hand.demo.fail_token_requests("unavailable", count=100)
    by_hand.demo.fail_token_requests("unavailable", count=0)
    assert by_hand.service_token()


def test_a_lost_answer_was_processed_all_the_same(make_by_hand):
    by_hand = make_by_hand()
    refresh_token = by_hand.sign_in()["refresh_token"]
    by_hand.demo.fail_token_requests("lost", seconds=60)
    with pytest.raises(httpx.ReadTimeout):
        by_hand.http.post(
            "/token",
            data={"grant_type": "refresh_token", "client_id": "notebook", "refresh_token": refresh_token},
            timeout=1,
        )
    while not by_hand.demo.counters()["refreshes"].get("notebook"):
        pass  # the request is there, and not yet read
    assert by_hand.demo.counters()["refreshes"]["notebook"] == 1
    assert by_hand.refresh(refresh_token).json()["error"] == "invalid_grant"


def test_a_slow_answer_comes_at_last(make_by_hand):
    by_hand = make_by_hand()
    by_hand.demo.fail_token_requests("slow", seconds=0.3)
    begun = time.monotonic()
    assert by_hand.service_token()
    assert time.monotonic() - begun >= 0.3


def test_held_requests_wait_for_their_release(make_by_hand):
    by_hand = make_by_hand()
    by_hand.demo.hold_token_requests()
    tokens: list[str] = []
    waiting = threading.Thread(target=lambda: tokens.append(by_hand.service_token()))
    waiting.start()
    while by_hand.demo.counters()["held"]["token_requests"] == 0:
        assert waiting.is_alive()
    assert tokens == []
    by_hand.demo.release_token_requests()
    waiting.join()
    assert len(tokens) == 1


def test_the_grpc_server_can_go_and_come_back(make_by_hand, refused):
    by_hand = make_by_hand()
    token = by_hand.service_token()
    assert by_hand.get_user(token).id == "user123"
    by_hand.demo.stop_grpc()
    with refused() as answer:
        by_hand.get_user(token)
    assert answer.code == "UNAVAILABLE"
    by_hand.demo.start_grpc()
    assert by_hand.get_user(token, wait_for_ready=True).id == "user123"


def test_while_it_is_away_nobody_else_is_given_its_port(make_by_hand):
    by_hand = make_by_hand()
    port = int(by_hand.demo.target.rpartition(":")[2])
    by_hand.demo.stop_grpc()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))


def test_a_command_that_makes_no_sense_says_so_and_the_demo_goes_on(make_by_hand):
    by_hand = make_by_hand()
    with pytest.raises(DemoError, match="unknown kind of fault 'nonsense'"):
        by_hand.demo.fail_token_requests("nonsense")
    with pytest.raises(DemoError, match="above 0"):
        by_hand.demo.set_token_lifetime(0)
    with pytest.raises(DemoError, match="'sometimes'"):
        by_hand.demo.set_reflection("sometimes")
    with pytest.raises(DemoError, match="unknown command"):
        by_hand.demo._command("stop")
    assert by_hand.service_token()
