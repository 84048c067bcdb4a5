"""Which failed call is made again, and when: the whole table, and what the server asks for."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import grpc
import pytest
from google.protobuf import duration_pb2
from google.rpc import error_details_pb2, status_pb2

from explorer.frames import Options, collect, read_requests, retries
from explorer.frames.retries import ATTEMPTS, Failure, Silence, Throttle, delay_before_next
from explorer.rpc.status import Status, status_of

CODES = [code.name for code in grpc.StatusCode]
NEVER_LEFT = "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Connection refused"
PROTO = """
message Q { int32 n = 1; } message A { int32 n = 1; }
service S {
  rpc Get (Q) returns (A) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc Make (Q) returns (A);
  rpc List (Q) returns (stream A) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc Pour (Q) returns (stream A);
}
"""


def failure(code: str, details: str = "the server's words", *, begun: bool = False, **trailing: Any) -> Failure:
    number = grpc.StatusCode[code].value[0]
    pairs = tuple((key.replace("_", "-"), value) for key, value in trailing.items())
    return Failure(Status(code, number, details), details, pairs, begun)


def again(
    failed: Failure,
    attempts: int = 1,
    *,
    safe: bool = True,
    throttle: Throttle | None = None,
    silence: Silence | None = None,
) -> float | None:
    throttle, silence = throttle or Throttle(), silence or Silence(1000)
    return delay_before_next(failed, attempts, safe=safe, throttle=throttle, silence=silence)


@pytest.mark.parametrize("streaming", [False, True], ids=["unary", "stream"])
@pytest.mark.parametrize("safe", [True, False], ids=["safe", "unsafe"])
@pytest.mark.parametrize("code", CODES)
class TestTable:
    def test_what_the_server_said(self, code: str, safe: bool, streaming: bool, site) -> None:
        """At a real server, which fails twice and then answers: 17 codes, safe or not, one answer or a stream."""
        here, calls = site(PROTO), []
        name = {(True, False): "Get", (False, False): "Make", (True, True): "List", (False, True): "Pour"}[
            safe, streaming
        ]

        def handler(request: Any, context: grpc.ServicerContext) -> Any:
            calls.append(request.n)
            if len(calls) <= 2 and code != "OK":
                context.abort(grpc.StatusCode[code], "not yet")
            return [{"n": 7}] if streaming else {"n": 7}

        here.serve(**{name: handler})
        method = here.method(f"S.{name}")
        options = Options(progress=False, timeout=60)
        frame = collect(here.connection(), method, read_requests(method.input_type, None, {"n": 1}), options=options)
        repeated = safe and code in {"UNAVAILABLE", "RESOURCE_EXHAUSTED"}
        assert len(calls) == (3 if repeated else 1)
        assert frame["status_code"].tolist() == ["OK" if repeated else code]

    def test_what_provably_was_not_processed(self, code: str, safe: bool, streaming: bool) -> None:
        failed = failure(code, NEVER_LEFT)
        repeated = code == "UNAVAILABLE" or (safe and code == "RESOURCE_EXHAUSTED")
        assert (again(failed, safe=safe) is not None) is repeated
        assert again(failure(code, NEVER_LEFT, begun=True), safe=safe) is None, "a stream that has begun"


def test_waits_grow_from_a_tenth_of_a_second_to_two_and_then_it_is_enough() -> None:
    for attempts, wait in zip(range(1, ATTEMPTS), [0.1, 0.2, 0.4, 0.8], strict=True):
        seen = [again(failure("UNAVAILABLE"), attempts) for _ in range(200)]
        assert all(wait * 0.8 <= each <= wait * 1.2 for each in seen if each is not None)
        assert None not in seen
        assert max(seen) > wait > min(seen), "jitter spreads them"
    assert again(failure("UNAVAILABLE"), ATTEMPTS) is None
    assert again(failure("UNAVAILABLE", grpc_retry_pushback_ms="0"), ATTEMPTS) is None, "whatever the server says"


def test_the_server_says_when() -> None:
    assert again(failure("UNAVAILABLE", grpc_retry_pushback_ms="1500")) == 1.5
    assert again(failure("UNAVAILABLE", grpc_retry_pushback_ms="0")) == 0


@pytest.mark.parametrize("text", ["-1", "soon", "", "1e3", "99999999999"])
def test_the_server_says_never(text: str) -> None:
    assert again(failure("UNAVAILABLE", grpc_retry_pushback_ms=text)) is None


def test_retry_info_is_waited_for() -> None:
    packed = status_pb2.Status(code=8)
    packed.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=7)))
    trailing = (("grpc-status-details-bin", packed.SerializeToString()),)
    status = status_of(grpc.StatusCode.RESOURCE_EXHAUSTED, "slow down", trailing)
    assert again(Failure(status, "slow down", trailing)) == 7


def test_a_message_that_is_too_large_will_be_so_again() -> None:
    assert (
        again(failure("RESOURCE_EXHAUSTED", "CLIENT: Received message larger than max (5000000 vs. 4194304)")) is None
    )


def test_a_refused_stream_was_not_processed() -> None:
    refused = failure("UNAVAILABLE", "Received RST_STREAM with error code 7")
    assert again(refused, safe=False) is not None
    assert again(failure("UNAVAILABLE", "Received RST_STREAM with error code 2"), safe=False) is None


def test_where_too_many_fail_none_is_made_again() -> None:
    throttle = Throttle()
    allowed = itertools.takewhile(
        lambda wait: wait is not None, (again(failure("UNAVAILABLE"), throttle=throttle) for _ in itertools.count())
    )
    assert len(list(allowed)) == 499
    assert again(failure("UNAVAILABLE"), throttle=throttle) is None
    for _ in range(100):
        throttle.succeeded()
    assert again(failure("UNAVAILABLE"), throttle=throttle) is not None


def test_the_throttle_counts_only_what_another_attempt_might_mend() -> None:
    throttle = Throttle()
    for _ in range(2_000):
        again(failure("NOT_FOUND"), throttle=throttle)
    assert throttle.allows


def test_a_server_that_wants_no_retry_counts_whatever_its_status() -> None:
    throttle = Throttle()
    for _ in range(500):
        again(failure("NOT_FOUND", grpc_retry_pushback_ms="-1"), throttle=throttle)
    assert not throttle.allows


def test_an_outage_in_one_run_takes_no_retry_from_the_next(site) -> None:
    here, seen = site(PROTO), set()

    def get(request: Any, context: grpc.ServicerContext) -> Any:
        if request.n < 0 or request.n not in seen:
            seen.add(request.n)
            context.set_trailing_metadata((("grpc-retry-pushback-ms", "0"),))
            context.abort(grpc.StatusCode.UNAVAILABLE, "down")
        return {"n": request.n}

    here.serve(Get=get)
    method, connection = here.method("S.Get"), here.connection()

    def codes(numbers: Any) -> set[str]:
        read = read_requests(method.input_type, None, {"n": numbers})
        return set(collect(connection, method, read, options=Options(progress=False))["status_code"])

    assert codes(range(-110, 0)) == {"UNAVAILABLE"}, "the throttle holds in the end: five times 110 are more than 500"
    assert codes(range(20)) == {"OK"}


class TestSilence:
    def test_it_is_long_after_ten_seconds_and_eight_failures_of_each_call_under_way(self) -> None:
        now = [100.0]
        silence = Silence(2, lambda: now[0])
        assert all(again(failure("UNAVAILABLE"), silence=silence) is not None for _ in range(15))
        now[0] += 10
        assert again(failure("UNAVAILABLE"), silence=silence) is None, "the sixteenth"
        assert not Silence(2, lambda: now[0]).is_long

    def test_before_ten_seconds_are_over_it_is_a_restart(self) -> None:
        now = [100.0]
        silence = Silence(2, lambda: now[0])
        assert all(again(failure("UNAVAILABLE"), silence=silence) is not None for _ in range(100))
        now[0] += 9.9
        assert again(failure("UNAVAILABLE"), silence=silence) is not None

    @pytest.mark.parametrize(
        "answer",
        [
            *(failure(code) for code in CODES if code not in {"OK", "UNAVAILABLE"}),
            failure("UNAVAILABLE", grpc_retry_pushback_ms="1500"),
            None,
        ],
        ids=lambda answer: answer and answer.status.code,
    )
    def test_any_answer_breaks_it(self, answer: Failure | None) -> None:
        now = [100.0]
        silence = Silence(1, lambda: now[0])
        for _ in range(8):
            silence.note(failure("UNAVAILABLE"))
        now[0] += 10
        assert silence.is_long
        if answer is None:
            silence.broken()
        else:
            again(answer, silence=silence)
        assert again(failure("UNAVAILABLE"), silence=silence) is not None
        now[0] += 9
        assert again(failure("UNAVAILABLE"), silence=silence) is not None, "it begins anew"

    def test_a_server_that_is_gone_is_not_waited_for_by_each_request(self, site, monkeypatch) -> None:
        here = site(PROTO)
        gone = threading.Thread(target=lambda: here.server.stop(None))

        def get(request: Any, _context: Any) -> dict[str, int]:
            if request.n == 20:
                gone.start()
            return {"n": request.n}

        here.serve(Get=get)
        monkeypatch.setattr(retries, "_SILENCE", 0.5)
        method = here.method("S.Get")
        read = read_requests(method.input_type, None, {"n": range(200)})
        frame = collect(here.connection(), method, read, options=Options(progress=False, concurrency=2))
        gone.join()
        lost = frame[frame["status_code"] != "OK"]
        assert len(lost) >= 150
        often = lost["elapsed"] >= 1.2  # what four waits take at least: 0.1, 0.2, 0.4 and 0.8 s, less a fifth
        assert often.sum() <= 50, "the throttle alone stops at the hundredth"


def test_a_wait_beyond_the_deadline_is_no_wait(site) -> None:
    here, calls = site(PROTO), []

    def get(request: Any, context: grpc.ServicerContext) -> Any:
        calls.append(1)
        context.set_trailing_metadata((("grpc-retry-pushback-ms", "3600000"),))
        context.abort(grpc.StatusCode.UNAVAILABLE, "in an hour")

    here.serve(Get=get)
    method = here.method("S.Get")
    read = read_requests(method.input_type, None, {"n": 1})
    frame = collect(here.connection(), method, read, options=Options(progress=False, timeout=60))
    assert len(calls) == 1
    assert frame["details"].tolist() == ["in an hour"]


def test_idempotent_is_what_the_person_says(site) -> None:
    here, calls = site(PROTO), []

    def make(request: Any, context: grpc.ServicerContext) -> Any:
        calls.append(1)
        if len(calls) == 1:
            context.abort(grpc.StatusCode.UNAVAILABLE, "")
        return {"n": 1}

    here.serve(Make=make, Get=make)
    for name, idempotent, expected in (("Make", True, "OK"), ("Get", False, "UNAVAILABLE")):
        calls.clear()
        method = here.method(f"S.{name}")
        options = Options(progress=False, idempotent=idempotent)
        frame = collect(here.connection(), method, read_requests(method.input_type, None, {"n": 1}), options=options)
        assert frame["status_code"].tolist() == [expected]
