"""CPU per row of GetUser into a DataFrame, the token on each call: what a user would write by hand is the peer."""

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.cores import servers_core
from benchmarks.figure import Figure, Peer, Work, World
from benchmarks.stubs import generated

USERS = 2000


@contextlib.contextmanager
def demo() -> Iterator[World]:
    """The demo on the first core, and a token for it that outlives the figure."""
    import explorer

    with servers_core():
        running = explorer.demo.start(token_lifetime=3600)
    with running:
        tokens = explorer.oauth.client_credentials(
            running.issuer, client_id="service", client_secret="service-secret", scope="read:users"
        )
        yield {
            "target": running.target,
            "root_certificates": running.root_certificates.decode(),
            "access_token": tokens.token(timeout=30).access_token.reveal(),
            "user_ids": [f"user{number}" for number in range(1, USERS + 1)],
        }


def digest(frame: Any) -> tuple[int, str]:
    """The number of rows, and what stands in the response's columns."""
    text = "\n".join(f"{user}\t{name}" for user, name in zip(frame["id"], frame["name"], strict=True))
    return len(frame), hashlib.sha256(text.encode()).hexdigest()


@contextlib.contextmanager
def collect(world: World) -> Iterator[Work]:
    """The explorer's own way."""
    import explorer
    from explorer.tokens import StaticTokenSource

    tokens = StaticTokenSource(world["access_token"])
    roots = world["root_certificates"].encode()
    with explorer.connect(world["target"], token_source=tokens, root_certificates=roots) as session:
        get_user = session["UserService"].GetUser
        digest(get_user.collect(user_id=world["user_ids"][:20]))
        yield lambda: digest(get_user.collect(user_id=world["user_ids"]))


@contextlib.contextmanager
def stub_loop(world: World) -> Iterator[Work]:
    """A loop over a generated stub, a dictionary a message, and pandas."""
    import grpc
    import pandas as pd
    from google.protobuf.json_format import MessageToDict

    import explorer

    credentials = grpc.ssl_channel_credentials(world["root_certificates"].encode())
    metadata = (("authorization", f"Bearer {world['access_token']}"),)
    proto = Path(explorer.__file__).parent / "demo/protos/user_service.proto"
    with generated(proto) as (messages, services), grpc.secure_channel(world["target"], credentials) as channel:
        stub = services.UserServiceStub(channel)

        def row(user_id: str) -> dict[str, Any]:
            user = stub.GetUser(messages.GetUserRequest(user_id=user_id), metadata=metadata, timeout=30)
            return MessageToDict(user, preserving_proto_field_name=True)

        def frame(user_ids: list[str]) -> pd.DataFrame:
            return pd.DataFrame([row(user_id) for user_id in user_ids])

        digest(frame(world["user_ids"][:20]))
        yield lambda: digest(frame(world["user_ids"]))


FIGURE = Figure(
    name="get-user",
    what=f"CPU per row of {USERS} GetUser to a DataFrame, the token on each",
    measure="cpu",
    world=demo,
    ours=collect,
    peers=(Peer("stub loop, MessageToDict, DataFrame", stub_loop, goal=1.0),),
)
