"""A client made by hand, so that nothing of the explorer judges the demo."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import grpc
import httpx
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from person import Person

from explorer.demo import Demo
from explorer.demo.protos.directory_service_pb2 import DirectoryUser, ListUsersRequest
from explorer.demo.protos.user_service_pb2 import GetUserRequest, User

REDIRECT_URI = "http://127.0.0.1:49152/callback"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


class ByHand:
    """HTTP by httpx, gRPC by grpcio, and every parameter within reach."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        self.http = httpx.Client(base_url=demo.issuer, trust_env=False, timeout=120)
        self.verifier = secrets.token_urlsafe(32)
        credentials = grpc.ssl_channel_credentials(demo.root_certificates)
        self.channel = grpc.secure_channel(demo.target, credentials)

    def close(self) -> None:
        self.http.close()
        self.channel.close()

    # Authorization code

    @property
    def challenge(self) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def authorization_url(self, **changed: str | None) -> str:
        """A good request, changed; None leaves a parameter out."""
        parameters = {
            "response_type": "code",
            "client_id": "notebook",
            "redirect_uri": REDIRECT_URI,
            "scope": "read:users",
            "state": "the-state",
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
        } | changed
        return f"{self.demo.issuer}/authorize?" + urlencode({k: v for k, v in parameters.items() if v is not None})

    def callback(self, username: str = "ada", *, allow: bool = True, **changed: str | None) -> dict[str, str]:
        """What arrives at the redirect URI after the person went through the pages."""
        with Person(self.demo) as person:
            end = person.sign_in_at(self.authorization_url(**changed), username, allow=allow)
        assert isinstance(end, str), end
        return dict(parse_qsl(urlsplit(end).query))

    def redeem(self, code: str, **changed: str | None) -> httpx.Response:
        """The code's token request, changed."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "client_id": "notebook",
            "code_verifier": self.verifier,
        } | changed
        return self.http.post("/token", data={k: v for k, v in form.items() if v is not None})

    def sign_in(self, username: str = "ada", **changed: str | None) -> dict[str, Any]:
        """A whole sign-in; the token response."""
        answer = self.redeem(self.callback(username, **changed)["code"])
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    # The other grants

    def token(self, auth: tuple[str, str] | None = None, **form: str) -> httpx.Response:
        return self.http.post("/token", data=form, auth=auth)

    def service_token(self, **form: str) -> str:
        answer = self.token(("service", "service-secret"), grant_type="client_credentials", **form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def refresh(self, refresh_token: str, **form: str) -> httpx.Response:
        return self.token(None, grant_type="refresh_token", client_id="notebook", refresh_token=refresh_token, **form)

    def device(self, **changed: str) -> dict[str, Any]:
        answer = self.http.post(
            "/device_authorization", data={"client_id": "notebook", "scope": "read:users"} | changed
        )
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def poll(self, device_code: str, **changed: str) -> httpx.Response:
        form = {"grant_type": DEVICE_CODE, "client_id": "notebook", "device_code": device_code} | changed
        return self.token(None, **form)

    # gRPC

    def get_user(self, token: str | None, user_id: str = "user123", *, metadata: Any = None, **options: Any) -> User:
        call = self.channel.unary_unary(
            "/UserService/GetUser",
            request_serializer=GetUserRequest.SerializeToString,
            response_deserializer=User.FromString,
        )
        metadata = [("authorization", f"Bearer {token}")] if metadata is None and token is not None else metadata
        user: User = call(GetUserRequest(user_id=user_id), timeout=30, metadata=metadata, **options)
        return user

    def list_users(self, token: str, **request: Any) -> Iterator[DirectoryUser]:
        call = self.channel.unary_stream(
            "/explorer.demo.v1.DirectoryService/ListUsers",
            request_serializer=ListUsersRequest.SerializeToString,
            response_deserializer=DirectoryUser.FromString,
        )
        answer: Iterator[DirectoryUser] = call(
            ListUsersRequest(**request), timeout=60, metadata=[("authorization", f"Bearer {token}")]
        )
        return answer


class Refused:
    """A status other than OK, and its google.rpc details."""

    def __init__(self) -> None:
        self.code: str = ""
        self.text: str = ""
        self.details: list[Message] = []
        self.everything: str = ""

    @property
    def reason(self) -> str:
        return next(d.reason for d in self.details if isinstance(d, error_details_pb2.ErrorInfo))

    def detail(self, kind: type[Message]) -> Any:
        return next(d for d in self.details if isinstance(d, kind))

    def fill(self, error: Any) -> None:
        self.code, self.text = error.code().name, error.details()
        trailers = dict(error.trailing_metadata() or ())
        status = status_pb2.Status.FromString(trailers.get("grpc-status-details-bin", b""))
        for packed in status.details:
            kind = getattr(error_details_pb2, packed.type_url.rpartition(".")[2])
            message = kind()
            packed.Unpack(message)
            self.details.append(message)
        self.everything = f"{self.text} {trailers} {error.initial_metadata()}"


@contextmanager
def refused() -> Iterator[Refused]:
    """Expects a call to be refused, and keeps what was said."""
    answer = Refused()
    with pytest.raises(grpc.RpcError) as caught:
        yield answer
    answer.fill(caught.value)


@pytest.fixture
def by_hand(demo: Demo) -> Iterator[ByHand]:
    client = ByHand(demo)
    yield client
    client.close()


@pytest.fixture
def make_by_hand(demo_factory: Callable[..., Demo]) -> Iterator[Callable[..., ByHand]]:
    """A hand-made client of a fresh demo, whose clock and manners may be changed."""
    clients: list[ByHand] = []

    def make(**settings: Any) -> ByHand:
        clients.append(ByHand(demo_factory(**settings)))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture(name="refused")
def refused_fixture() -> Callable[[], Any]:
    return refused
