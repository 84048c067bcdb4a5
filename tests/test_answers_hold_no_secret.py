"""T34: what leaves as a table or a pickle holds no secret of the calls that made it."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from canary import found

import explorer
from explorer.demo import Demo

KEY = "canary-of-an-api-key-4711"


@pytest.fixture(scope="module")
def signed_in(demo: Demo) -> Iterator[tuple[explorer.Session, list[str]]]:
    """A session, and what must be nowhere: the token, the client's secret and a key that travels as metadata."""
    tokens = explorer.oauth.client_credentials(
        demo.issuer, client_id="service", client_secret=demo.clients["service"], scope="read:users"
    )
    with explorer.connect(
        demo.target, token_source=tokens, root_certificates=demo.root_certificates, metadata={"x-api-key": KEY}
    ) as session:
        yield session, [tokens.token().access_token.reveal(), str(demo.clients["service"]), KEY]
    tokens.sign_out()


def sinks(frame: pd.DataFrame) -> Iterator[tuple[str, bytes]]:
    yield "pickle", pickle.dumps(frame)
    yield "attrs", repr(frame.attrs).encode()
    yield "csv", frame.to_csv().encode()
    yield "json", frame.to_json(orient="split", date_format="iso", default_handler=str).encode()
    parquet = io.BytesIO()
    frame.to_parquet(parquet, compression=None)
    yield "parquet", parquet.getvalue()


@pytest.mark.parametrize(
    ("method", "request_columns"),
    [
        ("UserService.GetUser", {"user_id": ["user123", "nobody", ""]}),
        ("DirectoryService.ListUsers", {"limit": [3]}),
    ],
)
def test_t34_a_table_of_answers_holds_no_secret(
    signed_in: tuple[explorer.Session, list[str]], method: str, request_columns: dict[str, Any]
) -> None:
    session, secrets = signed_in
    frame = session[method].options(progress=False, metadata={"x-other-key": KEY}).collect(**request_columns)
    assert (frame["status_code"] == "OK").any()
    for name, written in sinks(frame):
        assert found(secrets, written) == [], name


def test_t34_the_search_finds_a_planted_one(signed_in: tuple[explorer.Session, list[str]]) -> None:
    session, secrets = signed_in
    frame = session["UserService.GetUser"].options(progress=False).collect(user_id=["user123"])
    planted = frame.assign(name=secrets[0])
    planted.attrs["from"] = secrets[0]
    for name, written in sinks(planted):
        assert found(secrets, written) == [0], name


def written_of(session: explorer.Session, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Everything that is written of a call: history, the file of saved requests, the three texts."""
    method = session["UserService.GetUser"].options(metadata={"x-other-key": KEY, "x-raw-bin": KEY.encode()})
    call = method(user_id="user123")
    saved = explorer.SavedRequests(folder / "requests.json")
    saved.save("a call", call)
    saved.save("a method", method, {"user_id": "user123"})
    yield "history", session.history.to_csv().encode()
    yield "entries", repr(session.recent()).encode()
    yield "saved requests", saved.path.read_bytes() + repr(saved).encode() + repr(saved["a call"]).encode()
    yield "texts", "".join([call.code, call.stub_code, call.grpcurl, repr(call.asked)]).encode()


def test_t34_history_saved_requests_and_texts_hold_no_secret(
    signed_in: tuple[explorer.Session, list[str]], tmp_path: Path
) -> None:
    session, secrets = signed_in
    for name, written in written_of(session, tmp_path):
        assert found(secrets, written) == [], name
        assert found(["user123" if name in {"saved requests", "texts"} else "GetUser"], written) == [0], name


def test_t34_what_was_called_with_is_never_pickled_with_a_secret(
    signed_in: tuple[explorer.Session, list[str]],
) -> None:
    session, secrets = signed_in
    method = session["UserService.GetUser"]
    for thing in (session, session["UserService"], method, method(user_id="user123")):
        try:
            written = pickle.dumps(thing)
        except (TypeError, pickle.PicklingError):  # refused, which is as good
            continue
        assert found(secrets, written) == [], repr(thing)
