"""Every request ends as exactly one row, whatever happens on the way."""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pandas as pd
import pyarrow as pa
import pytest
from google.protobuf import message_factory
from other_grpcio import shut_the_door_to_core

from explorer.clock import SYSTEM_CLOCK
from explorer.errors import (
    AuthorizationServerUnavailableError,
    ConfigurationError,
    ConnectionFailedError,
    RpcStatusError,
    SignInRequiredError,
)
from explorer.frames import Options, collect, read_requests, runs
from explorer.reuse import ReuseTokenSource
from explorer.rpc import Connection
from explorer.tokens import Secret, StaticTokenSource, Token

PROTO = """
message Q { int32 n = 1; string text = 2; }
message A { int32 twice = 1; optional string note = 2; }
service S { rpc Get (Q) returns (A); rpc List (Q) returns (stream A); rpc Up (stream Q) returns (A); }
"""
TIMES = """
import "google/protobuf/timestamp.proto";
message Q { int32 n = 1; google.protobuf.Timestamp since = 2; }
message A { int32 n = 1; google.protobuf.Timestamp at = 2; }
service S { rpc Get (Q) returns (A); rpc List (Q) returns (stream A); }
"""
QUIET = Options(progress=False)


def rows(
    site: Any,
    connection: Connection,
    source: Any = None,
    method: str = "S.Get",
    options: Options = QUIET,
    **fields: Any,
):
    found = site.method(method)
    return collect(connection, found, read_requests(found.input_type, source, fields), options=options)


def token(text: str) -> Token:
    return Token(Secret(text), SYSTEM_CLOCK.now(), 300)


def bearer(context: grpc.ServicerContext) -> str | None:
    return dict(context.invocation_metadata()).get("authorization")


def doubling(request: Any, _context: Any) -> dict[str, int]:
    return {"twice": 2 * request.n}


class TestUnary:
    def test_one_row_per_request_in_order_with_columns_of_the_descriptors(self, site) -> None:
        here = site(PROTO)
        here.serve(Get=doubling)
        frame = rows(here, here.connection(), n=range(300))
        assert list(frame.columns) == [
            "request.n",
            "request.text",
            "twice",
            "note",
            "status_code",
            "details",
            "elapsed",
        ]
        assert frame["request.n"].tolist() == list(range(300))
        assert frame["twice"].tolist() == [2 * n for n in range(300)]
        assert (frame["status_code"] == "OK").all()
        assert frame["details"].isna().all()
        assert (frame["elapsed"] > 0).all()
        assert frame.index.equals(pd.RangeIndex(300))

    def test_the_index_of_the_input_is_kept(self, site) -> None:
        here = site(PROTO)
        here.serve(Get=doubling)
        index = pd.MultiIndex.from_tuples([("a", 1), ("b", 2), ("b", 2)], names=["letter", "digit"])
        frame = rows(here, here.connection(), pd.DataFrame({"n": [1, 2, 3]}, index=index))
        assert frame.index.equals(index)
        assert frame.index.names == ["letter", "digit"]

    def test_no_requests_give_no_rows_and_the_same_columns(self, site) -> None:
        here = site(PROTO)
        here.serve(Get=doubling)
        some, none = (rows(here, here.connection(), n=n) for n in ([1], []))
        assert len(none) == 0
        assert none.dtypes.to_dict() == some.dtypes.to_dict()

    def test_an_error_is_its_requests_row_and_stops_no_other(self, site) -> None:
        here = site(PROTO)

        def get(request, context):
            if request.n % 7 == 3:
                context.abort(grpc.StatusCode.NOT_FOUND, f"no \x1b[31m{request.n}")
            return doubling(request, context)

        here.serve(Get=get)
        frame = rows(here, here.connection(), n=range(100))
        failed = frame[frame["status_code"] != "OK"]
        assert failed["request.n"].tolist() == list(range(3, 100, 7))
        assert set(failed["status_code"]) == {"NOT_FOUND"}
        assert failed["details"].iloc[0] == "no \\x1b[31m3"
        assert failed["twice"].isna().all()
        assert frame["twice"].notna().sum() == 100 - len(failed)

    def test_on_error_raise_ends_the_run_and_keeps_what_came(self, site) -> None:
        here = site(PROTO)
        asked = []

        def get(request, context):
            asked.append(request.n)
            if request.n == 5:
                context.abort(grpc.StatusCode.NOT_FOUND, "five.")
            return doubling(request, context)

        here.serve(Get=get)
        options = Options(progress=False, on_error="raise", concurrency=1)
        with pytest.raises(RpcStatusError, match="five") as caught:
            rows(here, here.connection(), n=range(50), options=options)
        assert caught.value.status.code == "NOT_FOUND"
        assert str(caught.value).endswith("NOT_FOUND: five.")
        assert asked == [0, 1, 2, 3, 4, 5]
        partial = caught.value.partial
        assert partial["status_code"].tolist() == ["OK"] * 5 + ["NOT_FOUND"] + ["CANCELLED"] * 44
        assert partial["elapsed"].isna().sum() == 44

    def test_an_answer_that_does_not_decode_is_its_own_row(self, site) -> None:
        here = site(PROTO)
        here.serve(Get=lambda request, _: b"\x08" if request.n == 1 else {"twice": 1})
        frame = rows(here, here.connection(), n=range(3))
        assert frame["status_code"].tolist() == ["OK", "INTERNAL", "OK"]
        assert frame["details"].iloc[1].startswith("1 bytes are not a A")
        assert frame["twice"].isna().tolist() == [False, True, False]

    def test_nanoseconds_on_request_and_what_they_cannot_hold_is_its_own_row(self, site) -> None:
        here = site(TIMES)
        seconds = [1, 9_223_372_037, 2]
        here.serve(Get=lambda request, _: {"at": {"seconds": seconds[request.n], "nanos": 1_001}})
        frame = rows(here, here.connection(), n=[0, 1, 2], options=Options(progress=False, time_unit="ns"))
        assert frame["at"].dtype.pyarrow_dtype == pa.timestamp("ns", "UTC")
        assert frame["at"].iloc[[0, 2]].astype("int64").tolist() == [1_000_001_001, 2_000_001_001]
        assert frame["status_code"].tolist() == ["OK", "INTERNAL", "OK"]
        assert "a Timestamp of 9223372037 seconds is outside what Timestamp may hold in ns" in frame["details"].iloc[1]
        usual = rows(here, here.connection(), n=[0, 1, 2])
        assert usual["status_code"].eq("OK").all()
        assert usual["at"].astype("int64").tolist() == [second * 10**6 + 1 for second in seconds]

    @pytest.mark.parametrize("unit", ["s", "ms", "", None])
    def test_no_other_unit_of_time(self, unit: Any) -> None:
        with pytest.raises(ConfigurationError, match="time_unit is 'us' or 'ns'"):
            Options(time_unit=unit)

    def test_a_request_that_no_column_holds_has_its_answer_and_costs_no_other_row(self, site) -> None:
        here = site(TIMES)
        here.serve(Get=lambda request, _: {"n": request.n}, List=lambda request, _: ({"n": request.n} for _ in "ab"))
        new = message_factory.GetMessageClass(here.method().input_type)
        for method, each in (("S.Get", 1), ("S.List", 2)):
            asked = [new(n=n, since={"seconds": 10**15 if n == 1 else n}) for n in range(3)]
            frame = rows(here, here.connection(), asked, method)
            assert frame["n"].tolist() == sorted([0, 1, 2] * each)
            assert frame["status_code"].eq("OK").all()
            odd = frame.loc[1:1]
            assert odd["request.n"].isna().all()
            assert odd["details"].str.startswith("The request is in no column: ").all()
            assert frame.drop(1)["details"].isna().all()

    def test_each_call_has_a_deadline(self, site) -> None:
        here, never = site(PROTO), threading.Event()
        here.serve(Get=lambda request, context: never.wait() if request.n == 1 else doubling(request, context))
        frame = rows(here, here.connection(), n=[0, 1], options=Options(progress=False, timeout=0.3))
        never.set()
        assert frame["status_code"].tolist() == ["OK", "DEADLINE_EXCEEDED"]
        assert "0.3 s" in frame["details"].iloc[1]

    def test_no_more_calls_at_once_than_asked_for(self, site) -> None:
        here, lock, now, most = site(PROTO), threading.Lock(), [0], [0]
        full = threading.Barrier(4)

        def get(request, context):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            full.wait()  # passes only once four are under way
            with lock:
                now[0] -= 1
            return doubling(request, context)

        here.serve(Get=get)
        rows(here, here.connection(), n=range(40), options=Options(progress=False, concurrency=4))
        assert most[0] == 4

    def test_metadata_travels_with_each_call(self, site) -> None:
        here, seen = site(PROTO), []
        here.serve(Get=lambda request, context: seen.append(dict(context.invocation_metadata())) or {})
        options = Options(progress=False, metadata={"X-Team": "blue"})
        rows(here, here.connection(metadata={"x-tenant": "a"}), n=range(3), options=options)
        assert [(m["x-team"], m["x-tenant"]) for m in seen] == [("blue", "a")] * 3

    def test_a_response_that_uses_our_names_gets_a_prefix(self, site) -> None:
        here = site(
            "message Q { int32 n = 1; } message A { string details = 1; Q request = 2; int32 x = 3; }"
            "service S { rpc Get (Q) returns (A); }"
        )
        here.serve(Get=lambda request, _: {"details": "mine", "request": {"n": 7}})
        frame = rows(here, here.connection(), n=[1])
        assert list(frame.columns) == [
            "request.n",
            "response.details",
            "response.request.n",
            "response.x",
            "status_code",
            "details",
            "elapsed",
        ]
        assert frame.loc[0, "response.details"] == "mine"
        assert frame.loc[0, "response.request.n"] == 7

    def test_messages_without_fields(self, site) -> None:
        here = site("message Q {} message A {} service S { rpc Get (Q) returns (A); }")
        here.serve(Get=lambda _request, _context: {})
        frame = rows(here, here.connection(), [{}, {}, {}])
        assert frame["status_code"].tolist() == ["OK"] * 3

    def test_a_stream_asked_for_without_a_field(self, site) -> None:
        here = site("message Q {} message A { int32 n = 1; } service S { rpc List (Q) returns (stream A); }")
        here.serve(List=lambda _request, _context: iter([{"n": 1}, {"n": 2}, {"n": 3}]))
        assert rows(here, here.connection(), [{}], method="S.List")["n"].tolist() == [1, 2, 3]

    def test_a_stream_of_requests_is_refused(self, site) -> None:
        here = site(PROTO)
        with pytest.raises(ConfigurationError, match=r"S\.Up takes a stream of requests"):
            rows(here, here.connection(), [{}], method="S.Up")

    def test_nobody_there_raises_at_once(self, site) -> None:
        here = site(PROTO)
        here.serve(Get=doubling)
        here.server.stop(None).wait()
        with pytest.raises(ConnectionFailedError):
            rows(here, here.connection(), n=[1])

    def test_a_server_gone_in_mid_run_leaves_a_row_for_each(self, site) -> None:
        here = site(PROTO)
        gone = threading.Thread(target=lambda: here.server.stop(None))

        def get(request, context):
            if request.n == 100:
                gone.start()
            return doubling(request, context)

        here.serve(Get=get)
        frame = rows(here, here.connection(), n=range(400), options=Options(progress=False, concurrency=40))
        gone.join()
        assert frame["request.n"].tolist() == list(range(400))
        kept, lost = (frame[there] for there in (frame["status_code"] == "OK", frame["status_code"] != "OK"))
        assert len(kept) >= 100 - 40, "what was not on its way when the hundredth came had been answered"
        assert kept["twice"].tolist() == (2 * kept["request.n"]).tolist()
        assert set(lost["status_code"]) <= {"UNAVAILABLE", "CANCELLED"}
        assert lost.index[-1] == 399
        assert "127.0.0.1" in lost["details"].iloc[-1]

    def test_progress_is_told_to_a_function(self, site) -> None:
        here, told = site(PROTO), []
        here.serve(Get=lambda request, context: context.abort(grpc.StatusCode.ABORTED, "") if request.n == 2 else {})
        options = Options(progress=lambda *state: told.append(state))
        rows(here, here.connection(), n=range(5), options=options)
        assert told[-1] == (5, 5, 1)

    def test_progress_is_drawn_unless_silenced(self, site, capsys) -> None:
        here = site(PROTO)
        here.serve(Get=doubling)
        rows(here, here.connection(), n=range(5), options=QUIET)
        assert capsys.readouterr().err == ""
        rows(here, here.connection(), n=range(5), options=Options())
        assert "5/5" in capsys.readouterr().err

    def test_progress_has_rate_time_left_and_errors(self, site, capsys) -> None:
        here = site(PROTO)
        here.serve(Get=lambda request, c: c.abort(grpc.StatusCode.ABORTED, "") if request.n in {2, 4} else {})
        rows(here, here.connection(), n=range(5), options=Options())
        assert re.search(r"5/5 \[00:\d\d<00:00, .* ?(calls/s|s/ calls), 2 errors\]", capsys.readouterr().err)


class TestStream:
    def serve(self, site: Callable[[str], Any]) -> Any:
        here = site(PROTO)

        def listing(request, context):
            for n in range(request.n):
                yield {"twice": 2 * n, "note": request.text}
            if request.text == "breaks":
                context.abort(grpc.StatusCode.DATA_LOSS, "broke")

        here.serve(List=listing)
        return here

    def test_a_row_per_message_with_its_requests_index(self, site) -> None:
        here = self.serve(site)
        frame = rows(here, here.connection(), pd.DataFrame({"n": [2, 3]}, index=["a", "b"]), "S.List")
        assert frame.index.tolist() == ["a", "a", "b", "b", "b"]
        assert frame["request.n"].tolist() == [2, 2, 3, 3, 3]
        assert frame["twice"].tolist() == [0, 2, 0, 2, 4]
        assert set(frame["status_code"]) == {"OK"}

    def test_a_stream_that_breaks_keeps_its_rows_and_gets_one_for_its_status(self, site) -> None:
        here = self.serve(site)
        frame = rows(here, here.connection(), n=[2, 1], text=["breaks", "fine"], method="S.List")
        assert frame["status_code"].tolist() == ["OK", "OK", "DATA_LOSS", "OK"]
        assert frame["twice"].isna().tolist() == [False, False, True, False]
        assert frame["details"].iloc[2] == "broke"
        assert frame.index.tolist() == [0, 0, 0, 1]

    def test_a_stream_that_sends_nothing_is_one_row(self, site) -> None:
        here = self.serve(site)
        frame = rows(here, here.connection(), n=[0], method="S.List")
        assert frame["status_code"].tolist() == ["OK"]
        assert frame["twice"].isna().all()

    def test_many_streams_at_once_come_out_in_order(self, site) -> None:
        here = self.serve(site)
        counts = [(7 * n) % 50 for n in range(60)]
        frame = rows(here, here.connection(), n=counts, method="S.List")
        expected = [(i, 2 * n) for i, count in enumerate(counts) for n in range(count)]
        came = frame[frame["twice"].notna()]
        assert list(zip(came.index, came["twice"], strict=True)) == expected
        assert len(frame) == len(expected) + counts.count(0)

    def test_a_refused_token_ends_a_stream_as_a_row_and_the_next_has_another(self, site) -> None:
        here = site(PROTO)
        here.serve(List=refusing("Bearer old", lambda _request, _context: iter([{"twice": 1}])))
        asked = []
        source = ReuseTokenSource(lambda: asked.append(1) or token("new"), token=token("old"), renew=False)
        connection = here.connection(token_source=source)
        assert rows(here, connection, [{}], "S.List")["status_code"].tolist() == ["UNAUTHENTICATED"]
        assert rows(here, connection, [{}], "S.List")["status_code"].tolist() == ["OK"]
        assert len(asked) == 1


def refusing(value: str, handler: Callable[..., Any]) -> Callable[..., Any]:
    def checked(request: Any, context: grpc.ServicerContext) -> Any:
        if bearer(context) == value:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "another token, please")
        return handler(request, context)

    return checked


class TestToken:
    def test_each_call_carries_it(self, site) -> None:
        here, seen = site(PROTO), []
        here.serve(Get=lambda _request, context: seen.append(bearer(context)) or {})
        rows(here, here.connection(token_source=StaticTokenSource("abc")), n=range(9))
        assert seen == ["Bearer abc"] * 9

    def test_without_a_source_none_travels(self, site) -> None:
        here, seen = site(PROTO), []
        here.serve(Get=lambda _request, context: seen.append(bearer(context)) or {})
        rows(here, here.connection(), n=[1])
        assert seen == [None]

    def test_the_source_is_asked_before_each_call(self, site) -> None:
        here, asked, seen = site(PROTO), [], []

        class Counting:
            def token(self, *, timeout: float | None = None, rejected: Token | None = None) -> Token:
                asked.append(rejected)
                return token(f"t{len(asked)}")

        here.serve(Get=lambda request, context: seen.append(bearer(context)) or doubling(request, context))
        rows(here, here.connection(token_source=Counting()), n=range(50))
        assert len(asked) >= 50
        assert len(set(seen)) == 50, "each call had the token that was given for it"

    def test_s14_a_refused_token_costs_no_row_and_one_request(self, site) -> None:
        here, asked = site(PROTO), []
        here.serve(Get=refusing("Bearer old", doubling))
        source = ReuseTokenSource(lambda: asked.append(1) or token("new"), token=token("old"), renew=False)
        frame = rows(here, here.connection(token_source=source), n=range(200))
        assert (frame["status_code"] == "OK").all()
        assert frame["twice"].tolist() == [2 * n for n in range(200)]
        assert len(asked) == 1

    def test_s14_is_replayed_once_only(self, site) -> None:
        here, calls, made = site(PROTO), [], []

        def get(_request, context):
            calls.append(bearer(context))
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "never")

        here.serve(Get=get)
        source = ReuseTokenSource(lambda: made.append(1) or token(f"t{len(made)}"), token=token("old"), renew=False)
        frame = rows(here, here.connection(token_source=source), n=[1])
        assert calls == ["Bearer old", "Bearer t1"]
        assert frame["status_code"].tolist() == ["UNAUTHENTICATED"]

    def test_s14_not_where_repeating_was_ruled_out(self, site) -> None:
        here = site(PROTO)
        here.serve(Get=refusing("Bearer old", doubling))
        source = ReuseTokenSource(lambda: token("new"), token=token("old"), renew=False)
        options = Options(progress=False, idempotent=False)
        frame = rows(here, here.connection(token_source=source), n=[1], options=options)
        assert frame["status_code"].tolist() == ["UNAUTHENTICATED"]

    def test_permission_denied_is_never_replayed(self, site) -> None:
        here, calls = site(PROTO), []

        def get(_request, context):
            calls.append(1)
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "no")

        here.serve(Get=get)
        source = ReuseTokenSource(lambda: token("new"), token=token("old"), renew=False)
        assert rows(here, here.connection(token_source=source), n=[1])["status_code"].tolist() == ["PERMISSION_DENIED"]
        assert len(calls) == 1

    def test_a_slow_token_holds_up_nobody_who_is_under_way(self, site) -> None:
        here, finished, fetching = site(PROTO), threading.Event(), threading.Event()

        def get(request, context):
            if request.n == 0:
                fetching.wait()  # the new token is being fetched, and this answer still arrives
                finished.set()
            elif bearer(context) == "Bearer old":
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "")
            return doubling(request, context)

        def fetch() -> Token:
            fetching.set()
            assert finished.wait(60)
            return token("new")

        here.serve(Get=get)
        source = ReuseTokenSource(fetch, token=token("old"), renew=False)
        frame = rows(here, here.connection(token_source=source), n=range(20))
        assert (frame["status_code"] == "OK").all()

    def test_sign_in_needed_at_the_start_raises_and_sends_nothing(self, site) -> None:
        here, calls = site(PROTO), []
        here.serve(Get=lambda _request, _context: calls.append(1) or {})
        source = ReuseTokenSource(dead, renew=False)
        with pytest.raises(SignInRequiredError, match="dead") as caught:
            rows(here, here.connection(token_source=source), n=range(5))
        assert not calls
        assert caught.value.partial is None

    @pytest.mark.parametrize("seconds", [0, 0.1])
    def test_a_sign_in_for_which_nobody_comes_in_time_ends_it_and_loses_nothing(self, site, seconds: float) -> None:
        here, served = site(PROTO), []

        def get(request, context):
            if len(served) == 10:
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "expired")
            served.append(request.n)
            return doubling(request, context)

        here.serve(Get=get)
        source = ReuseTokenSource(dead, token=token("old"), renew=False)
        options = Options(progress=False, concurrency=1, sign_in_timeout=seconds)
        with pytest.raises(SignInRequiredError, match="dead") as caught:
            rows(here, here.connection(token_source=source), n=range(1000), options=options)
        partial = caught.value.partial
        assert len(partial) == 1000
        assert partial["twice"].iloc[:10].tolist() == [2 * n for n in range(10)]
        assert set(partial["status_code"].iloc[10:]) == {"CANCELLED"}

    @pytest.mark.parametrize("look_every", [0.1, 0.5], ids=["goes on before its end", "at its end before a look"])
    def test_a_sign_in_needed_in_mid_run_is_said_once_and_waited_for(
        self, site, monkeypatch, look_every: float
    ) -> None:
        here, said = site(PROTO), io.StringIO()
        here.serve(Get=refusing("Bearer old", doubling))
        source = ReuseTokenSource(dead, token=token("old"), renew=False)

        class Looked:
            def token(self, *, timeout: float | None = None, rejected: Token | None = None) -> Token:
                try:
                    return source.token(timeout=timeout, rejected=rejected)
                except SignInRequiredError:
                    if "Sign in again" in said.getvalue():  # somebody reads it, and signs in
                        source.revive(token("new"), renew=False)
                    raise

        monkeypatch.setattr(sys, "stderr", said)
        monkeypatch.setattr(runs, "_ASK_AGAIN", 0.01)
        monkeypatch.setattr(runs, "_LOOK_EVERY", look_every)
        frame = rows(here, here.connection(token_source=Looked()), n=range(50), options=Options())
        assert frame["twice"].tolist() == [2 * n for n in range(50)]
        assert said.getvalue().count("The grant is dead. Sign in again. It goes on by itself then.") == 1
        *_, rests, last = said.getvalue().split("rests until somebody signs in")
        assert rests
        assert "50/50" in last

    def test_while_a_sign_in_is_waited_for_an_interrupt_gives_what_is_there(self, site) -> None:
        here, served = site(PROTO), []

        def get(request, context):
            if len(served) == 10:
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "expired")
            served.append(request.n)
            return doubling(request, context)

        here.serve(Get=get)

        def dead_and_interrupted() -> Token:
            os.kill(os.getpid(), signal.SIGINT)
            return dead()

        source = ReuseTokenSource(dead_and_interrupted, token=token("old"), renew=False)
        options = Options(progress=False, concurrency=1)
        frame = rows(here, here.connection(token_source=source), n=range(20), options=options)
        assert frame["status_code"].tolist() == ["OK"] * 10 + ["CANCELLED"] * 10

    def test_a_fixed_token_that_nobody_can_renew_is_not_waited_for(self, site) -> None:
        here = site(PROTO)
        here.serve(Get=refusing("Bearer old", doubling))
        source = StaticTokenSource("old")
        with pytest.raises(SignInRequiredError, match="no way to renew it"):
            rows(here, here.connection(token_source=source), n=range(5))

    def test_a_passing_trouble_with_the_token_is_a_row(self, site) -> None:
        here = site(PROTO)
        here.serve(Get=refusing("Bearer old", doubling))

        def away() -> Token:
            raise AuthorizationServerUnavailableError("The authorization server is away.")

        source = ReuseTokenSource(away, token=token("old"), renew=False)
        frame = rows(here, here.connection(token_source=source), n=[1])
        assert frame["status_code"].tolist() == ["UNAVAILABLE"]
        assert "away" in frame["details"].iloc[0]

    def test_a_passing_trouble_with_the_token_is_raised_where_asked_for(self, site) -> None:
        here = site(PROTO)
        here.serve(Get=refusing("Bearer old", doubling))

        def away() -> Token:
            raise AuthorizationServerUnavailableError("The authorization server is away.")

        source = ReuseTokenSource(away, token=token("old"), renew=False)
        options = Options(progress=False, on_error="raise")
        with pytest.raises(AuthorizationServerUnavailableError, match="away") as caught:
            rows(here, here.connection(token_source=source), n=[1, 2], options=options)
        assert len(caught.value.partial) == 2

    def test_it_is_in_no_cell(self, site) -> None:
        here = site(PROTO)
        here.serve(Get=lambda _request, context: context.abort(grpc.StatusCode.UNAUTHENTICATED, "no"))
        source = ReuseTokenSource(lambda: token("canary-two"), token=token("canary-one"), renew=False)
        text = rows(here, here.connection(token_source=source), n=range(3)).to_csv()
        assert "UNAUTHENTICATED" in text
        assert "canary" not in text


def dead() -> Token:
    raise SignInRequiredError("The grant is dead. Sign in again.")


class TestWhereItRuns:
    def test_where_an_event_loop_runs_already(self, site) -> None:
        here = site(PROTO)
        here.serve(Get=doubling)
        connection = here.connection()

        async def cell() -> pd.DataFrame:
            return rows(here, connection, n=range(10))

        assert asyncio.run(cell())["twice"].tolist() == [2 * n for n in range(10)]

    def test_from_many_threads_at_once(self, site) -> None:
        here = site(PROTO)
        here.serve(Get=doubling)
        connection = here.connection()
        with ThreadPoolExecutor(8) as pool:
            frames = list(pool.map(lambda start: rows(here, connection, n=range(start, start + 50)), range(0, 400, 50)))
        assert pd.concat(frames)["twice"].tolist() == [2 * n for n in range(400)]


class TestInterrupt:
    def test_ctrl_c_returns_what_is_there_and_leaves_everything_usable(self, site) -> None:
        here, never = site(PROTO), threading.Event()

        def get(request, context):
            if request.n == 50:
                os.kill(os.getpid(), signal.SIGINT)
            if request.n >= 50:
                never.wait()
            return doubling(request, context)

        here.serve(Get=get)
        connection = here.connection()
        before = signal.getsignal(signal.SIGINT)
        frame = rows(here, connection, n=range(500), options=Options(progress=False, concurrency=10))
        never.set()
        assert signal.getsignal(signal.SIGINT) is before
        assert len(frame) == 500
        answered = frame[frame["status_code"] == "OK"]
        assert len(answered) > 50 - 10, "the fiftieth begins when no more than nine before it are under way"
        assert answered["twice"].tolist() == [2 * n for n in answered.index]
        unanswered = frame.drop(answered.index)
        assert set(frame.index[50:]) <= set(unanswered.index)
        assert set(unanswered["status_code"]) == {"CANCELLED"}
        assert set(unanswered["details"]) == {"Interrupted before this request was answered."}
        assert rows(here, connection, n=[3])["twice"].tolist() == [6]

    def test_a_second_one_raises_and_has_what_is_there(self, site) -> None:
        here, go = answering_three(site)

        def interrupting(done: int, _total: int, _errors: int) -> None:
            if done == 3:
                os.kill(os.getpid(), signal.SIGINT)
                os.kill(os.getpid(), signal.SIGINT)

        with pytest.raises(KeyboardInterrupt) as caught:
            rows(here, here.connection(), n=range(6), options=Options(progress=interrupting))
        go.set()
        assert caught.value.partial["status_code"].tolist() == ["OK"] * 3 + ["CANCELLED"] * 3

    def test_what_a_progress_function_raises_ends_the_run_and_lets_go_of_the_folder(self, site, tmp_path) -> None:
        here, go = answering_three(site)

        def raising(done: int, _total: int, _errors: int) -> None:
            if done == 3:
                raise ValueError("mine")

        folder = tmp_path / "rows"
        with pytest.raises(ValueError, match="mine") as caught:
            rows(here, here.connection(), n=range(6), options=Options(progress=raising, into=folder))
        go.set()
        assert caught.value.partial["status_code"].tolist() == ["OK"] * 3 + ["CANCELLED"] * 3
        again = rows(here, here.connection(), n=range(6), options=Options(progress=False, into=folder))
        assert again["twice"].tolist() == [0, 2, 4, 6, 8, 10]


def answering_three(site: Callable[[str], Any]) -> tuple[Any, threading.Event]:
    """A site whose answers to all but the first three numbers wait for the event."""
    here, go = site(PROTO), threading.Event()

    def get(request: Any, context: grpc.ServicerContext) -> Any:
        if request.n >= 3:
            go.wait(60)
        return doubling(request, context)

    here.serve(Get=get)
    return here, go


def test_where_grpcio_has_another_door_to_core_grpc_aio_serves_and_the_rows_are_the_same(
    site: Any, monkeypatch: pytest.MonkeyPatch
):
    def some(request: Any, context: grpc.ServicerContext) -> dict[str, int]:
        if request.n % 3 == 0:
            context.abort(grpc.StatusCode.NOT_FOUND, f"no {request.n}")
        return doubling(request, context)

    here = site(PROTO)
    here.serve(Get=some)
    quick = rows(here, here.connection(), n=range(200))
    shut_the_door_to_core(monkeypatch)
    usual = rows(here, here.connection(), n=range(200))
    pd.testing.assert_frame_equal(usual.drop(columns="elapsed"), quick.drop(columns="elapsed"))
    assert (usual.status_code == "NOT_FOUND").sum() == 67
