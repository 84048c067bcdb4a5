"""Requests that hold an ``Any`` of a type that no service names: a session that knows nothing yet asks the server."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import explorer
from explorer import SavedRequests
from explorer.calls import Call
from explorer.demo import Demo
from explorer.errors import ConfigurationError, RequestError
from explorer.methods import Method
from explorer.session import Session

SCOPE = "read:users write:users"
CERTIFICATE = "explorer.demo.attachments.v1.Certificate"
BADGE = {"profile": {"user_id": "user5", "badge": {"@type": f"type.googleapis.com/{CERTIFICATE}", "course": "x"}}}
UNKNOWN = {"profile": {"badge": {"@type": "type.googleapis.com/explorer.demo.v1.Profil", "course": "x"}}}


@pytest.fixture(scope="module")
def own_demo() -> Iterator[Demo]:
    """Of these tests alone, for they change it."""
    with explorer.demo.start() as demo:
        yield demo


@pytest.fixture
def new_session(own_demo: Demo) -> Iterator[Callable[[], Session]]:
    """Makes sessions that know nothing of the server yet."""
    sessions: list[Session] = []

    def make() -> Session:
        token, _ = own_demo.issue_seed_tokens("notebook", scope=SCOPE)
        tokens = explorer.oauth.refresh_token(own_demo.issuer, client_id="notebook", refresh_token=token, scope=SCOPE)
        sessions.append(
            explorer.connect(own_demo.target, token_source=tokens, root_certificates=own_demo.root_certificates)
        )
        return sessions[-1]

    yield make
    for each in sessions:
        each.close()


def update_profile(session: Session) -> Method:
    method = session["DirectoryService.UpdateProfile"]
    assert isinstance(method, Method)
    return method


WAYS: dict[str, Callable[[Method, Any], Any]] = {
    "called": lambda method, request: method(request),
    "keywords": lambda method, request: method(**request),
    "started": lambda method, request: method.start(request).wait(timeout=60),
    "prepared": lambda method, request: method.prepare(request),
    "checked": lambda method, request: method.messages(request),
    "one": lambda method, request: method.encode(request),
    "collected": lambda method, request: method.options(progress=False).collect([request]),
    "collected from a generator": lambda method, request: method.options(progress=False).collect(iter([request])),
    "collected from columns": lambda method, request: method.options(progress=False).collect(
        pd.DataFrame({"profile": [request["profile"]]})
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_session_that_knows_nothing_yet_asks_for_the_type(new_session: Callable[[], Session], way: str) -> None:
    came = WAYS[way](update_profile(new_session()), BADGE)
    if isinstance(came, Call):
        assert came.ok
        profile: Any = came.messages[0]
        assert profile.badge.type_url.endswith(CERTIFICATE)
    elif isinstance(came, pd.DataFrame):
        assert list(came["status_code"]) == ["OK"]


@pytest.mark.parametrize("way", WAYS)
def test_a_type_that_nobody_knows_is_refused(new_session: Callable[[], Session], way: str) -> None:
    with pytest.raises(RequestError, match=r"does not hold\. Did you mean explorer\.demo\.v1\.Profile\b.*\? Or give"):
        WAYS[way](update_profile(new_session()), UNKNOWN)


@pytest.mark.parametrize("name", ["", "..", "no name", "é", "x" * 5000, "\ud800"])
def test_what_is_no_name_is_refused_without_asking(new_session: Callable[[], Session], name: str) -> None:
    with pytest.raises(RequestError, match=r"does not hold|without lone surrogates"):
        update_profile(new_session()).prepare({"profile": {"badge": {"@type": f"x/{name}"}}})


def test_a_server_that_cannot_be_asked_is_not_said_to_lack_the_type(new_session: Callable[[], Session]) -> None:
    session = new_session()
    method = update_profile(session)
    session.close()
    with pytest.raises(ConfigurationError, match="is closed"):
        method(BADGE)


def test_its_python_text_and_its_saved_request_work_in_a_fresh_session(
    new_session: Callable[[], Session], tmp_path: Path
) -> None:
    first = new_session()
    call = update_profile(first)(BADGE)
    saved = SavedRequests(tmp_path / "saved.json")
    saved.save("badge", call)
    assert CERTIFICATE in call.code
    again = eval(compile(ast.parse(call.code, mode="eval"), "cell", "eval"), {"session": new_session()})
    assert (again.ok, again.request_data) == (True, call.request_data)
    run = saved.run("badge", new_session())
    assert (run.ok, run.request_data) == (True, call.request_data)
