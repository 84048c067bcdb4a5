"""Both servers in one process, with one clock and one set of counters."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Self

from explorer.demo.authorization_server.faults import Fault
from explorer.demo.authorization_server.service import AuthorizationService
from explorer.demo.clock import DemoClock
from explorer.demo.counting import Counts
from explorer.demo.registrations import CLIENTS, PEOPLE
from explorer.demo.resource_server.authorization import ReflectionAccess
from explorer.demo.resource_server.service import ResourceService
from explorer.demo.resource_server.token_validator import JwksCache, TokenValidator

__all__ = ["Options", "Program"]

_DAY = 86_400.0


@dataclass(frozen=True)
class Options:
    """What a demo is started with; :func:`explorer.demo.start` explains each."""

    token_lifetime: float = 300.0
    public_base_url: str | None = None
    reflection: ReflectionAccess = "open"
    leeway: float = 0.0
    device_interval: float = 5.0
    issuer_port: int = 0
    target_port: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.token_lifetime <= 365 * _DAY:
            raise ValueError(f"token_lifetime is {self.token_lifetime} s; it has to be above 0 and at most a year")
        if self.reflection not in ("open", "protected", "off"):
            raise ValueError(f"reflection is {self.reflection!r}; it has to be 'open', 'protected' or 'off'")
        if not 0 <= self.device_interval <= 600:
            raise ValueError(f"device_interval is {self.device_interval} s; it has to be between 0 and 600")


class Program:
    """A running demo. Its public methods, apart from :meth:`stop`, are the commands of the control pipe."""

    def __init__(self, options: Options) -> None:
        self._clock = DemoClock()
        self._counts = Counts()
        self._authorization = AuthorizationService(clock=self._clock, counts=self._counts, port=options.issuer_port)
        self._resource = ResourceService(port=options.target_port)
        self.issuer = self._authorization.issuer
        self.target = f"localhost:{self._resource.port}"
        self.audience = f"https://{self.target}"
        self._authorization.start(
            audience=self.audience,
            token_lifetime=options.token_lifetime,
            public_base_url=options.public_base_url,
            device_interval=options.device_interval,
        )
        keys = JwksCache(f"{self.issuer}/jwks")
        keys.load()
        validator = TokenValidator(
            issuer=self.issuer,
            audience=self.audience,
            keys=keys.key,
            clock=self._clock,
            leeway=options.leeway,
        )
        self._resource.start(validator, self._counts, reflection=options.reflection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def description(self) -> dict[str, Any]:
        """What a client needs to know, and the lessons."""
        return {
            "issuer": self.issuer,
            "target": self.target,
            "audience": self.audience,
            "root_certificates": self._resource.root_certificates.decode("ascii"),
            **self.issue_seed_tokens(),
            "people": {person.username: person.password for person in PEOPLE.values()},
            "clients": {client.client_id: client.client_secret for client in CLIENTS.values() if not client.signs},
            "private_key": self._authorization.client_key.as_pem(private=True).decode("ascii"),
        }

    def stop(self) -> None:
        """Stop both servers."""
        self._resource.close(grace=0.2)  # a farewell in good order: clients' logs stay clean
        self._authorization.stop()

    # Time

    def now(self) -> float:
        """The demo's clock."""
        return self._clock.now()

    def set_clock(self, seconds: float) -> float:
        """See DemoClock.set_offset."""
        return self._clock.set_offset(seconds)

    def advance(self, seconds: float) -> float:
        """See DemoClock.advance."""
        return self._clock.advance(seconds)

    # Looking

    def counters(self) -> dict[str, dict[str, int]]:
        """See Counts.snapshot."""
        return self._counts.snapshot()

    def issued(self) -> list[dict[str, str | float]]:
        """See Records.access_tokens."""
        return self._authorization.records.access_tokens()

    # Tokens

    def issue_seed_tokens(
        self, client_id: str = "seed", username: str = "ada", scope: str = "read:users"
    ) -> dict[str, str]:
        """A living refresh token, and an access token of the same grant that expired yesterday."""
        if client_id not in CLIENTS or username not in PEOPLE:
            raise ValueError(f"no client {client_id!r} or no person {username!r}")
        client, records, tokens = CLIENTS[client_id], self._authorization.records, self._authorization.tokens
        auth_time = self._clock.now() - 2 * _DAY
        access = tokens.access_token(
            client,
            subject=username,
            scope=scope,
            audience=self.audience,
            grant_type="refresh_token",
            auth_time=auth_time,
            issued_at=self._clock.now() - _DAY - tokens.lifetimes.get(client_id, tokens.token_lifetime),
        )
        family = access["access_token"][-32:]
        records.open_family(family, client_id, username)
        refresh = tokens.refresh_token(
            client, family=family, username=username, scope=scope, audience=self.audience, auth_time=auth_time
        )
        return {"refresh_token": refresh, "expired_access_token": access["access_token"]}

    def sign(self, claims: dict[str, Any], header: dict[str, Any]) -> str:
        """A JWT of any content under the server's own key: what a test of the resource server is made of."""
        return self._authorization.tokens.key.sign(claims, header)

    def set_token_lifetime(self, seconds: float, client_id: str | None) -> None:
        """The lifetime of access tokens issued from now on, for one client or for all that have none of their own."""
        if not seconds > 0:
            raise ValueError(f"a token lifetime has to be above 0 s, not {seconds}")
        if client_id is None:
            self._authorization.tokens.token_lifetime = seconds
        else:
            self._authorization.tokens.lifetimes[client_id] = seconds

    def kill_refresh_tokens(self, client_id: str) -> int:
        """End every living family of a client; how many there were."""
        number = self._authorization.records.kill_families_of(client_id, "command")
        self._counts.add("families_killed", "command", number)
        return number

    # Bad days

    def fail_token_requests(self, count: int, **fault: Any) -> None:
        """See Faults.plan."""
        self._authorization.faults.plan(Fault(**fault), count)

    def hold_token_requests(self) -> None:
        """See Faults.hold."""
        self._authorization.faults.hold()

    def release_token_requests(self) -> None:
        """See Faults.release."""
        self._authorization.faults.release()

    def set_reflection(self, reflection: ReflectionAccess) -> None:
        """See ResourceService.set_reflection."""
        self._resource.set_reflection(dataclasses.replace(Options(), reflection=reflection).reflection)

    def set_public_base_url(self, url: str | None) -> str:
        """See AuthorizationService.set_public_base_url."""
        return self._authorization.set_public_base_url(url)

    def stop_grpc(self) -> None:
        """Stop the gRPC server at once, calls under way included."""
        self._resource.stop()

    def start_grpc(self) -> None:
        """Start it again on the same port."""
        self._resource.start_again()
