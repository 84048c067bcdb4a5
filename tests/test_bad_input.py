"""What goes wrong for everybody, through the public names alone: one sentence with the value and the next step."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import suppress

import grpc
import pytest
from person import Person

import explorer
from explorer.demo import Demo
from explorer.errors import (
    AccessDeniedError,
    AuthorizationServerUnavailableError,
    ConfigurationError,
    ConnectionFailedError,
    ExplorerError,
    OAuthError,
    ReflectionUnavailableError,
    RequestError,
    RpcStatusError,
    SignInExpiredError,
)


@pytest.fixture(scope="module")
def session(demo: Demo) -> Iterator[explorer.Session]:
    tokens = explorer.oauth.client_credentials(
        demo.issuer, client_id="service", client_secret=demo.clients["service"], scope="read:users"
    )
    with explorer.connect(demo.target, token_source=tokens, root_certificates=demo.root_certificates) as session:
        yield session
    tokens.sign_out()


@pytest.fixture
def plaintext_server() -> Iterator[str]:
    server = grpc.server(futures.ThreadPoolExecutor(2))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None)


@pytest.fixture
def free_port() -> Iterator[int]:
    """Nobody listens there, and nobody else gets it meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])


def sign_in_by(demo: Demo, act: Callable[[str], object]) -> explorer.oauth.OAuthTokenSource:
    """``sign_in`` with somebody who does ``act`` with the page it prints."""
    people: list[threading.Thread] = []

    def show(*text: object) -> None:
        page = re.search(r"http://\S+[?&]state=\S+", " ".join(map(str, text)))
        if page:
            people.append(threading.Thread(target=act, args=(page.group(),)))
            people[-1].start()

    try:
        return explorer.oauth.sign_in(
            demo.issuer, client_id="notebook", scope="read:users", show=show, open_browser=False, timeout=300
        )
    finally:
        for person in people:
            person.join()


def one_sentence_or_two(error: ExplorerError, *says: str) -> None:
    text = str(error)
    assert "\n" not in text
    assert len(text) < 400
    assert text.endswith((".", ")", "?"))
    assert "Traceback" not in text
    for words in says:
        assert words in text


def test_wrong_address(free_port: int) -> None:
    with pytest.raises(ConnectionFailedError) as caught, explorer.connect(f"localhost:{free_port}") as session:
        _ = session.services
    one_sentence_or_two(caught.value, f"localhost:{free_port}", "Start the server, or correct the address")


def test_an_address_that_is_none() -> None:
    with pytest.raises(ConfigurationError) as caught:
        explorer.connect("local host:1")
    one_sentence_or_two(caught.value, "local host:1")


def test_tls_to_plaintext(plaintext_server: str) -> None:
    """With a token there is no falling back: the mix-up is named."""
    source = explorer.tokens.StaticTokenSource("token")
    with (
        pytest.raises(ConnectionFailedError) as caught,
        explorer.connect(plaintext_server, token_source=source) as session,
    ):
        _ = session.services
    one_sentence_or_two(caught.value, plaintext_server, "plaintext")


def test_plaintext_to_tls(demo: Demo) -> None:
    with pytest.raises(ConnectionFailedError) as caught, explorer.connect(demo.target, plaintext=True) as session:
        _ = session.services
    one_sentence_or_two(caught.value, demo.target, "TLS", "plaintext=True")


def test_unknown_certificate_authority(demo: Demo) -> None:
    with pytest.raises(ConnectionFailedError) as caught, explorer.connect(demo.target) as session:
        _ = session.services
    one_sentence_or_two(caught.value, demo.target, "root_certificates")


def test_wrong_issuer_nobody_there(free_port: int) -> None:
    with pytest.raises(AuthorizationServerUnavailableError) as caught:
        explorer.oauth.sign_in(f"http://127.0.0.1:{free_port}", client_id="notebook")
    one_sentence_or_two(caught.value, f"127.0.0.1:{free_port}")


def test_wrong_issuer_by_another_name(demo: Demo) -> None:
    other_name = demo.issuer.replace("127.0.0.1", "localhost")
    with pytest.raises(OAuthError) as caught:
        explorer.oauth.sign_in(other_name, client_id="notebook")
    one_sentence_or_two(caught.value, other_name, demo.issuer)


def test_wrong_client(demo: Demo) -> None:
    with pytest.raises(OAuthError) as caught:
        explorer.oauth.client_credentials(demo.issuer, client_id="service", client_secret="wrong").token()
    one_sentence_or_two(caught.value, "service")
    assert "wrong" not in str(caught.value)


def test_closed_consent(demo_factory: Callable[..., Demo]) -> None:
    demo = demo_factory()
    before = demo.counters()["token_requests"]
    with Person(demo) as ada, pytest.raises(AccessDeniedError) as caught:
        sign_in_by(demo, lambda page: ada.sign_in_at(page, "ada", allow=False, follow=True))
    one_sentence_or_two(caught.value)
    assert demo.counters()["token_requests"] == before, "nothing was asked for"


def test_expired_device_code(demo_factory: Callable[..., Demo]) -> None:
    demo = demo_factory(device_interval=1)
    server = explorer.oauth.authorization_server(demo.issuer)
    flow = explorer.oauth.DeviceFlow(server, client_id="notebook", scope="read:users")
    demo.advance(3600)
    with pytest.raises(SignInExpiredError) as caught:
        flow.wait()
    one_sentence_or_two(caught.value)


def test_unknown_user_id(session: explorer.Session) -> None:
    call = session["UserService"].GetUser(user_id="nobody")
    assert not call.ok
    with pytest.raises(RpcStatusError) as caught:
        _ = call.message
    one_sentence_or_two(caught.value, "NOT_FOUND", "nobody", "GetUser")


def test_a_field_of_the_wrong_type(session: explorer.Session) -> None:
    with pytest.raises(RequestError) as caught:
        session["UserService"].GetUser(user_id=5)
    one_sentence_or_two(caught.value, "user_id", "5", "text, in quotes")
    assert caught.value.field == "user_id"


def test_reflection_off(demo_factory: Callable[..., Demo]) -> None:
    demo = demo_factory(reflection="off")
    with (
        pytest.raises(ReflectionUnavailableError) as caught,
        explorer.connect(demo.target, root_certificates=demo.root_certificates) as session,
    ):
        _ = session.services
    one_sentence_or_two(caught.value, demo.target, "reflection")


def test_server_gone_in_mid_call_costs_nothing_already_collected(demo_factory: Callable[..., Demo]) -> None:
    demo = demo_factory()
    tokens = explorer.oauth.client_credentials(
        demo.issuer, client_id="service", client_secret="service-secret", scope="read:users"
    )
    ids = [f"user{number}" for number in range(1, 5001)]
    with explorer.connect(demo.target, token_source=tokens, root_certificates=demo.root_certificates) as session:
        get_user = session["UserService"].GetUser
        assert get_user(user_id="user123").ok
        stopper = threading.Thread(target=_stop_once_called, args=(demo, 200))
        stopper.start()
        frame = get_user.options(progress=False, timeout=5).collect(user_id=ids)
        stopper.join()
        codes = frame["status_code"].value_counts()
        assert codes["OK"] >= 200 - 64, "the server counted 200; those in flight when it went may never have arrived"
        assert set(codes.index) <= {"OK", "UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED"}
        assert len(frame) == len(ids), "every request ends as exactly one row"
        assert frame.loc[frame["status_code"] == "OK", "name"].notna().all()

        with pytest.raises(ConnectionFailedError) as caught:
            get_user.options(timeout=20)(user_id="user123")
        one_sentence_or_two(caught.value, demo.target, "Start the server")
        demo.start_grpc()
        assert get_user(user_id="user123").ok, "the session is usable again"
    tokens.sign_out()


def _stop_once_called(demo: Demo, calls: int) -> None:
    with suppress(RuntimeError):
        while demo.counters()["rpc"].get("OK", 0) < calls:
            pass
        demo.stop_grpc()
