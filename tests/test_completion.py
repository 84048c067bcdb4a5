"""Names for tab completion: there where they cost nobody anything, and never at a person's expense."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trustme
from grpc_servers import Gate, GrpcServer, Reflected
from schemas import SHOP, raw_files
from token_sources import Scripted, a_token

import explorer
from explorer import completion
from explorer.outside_tokens import CallableTokenSource
from explorer.tokens import StaticTokenSource

Open = Callable[..., tuple[explorer.Session, Reflected]]


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Sessions, each with what its own server is asked by reflection."""
    monkeypatch.setattr(completion, "_PATIENCE", 30.0)  # a slow machine is no failure
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    opened: list[Any] = []

    def connect(token_source: Any = None, before: Any = None) -> tuple[explorer.Session, Reflected]:
        served = Reflected(raw_files(shop=SHOP), ["shop.v1.Shop"], before=before)
        server = GrpcServer(certificate=certificate, reflection=served)
        session = explorer.connect(
            server.target, token_source=token_source, root_certificates=authority.cert_pem.bytes()
        )
        opened.append((session, server))
        return session, served

    yield connect
    for session, server in opened:
        session.close()
        server.stop()


@pytest.mark.parametrize("token_source", [None, StaticTokenSource("a-token")], ids=["no token", "a token"])
def test_the_names_come_by_completing(connected: Open, token_source: Any) -> None:
    session, _ = connected(token_source)
    assert {"Shop", "services"} <= set(dir(session))
    assert session._ipython_key_completions_() == ["shop.v1.Shop", "Shop"]


def test_keys_too(connected: Open) -> None:
    session, served = connected()
    assert session._ipython_key_completions_() == ["shop.v1.Shop", "Shop"]
    assert "Shop" in dir(session)
    assert served.questions == [("list_services", "*")], "asked once"


def test_nobodys_function_is_run_for_it(connected: Open) -> None:
    runs: list[str] = []
    source = CallableTokenSource(lambda: runs.append("run") or "a-token")
    session, served = connected(source)
    assert "Shop" not in dir(session)
    assert session._ipython_key_completions_() == []
    assert (runs, served.questions) == ([], [])
    source.token()
    assert "Shop" in dir(session)


def test_a_source_that_says_nothing_of_it_is_not_asked(connected: Open) -> None:
    source = Scripted(a_token())
    session, served = connected(source)
    assert "Shop" not in dir(session)
    assert (source.asked, served.questions) == ([], [])
    assert session.services == ["shop.v1.Shop"]
    assert "Shop" in dir(session)


def test_what_comes_late_is_there_for_the_next_one(connected: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate()
    session, served = connected(before=lambda *_: gate.wait())
    monkeypatch.setattr(completion, "_PATIENCE", 0.0)
    assert "Shop" not in dir(session)
    gate.entered.wait(60)
    assert "Shop" not in dir(session), "and nobody asks twice at once"
    gate.open()
    assert session.services == ["shop.v1.Shop"]
    assert "Shop" in dir(session)
    assert len(served.questions) <= 2


def test_a_server_that_refuses_is_left_in_peace_for_a_while(connected: Open) -> None:
    import grpc

    def refuse(_: Any, context: grpc.ServicerContext) -> None:
        context.abort(grpc.StatusCode.PERMISSION_DENIED, "no")

    session, served = connected(before=refuse)
    for _ in range(3):
        assert "services" in dir(session)
        assert session._ipython_key_completions_() == []
    assert len(served.questions) == 1
