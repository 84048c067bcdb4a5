"""One call each for many rows, the token on every call: the explorer's way, and two that a person would write."""

import asyncio
import contextlib
import tempfile
from collections.abc import Iterator
from typing import Any

from benchmarks.answering import served
from benchmarks.decoding import descriptor, digest
from benchmarks.figure import Figure, Peer, Side, Work, World
from benchmarks.lengths import FULL
from benchmarks.load_tester import CALLERS, calls

_SERVICE = "\nmessage Q { string user_id = 1; } service S { rpc Get (Q) returns (M); }"
_IN_FLIGHT = 64
ROWS = 100_000 if FULL else 50_000
_PART = ROWS // 2_000  # one in so many of our calls is enough for a peer: all would take an hour
_TOKEN = "x" * 400
_METADATA = (("authorization", f"Bearer {_TOKEN}"),)


def _ids(world: World) -> list[str]:
    return [f"user{number}" for number in range(world["rows"])]


def explorer_way(*, token: bool = True, background: bool = False, into: bool = False, progress: bool = False) -> Side:
    """The explorer's own way, with what it can do on top."""

    @contextlib.contextmanager
    def side(world: World) -> Iterator[Work]:
        from explorer.frames import Options, finish, prepare, read_requests
        from explorer.rpc import Connection
        from explorer.tokens import StaticTokenSource

        method = descriptor(world["proto"] + _SERVICE).file.pool.FindServiceByName("S").methods_by_name["Get"]
        tokens = StaticTokenSource(_TOKEN) if token else None
        with Connection(world["target"], plaintext=True, token_source=tokens) as connection:

            def frame(ids: list[str]) -> Any:
                with tempfile.TemporaryDirectory() as folder:
                    read = read_requests(method.input_type, None, {"user_id": ids})
                    kept = f"{folder}/rows" if into else None
                    options = Options(progress=progress, concurrency=_IN_FLIGHT, into=kept)
                    run = prepare(connection, method, read, options)
                    return run.start().wait() if background else finish(run).frame()

            digest(frame(_ids(world)[:200]))
            yield lambda: digest(frame(_ids(world)))

    return side


def _made(world: World) -> tuple[Any, Any]:
    from google.protobuf import message_factory

    pool = descriptor(world["proto"] + _SERVICE).file.pool
    asked, made = (message_factory.GetMessageClass(pool.FindMessageTypeByName(name)) for name in ("Q", "M"))
    return asked, made


@contextlib.contextmanager
def stub_loop(world: World) -> Iterator[Work]:
    """A loop over a stub, a dictionary a message, and pandas."""
    import grpc
    import pandas as pd
    from google.protobuf.json_format import MessageToDict

    asked, made = _made(world)
    with grpc.insecure_channel(world["target"]) as channel:
        get = channel.unary_unary("/S/Get", asked.SerializeToString, made.FromString)

        def row(user_id: str) -> dict[str, Any]:
            answer = get(asked(user_id=user_id), metadata=_METADATA, timeout=30)
            return MessageToDict(answer, preserving_proto_field_name=True)

        digest(pd.DataFrame([row(user_id) for user_id in _ids(world)[:200]]))
        yield lambda: digest(pd.DataFrame([row(user_id) for user_id in _ids(world)]))


@contextlib.contextmanager
def stub_aio(world: World) -> Iterator[Work]:
    """grpc.aio with so many in flight, a dictionary a message, and pandas."""
    import grpc.aio
    import pandas as pd
    from google.protobuf.json_format import MessageToDict

    asked, made = _made(world)

    async def rows(ids: list[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = [{} for _ in ids]
        waiting = iter(enumerate(ids))
        async with grpc.aio.insecure_channel(world["target"]) as channel:
            get = channel.unary_unary("/S/Get", asked.SerializeToString, made.FromString)

            async def work() -> None:
                for place, user_id in waiting:
                    answer = await get(asked(user_id=user_id), metadata=_METADATA, timeout=30)
                    found[place] = MessageToDict(answer, preserving_proto_field_name=True)

            await asyncio.gather(*(work() for _ in range(_IN_FLIGHT)))
        return found

    digest(pd.DataFrame(asyncio.run(rows(_ids(world)[:200]))))
    yield lambda: digest(pd.DataFrame(asyncio.run(rows(_ids(world)))))


@contextlib.contextmanager
def requests_loop(world: World) -> Iterator[Work]:
    """A loop over grpc_requests, which is given the descriptors, and pandas."""
    import pandas as pd
    from grpc_requests import StubClient

    service = descriptor(world["proto"] + _SERVICE).file.pool.FindServiceByName("S")
    client = StubClient(world["target"], [service], descriptor_pool=service.file.pool)

    def row(user_id: str) -> dict[str, Any]:
        found: dict[str, Any] = client.request("S", "Get", {"user_id": user_id}, metadata=_METADATA, timeout=30)
        return found

    digest(pd.DataFrame([row(user_id) for user_id in _ids(world)[:200]]))
    yield lambda: digest(pd.DataFrame([row(user_id) for user_id in _ids(world)]))


def bare(number: int | None = None) -> Side:
    """k6, which makes nothing of the answers."""
    return calls(_SERVICE, _TOKEN, number)


def figure(name: str, what: str, proto: str, *, goals: tuple[float, float], aims: tuple[float, float]) -> Figure:
    """Ours beside grpc.aio and beside the loop; goals and aims in that order."""
    peers = (
        Peer("grpc.aio, 64 in flight, MessageToDict", stub_aio, goal=goals[0], aim=aims[0], part=_PART),
        Peer("stub loop, MessageToDict", stub_loop, goal=goals[1], aim=aims[1], part=_PART),
        Peer("grpc_requests loop", requests_loop, goal=None, part=_PART),
        Peer(f"k6, {CALLERS} callers, answers unread", bare(), goal=None, start=bare(CALLERS), part=_PART),
    )
    return Figure(name, what, "cpu", served(proto, ROWS, 1), explorer_way(), peers)
