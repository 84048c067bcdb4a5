"""The authorization code grant with PKCE and a loopback redirect (RFC 6749 §4.1, 7636, 8252), step by step."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Mapping
from typing import Self

from explorer.clock import SYSTEM_CLOCK, Clock
from explorer.errors import ConfigurationError, ExplorerError, InvalidCallbackError, OAuthError
from explorer.oauth.authorization_request import (
    ASKING,
    STATE_LIFETIME,
    AuthorizationRequest,
    parameters_of,
    query_of,
)
from explorer.oauth.id_token import check_id_token
from explorer.oauth.loopback_receiver import LoopbackReceiver, Verdict
from explorer.oauth.metadata import AuthorizationServer
from explorer.oauth.pending import Pending
from explorer.oauth.private_key import PrivateKey, signing_key
from explorer.oauth.redirect_uri import listening_for, unheard_port
from explorer.oauth.secret_arguments import require_text, wrapped
from explorer.oauth.sign_in_request import SignInRequest
from explorer.oauth.source import OAuthTokenSource
from explorer.oauth.storage import Store
from explorer.oauth.token_response import granted
from explorer.oauth.transport import Answer, Failure
from explorer.text import printable
from explorer.tokens import Secret

__all__ = ["AuthorizationCodeFlow"]

_ATTEMPTS = 3  # to send the code, as long as none of them has left this machine

_SOON = 5.0  # seconds that the browser's page waits to say how it went

_SIGNED_IN = Verdict(final=True, title="Signed in", text="The notebook goes on by itself. You can close this tab.")
_ARRIVED = Verdict(
    final=True,
    title="Back to the notebook",
    text="The notebook has its answer, and says whether you are signed in. You can close this tab.",
)
_NOT_OURS = Verdict(
    final=False,
    title="Not the answer that was waited for",
    text="This address waits for the answer to a sign-in that was started in a notebook, and this is not it.",
)


class AuthorizationCodeFlow:
    """One sign-in in a browser: open :attr:`authorization_url`, then :meth:`wait` for the token source.

    PKCE with S256 always, ``state`` of one use and ten minutes, ``iss`` checked (RFC 9207). The answer comes to a
    loopback receiver that closes after one valid answer; a request that is not the answer changes nothing. Where the
    browser cannot reach the receiver, the address at which it failed is handed to :meth:`paste`. The code is exchanged
    as soon as it comes, in a thread of the flow's own. Making the flow discovers the server, which blocks.

    ``redirect_uri`` is one that was registered: a loopback one (``localhost`` is listened at as 127.0.0.1; without a
    port, one is chosen), or an https one, whose answer can only be pasted. ``listen=False`` does without the receiver.
    ``resource`` is RFC 8707's; ``audience`` what some servers have in its place; ``authorization_parameters`` are
    further ones of the request, such as ``prompt`` or ``login_hint``, and never those that keep it safe. ``store`` and
    ``account`` are as in :func:`~explorer.oauth.sign_in`, but what is stored already is replaced and not used. Raises
    ConfigurationError or OAuthError where it cannot begin.
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
        redirect_uri: str | None = None,
        listen: bool = True,
        store: Store = "memory",
        account: str | None = None,
        private_key: PrivateKey | str | None = None,
        client_authentication: str | None = None,
        root_certificates: bytes | None = None,
        timeout: float = STATE_LIFETIME,
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
            redirect_uri=redirect_uri,
            client_authentication=client_authentication,
            root_certificates=root_certificates,
            clock=clock,
        )
        self._begin(asked, listen=listen, timeout=timeout)

    @classmethod
    def of(cls, asked: SignInRequest, *, listen: bool = True, timeout: float = STATE_LIFETIME) -> Self:
        """The flow for a request whose parts are checked."""
        flow = cls.__new__(cls)
        flow._begin(asked, listen=listen, timeout=timeout)  # noqa: SLF001 - it is this class's own
        return flow

    def _begin(self, asked: SignInRequest, *, listen: bool, timeout: float) -> None:
        server = asked.server
        if server.authorization_endpoint is None:
            raise ConfigurationError(f"{server.issuer} names no authorization_endpoint; sign in with method='device'.")
        self._asked, self._client, self._clock = asked, asked.client, asked.clock
        self._pending: Pending[OAuthTokenSource] = Pending(self._clock, min(timeout, STATE_LIFETIME), self._ended)
        self._answered = threading.Lock()  # taken once, by the one answer
        self._exchanged = threading.Event()
        self._receiver: LoopbackReceiver | None = None
        redirect_uri = asked.redirect_uri
        if (listening := listening_for(redirect_uri)) is not None and listen:
            self._receiver = LoopbackReceiver(self._said, lambda: self._pending.remaining() > 0, listening)
            redirect_uri = self._receiver.redirect_uri
        elif listening is not None:
            redirect_uri = listening.uri(listening.port or unheard_port())
        try:
            self._request = AuthorizationRequest(
                server,
                asked.client.client_id,
                str(redirect_uri),
                asked.scope,
                asked.resource,
                self._clock.now(),
                audience=asked.audience,
                further=asked.further,
            )
            self.authorization_url = self._request.url
        except BaseException:
            self._ended()
            raise

    @property
    def scope(self) -> tuple[str, ...]:
        """What is asked for."""
        return self._request.scope or ()

    @property
    def redirect_uri(self) -> str:
        """Where the browser brings the answer."""
        return self._request.redirect_uri

    @property
    def listens(self) -> bool:
        """Whether a receiver waits there; otherwise the answer has to be pasted."""
        return self._receiver is not None

    def remaining(self) -> float:
        """Seconds until this sign-in expires."""
        return self._pending.remaining()

    def settled(self, seconds: float = 0.0) -> bool:
        """Whether the outcome is there after ``seconds`` at most; unlike :meth:`wait`, this ends nothing."""
        return self._pending.settled(seconds)

    def wait(self, timeout: float | None = None) -> OAuthTokenSource:
        """Block until the person is done, for ``timeout`` seconds at most, and never longer than ten minutes.

        Raises AccessDeniedError, SignInExpiredError, InvalidCallbackError or another OAuthError; each of them, the
        time-out and Ctrl-C end the flow.
        """
        return self._pending.wait(timeout)

    def paste(self, callback_url: str | Secret) -> None:
        """Bring the answer by hand: the whole address at which the browser ended, also where it could not be reached.

        It holds the code and is as secret as that. ``state``, ``iss`` and PKCE are checked as for one that came by
        itself; :meth:`wait` has the outcome. Returns at once, from any thread. Raises InvalidCallbackError for what is
        not the answer to this sign-in, which then goes on.
        """
        callback_url = wrapped(callback_url)
        require_text(callback_url=callback_url)
        if self._pending.over:
            raise InvalidCallbackError("This sign-in is over, so no answer to it can be pasted. Start it again.")
        query = query_of(callback_url, self.redirect_uri)
        if query is None:
            raise InvalidCallbackError(
                f"What was pasted is not the address that the sign-in ends at: {printable(self.redirect_uri, 200)}?… "
                "Copy all of it from the browser's address bar; nothing was sent."
            )
        if not self._judge(query.reveal()).final:
            raise InvalidCallbackError(
                "What was pasted does not answer this sign-in: its state is missing, used or another's. Copy the "
                "address from the page that was opened last; nothing was sent."
            )
        self._ended()

    def cancel(self) -> None:
        """End the flow and close the receiver."""
        self._pending.cancel()

    def _ended(self) -> None:
        if self._receiver is not None:
            self._receiver.close()

    def _said(self, query: str) -> Verdict:
        """What the browser's page says of it: how the sign-in went, where that is known soon."""
        verdict = self._judge(query)
        if verdict is not _ARRIVED or not self._exchanged.wait(_SOON):
            return verdict
        return _SIGNED_IN if self._pending.error is None else _not_signed_in(self._pending.error)

    def _judge(self, query: str) -> Verdict:
        parameters = parameters_of(query)
        if self._pending.over or parameters is None or not self._request.answers(parameters, self._clock.now()):
            return _NOT_OURS
        if not self._answered.acquire(blocking=False):
            return _NOT_OURS
        try:
            code = self._request.code(parameters)
        except OAuthError as error:
            self._pending.fail(error)
            return _not_signed_in(error)
        threading.Thread(target=self._exchange, args=(code,), name="explorer-oauth-code", daemon=True).start()
        return _ARRIVED

    def _exchange(self, code: Secret) -> None:
        try:
            source = self._granted(code)
        except ExplorerError as error:
            self._pending.fail(error)
        except Exception as error:  # noqa: BLE001 - nobody sees this thread die, and somebody waits for it
            self._pending.fail(OAuthError(f"{ASKING} failed with {type(error).__name__}. Start it again."))
        else:
            if not self._pending.settle(source):
                source.sign_out()  # cancelled while the answer was on its way
        finally:
            self._exchanged.set()

    def _granted(self, code: Secret) -> OAuthTokenSource:
        request, asked_at = self._request, self._clock.now()
        brought = granted(self._send(code), asking=self._client.asking(ASKING), asked_at=asked_at, scope=request.scope)
        if brought.token.id_token is not None and request.nonce is not None:
            check_id_token(
                brought.token.id_token,
                issuer=request.server.issuer,
                client_id=request.client_id,
                nonce=request.nonce,
                now=self._clock.now(),
            )
        return self._asked.source(brought)

    def _send(self, code: Secret) -> Answer | Failure:
        form: dict[str, str | Secret] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._request.redirect_uri,
            "code_verifier": self._request.code_verifier,
        }
        if self._request.resource is not None:
            form["resource"] = self._request.resource
        for attempt in range(1, _ATTEMPTS + 1):
            outcome = self._client.token_request(form)
            # A code is good once: it is sent again only if it never left (RFC 6749 §4.1.2).
            again = isinstance(outcome, Failure) and not outcome.sent and not outcome.configuration
            if not again or attempt == _ATTEMPTS:
                break
            if not self._pending.pause(random.uniform(0, 2.0**attempt)):  # noqa: S311 - jitter, not a secret
                break
        return outcome


def _not_signed_in(error: ExplorerError) -> Verdict:
    return Verdict(final=True, title="Not signed in", text=str(error))
