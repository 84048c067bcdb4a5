"""How the widget came by its session, as Python: the text is run, and comes by the same."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from tls_servers import EchoServer, server_credentials

import explorer
from explorer.errors import ConfigurationError
from explorer.widget.place import Place, connection_settings
from explorer.widget.source_code import session_source


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server(authority: trustme.CA) -> Iterator[EchoServer]:
    """One that asks for a client's certificate, and goes by another name."""
    credentials: grpc.ServerCredentials = server_credentials(
        authority.issue_cert("shop.example"), clients=authority.cert_pem.bytes()
    )
    running = EchoServer("127.0.0.1:0", credentials)
    yield running
    running.stop()


def run(place: Place, session: explorer.Session) -> explorer.Session:
    """The session that the printed text comes by."""
    names: dict[str, Any] = {"widget": types.SimpleNamespace(session=session, tokens=place.token_source)}
    exec(compile(session_source(place.origin()), "printed", "exec"), names)
    made: explorer.Session = names["session"]
    return made


def test_what_was_given_to_connect_is_in_the_text_and_no_secret_of_it(
    server: EchoServer, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaf = authority.issue_cert("ada@example.org")
    key, chain, roots = leaf.private_key_pem.bytes(), leaf.cert_chain_pems[0].bytes(), authority.cert_pem.bytes()
    for name, pem in (("key.pem", key), ("chain.pem", chain), ("root_certificates.pem", roots)):
        (tmp_path / name).write_bytes(pem)
    settings = connection_settings(
        root_certificates=roots,
        client_certificate=(chain, key),
        server_name="shop.example",
        compression="gzip",
        max_receive_message_length=2**20,
        user_agent="inventory/1.2",
        wait_for_ready=True,
        options=[("grpc.keepalive_time_ms", 10_000)],
        metadata={"x-api-key": "canary", "x-request-id": "7", "x-bin": b"canary"},
        timeout=12.5,
    )
    place = Place(target=server.target, root_certificates=roots, connection=settings)
    text = session_source(place.origin())
    assert "canary" not in text
    assert key.decode().split("\n")[1] not in text
    assert "('x-request-id', '7')" in text or '("x-request-id", "7")' in text
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLIENT_CERTIFICATE", str(tmp_path / "chain.pem"))
    monkeypatch.setenv("CLIENT_KEY", str(tmp_path / "key.pem"))
    monkeypatch.setenv("X_API_KEY", "canary")
    monkeypatch.setenv("X_BIN", "Y2FuYXJ5")
    with place.open(None) as session, run(place, session) as again:
        assert again.channel_options == session.channel_options
        assert again.connection.metadata == session.connection.metadata
        again.connection.channel.unary_unary("/a/b")(b"", timeout=30, metadata=again.connection.call_metadata())
        assert server.calls[-1]["x-api-key"] == "canary"
        assert server.calls[-1]["x-bin"] == b"canary"
        assert server.calls[-1]["user-agent"].startswith("inventory/1.2")


def test_every_option_of_a_channel_that_is_not_its_default_is_written(tmp_path: Path) -> None:
    given = {"plaintext": True, "max_send_message_length": 7, "user_agent": "a'\"b\\"}
    place = Place(target="localhost:1", connection=connection_settings(**given))
    text = session_source(place.origin())
    call = text.split("explorer.connect(", 1)[1].rsplit(")", 1)[0]
    arguments = eval(f"dict(target={call})")
    assert arguments == {"target": "localhost:1", **given}


def test_a_password_in_a_target_is_neither_written_nor_shown() -> None:
    place = Place(target="https://ada:s3cret@shop.example")
    assert "s3cret" not in f"{place} {session_source(place.origin())}"
    with pytest.raises(ConfigurationError, match="user names"):
        place.open(None)


def test_nothing_is_written_that_nobody_gave() -> None:
    text = session_source(Place(target="localhost:1").origin())
    assert text == 'import explorer\n\nsession = explorer.connect("localhost:1")\n'
    assert dataclasses.replace(Place(target="a:1").origin(), given=True).given
