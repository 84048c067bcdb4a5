"""The device authorization grant (RFC 8628): for a kernel whose loopback no browser can reach."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Self

from explorer.clock import SYSTEM_CLOCK, Clock
from explorer.errors import AuthorizationServerUnavailableError, ExplorerError, OAuthConfigurationError, OAuthError
from explorer.oauth import scopes
from explorer.oauth.error_response import error_from_answer
from explorer.oauth.id_token import check_id_token
from explorer.oauth.metadata import AuthorizationServer
from explorer.oauth.pending import Pending
from explorer.oauth.private_key import PrivateKey, signing_key
from explorer.oauth.secret_arguments import wrapped
from explorer.oauth.sign_in_request import SignInRequest
from explorer.oauth.source import OAuthTokenSource
from explorer.oauth.storage import Store
from explorer.oauth.token_response import Granted, granted
from explorer.oauth.transport import Answer, Failure, endpoint_problem
from explorer.text import printable
from explorer.tokens import Secret

__all__ = ["DeviceFlow"]

ASKING = "Signing in by device code"

_INTERVAL = 5.0  # seconds, where the server names none (RFC 8628 §3.2)
_SHORTEST_INTERVAL = 0.1  # seconds, whatever the server names: without a pause, polls take a core for an hour
_SLOWER = 5.0  # seconds that each slow_down adds for good (§3.5)
_LIFETIME = 600.0  # seconds, where the server names none, though it must
_LONGEST_LIFETIME = 3600.0  # seconds, whatever the server names: nobody is waited for longer
_LONGEST_PAUSE = 60.0


class DeviceFlow:
    """One sign-in on another page, or another device: show :attr:`verification_uri` and :attr:`user_code`, then wait.

    Making the flow sends the device authorization request, so it is made on a person's click and never by itself. The
    polling begins with the first :meth:`wait` and is one thread, however many wait. ``user_code`` and both URIs are the
    server's text, cleaned; who writes them as HTML escapes them. Show them with the client's name, the scopes and
    "only if you started this" (RFC 8628 §5.4). Both pages are https or loopback, or on ``jupyter_origin``. Raises
    ConfigurationError or OAuthError where it cannot begin. ``audience``, ``authorization_parameters``, ``store`` and
    ``account`` are as in :class:`~explorer.oauth.AuthorizationCodeFlow`.
    """

    def __init__(
        self,
        issuer: str | AuthorizationServer,
        *,
        client_id: str,
        client_secret: str | Secret | None = None,
        scope: str | Iterable[str] | None = None,
        resource: str | None = None,
        audience: str | None = None,
        authorization_parameters: Mapping[str, str] | None = None,
        store: Store = "memory",
        account: str | None = None,
        private_key: PrivateKey | str | None = None,
        client_authentication: str | None = None,
        root_certificates: bytes | None = None,
        jupyter_origin: str | None = None,
        timeout: float | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        client_secret = wrapped(client_secret)
        private_key = signing_key(private_key)
        asked = SignInRequest.checked(
            issuer,
            client_id=client_id,
            client_secret=client_secret,
            private_key=private_key,
            scope=scope,
            resource=resource,
            audience=audience,
            authorization_parameters=authorization_parameters,
            store=store,
            account=account,
            client_authentication=client_authentication,
            root_certificates=root_certificates,
            clock=clock,
        )
        self._begin(asked, jupyter_origin, timeout)

    @classmethod
    def of(cls, asked: SignInRequest, *, jupyter_origin: str | None = None, timeout: float | None = None) -> Self:
        """The flow for a request whose parts are checked."""
        flow = cls.__new__(cls)
        flow._begin(asked, jupyter_origin, timeout)  # noqa: SLF001 - it is this class's own
        return flow

    def _begin(self, asked: SignInRequest, jupyter_origin: str | None, timeout: float | None) -> None:
        self._asked, self._client, self._clock = asked, asked.client, asked.clock
        answer = self._authorized()
        self.user_code = printable(_required(answer, "user_code"), 100)
        self.verification_uri, self.verification_uri_complete = _pages(answer, jupyter_origin)
        self._device_code = Secret(_required(answer, "device_code"))
        self._interval = max(answer.seconds("interval") or _INTERVAL, _SHORTEST_INTERVAL)
        lifetime = min(answer.seconds("expires_in") or _LIFETIME, _LONGEST_LIFETIME)
        self._pending: Pending[OAuthTokenSource] = Pending(
            self._clock, lifetime if timeout is None else min(lifetime, timeout), lambda: None
        )
        self._starting = threading.Lock()
        self._poller: threading.Thread | None = None

    @property
    def scope(self) -> tuple[str, ...]:
        """What is asked for."""
        return self._asked.scope or ()

    def remaining(self) -> float:
        """Seconds until the user code expires."""
        return self._pending.remaining()

    def wait(self, timeout: float | None = None) -> OAuthTokenSource:
        """Block until the person is done, for ``timeout`` seconds at most, and never longer than the code lives.

        Raises AccessDeniedError, SignInExpiredError or another OAuthError; each of them, the time-out and Ctrl-C end
        the flow and its polling.
        """
        with self._starting:
            if self._poller is None and not self._pending.over:
                self._poller = threading.Thread(target=self._poll, name="explorer-oauth-device", daemon=True)
                self._poller.start()
        return self._pending.wait(timeout)

    def cancel(self) -> None:
        """End the flow and its polling."""
        self._pending.cancel()

    def _authorized(self) -> Answer:
        asked = self._asked
        form: dict[str, str | Secret] = {**asked.further}
        named = {"audience": asked.audience, "scope": scopes.as_text(asked.scope), "resource": asked.resource}
        form |= {name: value for name, value in named.items() if value is not None}
        outcome = self._client.device_authorization_request(form)
        if isinstance(outcome, Failure):
            raise outcome.error()
        if outcome.secret("device_code") is None or outcome.text("error") is not None:
            raise error_from_answer(outcome, self._client.asking(ASKING))
        return outcome

    def _poll(self) -> None:
        try:
            brought = self._granted()
            if brought is None:
                self._pending.expire()  # or cancelled: then that stands
                return
            source = self._asked.source(brought)
        except ExplorerError as error:
            self._pending.fail(error)
        except Exception as error:  # noqa: BLE001 - nobody sees this thread die, and somebody waits for it
            self._pending.fail(OAuthError(f"{ASKING} failed with {type(error).__name__}. Start it again."))
        else:
            if not self._pending.settle(source):
                source.sign_out()  # cancelled while the last answer was on its way

    def _granted(self) -> Granted | None:
        """Poll until there is an answer; None when the sign-in was over first."""
        pause = self._interval
        while self._pending.pause(pause):
            asked_at = self._clock.now()
            outcome = self._client.token_request(
                {
                    "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
                    "device_code": self._device_code,
                }
            )
            if (again := self._pause_after(outcome, pause)) is not None:
                pause = again
                continue
            brought = granted(outcome, asking=self._client.asking(ASKING), asked_at=asked_at, scope=self._asked.scope)
            if brought.token.id_token is not None and "openid" in self.scope:
                self._check(brought.token.id_token)
            return brought
        return None

    def _pause_after(self, outcome: Answer | Failure, pause: float) -> float | None:
        """Seconds until the next poll; None when the answer decides (RFC 8628 §3.5)."""
        code = None if isinstance(outcome, Failure) else outcome.text("error")
        if code == "authorization_pending":
            return self._interval
        if code == "slow_down":
            self._interval += _SLOWER
            return self._interval
        if isinstance(outcome, Failure):
            trouble, wish = not outcome.configuration, 0.0
        elif outcome.secret("access_token") is not None:
            return None
        else:
            error = error_from_answer(outcome, self._client.asking(ASKING))
            trouble = isinstance(error, AuthorizationServerUnavailableError)
            wish = outcome.retry_after or 0.0
        # Twice as long after each trouble in a row, and back to the interval with the first answer.
        return max(min(2 * pause, max(_LONGEST_PAUSE, self._interval)), wish) if trouble else None

    def _check(self, id_token: Secret) -> None:
        issuer, client_id = self._client.server.issuer, self._client.client_id
        check_id_token(id_token, issuer=issuer, client_id=client_id, nonce=None, now=self._clock.now())


def _required(answer: Answer, name: str) -> str:
    if (value := answer.text(name)) is None:
        raise OAuthConfigurationError(f"{ASKING}: {answer.url} gave no {name} (RFC 8628 §3.2 requires it).")
    return value


def _pages(answer: Answer, jupyter_origin: str | None) -> tuple[str, str | None]:
    """The verification page, and the one with the code in it where there is a usable one (T15)."""
    # The drafts of RFC 8628 called it verification_url, and a large server has kept to that.
    named = "verification_uri" if answer.text("verification_uri") else "verification_url"
    page = answer.text(named) or _required(answer, "verification_uri")
    if problem := _page_problem(page, jupyter_origin):
        msg = f"{ASKING}: the verification_uri {printable(page, 200)!r} is refused: {problem}."
        raise OAuthConfigurationError(msg)
    complete = answer.text("verification_uri_complete")
    return page, None if _page_problem(complete, jupyter_origin) else complete


def _page_problem(page: str | None, jupyter_origin: str | None) -> str | None:
    own = page is not None and jupyter_origin is not None and page.startswith(f"{jupyter_origin.rstrip('/')}/")
    if own and printable(page) == page:
        return None
    # A page is no endpoint: it may be one of those that find their way by the fragment.
    place, _, fragment = (page or "").partition("#")
    if not fragment.isprintable() or not fragment.isascii() or " " in fragment:
        return "its fragment is not clean text"
    return endpoint_problem(place if isinstance(page, str) else page)
