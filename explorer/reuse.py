"""One token for everybody while it lives, and one request for all when it does not: the source that others stack on."""

from __future__ import annotations

import concurrent.futures
import logging
import os
import random
import threading
import weakref
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from explorer.back_off import BackOff
from explorer.clock import SYSTEM_CLOCK, Clock
from explorer.errors import (
    AuthorizationServerUnavailableError,
    ExplorerError,
    OAuthConfigurationError,
    SignInRequiredError,
    TokenTimeoutError,
)
from explorer.renewer import start_renewer
from explorer.tokens import Token

__all__ = ["ReuseTokenSource", "TokenState"]

_log = logging.getLogger(__name__)

_RENEW_BETWEEN = (0.80, 0.84)  # parts of a lifetime
_SHORTEST_RENEWAL = 1.0  # seconds between two renewals that nobody asked for, however short the lifetime
_LONGEST_PATIENCE = 60.0  # seconds that a caller waits for its turn; a server that wants longer is told of instead
_NO_DATE = float("inf")  # seconds to a renewal that is not due at any time yet
_IDLE_AFTER = 600.0  # seconds without a caller or anybody who looks, after which nothing is renewed ahead of need


class TokenState(NamedTuple):
    """What a look at a :class:`ReuseTokenSource` shows."""

    token: Token | None
    refreshing: bool
    refresh_count: int
    last_error: Exception | None


class ReuseTokenSource:
    """Hands one token to everybody for as long as it lives, and fetches the next one once for all.

    Callers with an expired token share a single request and its outcome, be it a token or an error. Between 80 % and
    84 % of a lifetime the token is renewed in the background, while callers go on with the valid one. After a dead
    grant nothing more is sent. After a passing trouble the next request waits its turn (exponential, full jitter, at
    most 7 in any 30 s, ``Retry-After`` honoured); where that is more than a minute off, callers get the trouble instead
    of waiting. After ``idle_after`` seconds in which nobody asked for a token, and nobody looked (:meth:`touch`), the
    renewing rests until somebody does.

    Args:
        fetch: Makes one token request and returns its token; called from a thread of its own, never twice at once.
            Raises an :class:`~explorer.errors.OAuthError`.
        token: One to begin with.
        clock: Where the time comes from.
        renew: Whether to renew in the background.
        idle_after: Seconds without need, after which the renewing rests; None for never.
        dropped: Hears of a token that came when nobody was to have it any more; called from the request's thread.

    Safe from any thread and any event loop.

    """

    def __init__(
        self,
        fetch: Callable[[], Token],
        *,
        token: Token | None = None,
        clock: Clock = SYSTEM_CLOCK,
        renew: bool = True,
        idle_after: float | None = _IDLE_AFTER,
        dropped: Callable[[Token], object] = lambda _: None,
    ) -> None:
        self._fetch = fetch
        self._dropped = dropped
        self._clock = clock
        self._renew = renew
        self._idle_after = float("inf") if idle_after is None else idle_after
        self._changed = threading.Condition()  # its lock guards all that follows
        self._token = token
        self._usable = token is not None
        self._flight: concurrent.futures.Future[Token] | None = None
        self._refresh_count = 0
        self._last_error: Exception | None = None
        self._dead: Exception | None = None
        self._back_off = BackOff()
        self._renewal_due: float | None = None
        self._needed_at, self._resting = clock.now().boot, False
        self._renewer: threading.Thread | None = None
        self._listeners: list[Callable[[], None]] = []
        _alive.add(self)
        with self._changed:
            self._schedule_renewal()

    def token(self, *, timeout: float | None = None, rejected: Token | None = None) -> Token:
        """A valid token; waits, for at most ``timeout`` seconds, only where there is none.

        Args:
            timeout: Seconds this caller will wait; None for as long as the request itself may take.
            rejected: A token that a server has refused: exactly that one is never handed out again.

        Raises:
            SignInRequiredError: The grant is dead, or the source is closed. Nothing was sent.
            OAuthConfigurationError: The authorization server refuses this client. Not tried again by itself.
            AuthorizationServerUnavailableError: The one request, shared by all who waited, met a passing trouble.
            TokenTimeoutError: ``timeout`` is over; the refresh goes on.

        """
        with self._changed:
            self._need()
            if rejected is not None and self._holds(rejected) and self._usable:
                self._usable = False
                self._back_off.note_refusal(self._clock.now().boot)
            if self._token is not None and self._usable and not self._token.expired(self._clock.now()):
                return self._token
            flight = self._join_flight()
        return self._await(flight, timeout)

    def refresh(self, *, timeout: float | None = None) -> Token:
        """A token newer than the present one: joins the request under way, or starts one. Raises as :meth:`token`."""
        with self._changed:
            self._need()
            if isinstance(self._dead, OAuthConfigurationError):
                self._dead = None  # somebody asks on purpose: the registration may have been mended
            flight = self._join_flight()
        return self._await(flight, timeout)

    def touch(self) -> None:
        """Say that somebody looks, or will soon call: the renewing goes on, and resumes where it rested."""
        with self._changed:
            self._need()

    @property
    def snapshot(self) -> TokenState:
        """What there is at this moment; never waits for a request."""
        with self._changed:
            return TokenState(self._token, self._flight is not None, self._refresh_count, self._last_error)

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have ``listener`` called after each change, from whichever thread made it; returns what ends that."""
        with self._changed:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self._changed:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return unsubscribe

    def close(self, reason: Exception | None = None) -> None:
        """Forget the token and end the renewing; a request under way can bring nothing back. Idempotent."""
        with self._changed:
            self._dead = reason or SignInRequiredError("This sign-in is over. Sign in again.")
            self._token, self._usable, self._renewal_due = None, False, None
            flight, self._flight = self._flight, None
            self._changed.notify_all()
        if flight is not None:
            _settle(flight, error=self._dead)
        self._tell()

    def revive(self, token: Token, *, renew: bool) -> None:
        """Begin anew with this token, also after a dead grant or :meth:`close`; whoever waits gets it.

        What the request under way brings is dropped: it was asked for with what is over.
        """
        with self._changed:
            flight, self._flight = self._flight, None
            self._token, self._usable, self._renew = token, True, renew
            self._dead = self._last_error = None
            self._back_off.begin_anew()
            self._need()
            self._schedule_renewal()
            self._changed.notify_all()
        if flight is not None:
            _settle(flight, token=token)
        self._tell()

    def try_again(self) -> None:
        """Begin anew with the next caller, after a dead grant whose place another has taken."""
        with self._changed:
            self._dead = self._last_error = None
            self._back_off.begin_anew()
        self._tell()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        message = "A token source cannot be pickled: its grant lives in this process alone."
        raise TypeError(message)

    def _begin_in_child(self) -> None:
        """In a process forked off just now: threads were not forked along, and a lock that one held stays held."""
        self._changed = threading.Condition()
        self._flight = self._renewer = self._renewal_due = None

    def _holds(self, token: Token) -> bool:
        return self._token is not None and self._token.access_token == token.access_token

    def _join_flight(self) -> concurrent.futures.Future[Token]:
        if self._flight is not None:
            return self._flight
        if self._dead is not None:
            raise _for_one(self._dead)
        if self._last_error is not None and self._back_off.delay(self._clock.now().boot) > _LONGEST_PATIENCE:
            raise _for_one(self._last_error)
        flight = self._flight = concurrent.futures.Future()
        self._renewal_due = None
        try:
            threading.Thread(target=self._fly, args=(flight,), name="explorer-token-request", daemon=True).start()
        except BaseException:  # no more threads, or an interrupt: nobody would ever end this flight
            self._flight = None
            raise
        return flight

    def _await(self, flight: concurrent.futures.Future[Token], timeout: float | None) -> Token:
        # Not flight.result(timeout): the flight's own error may be a TimeoutError too.
        concurrent.futures.wait([flight], timeout)
        if not flight.done():
            raise TokenTimeoutError(
                f"No token within {timeout:g} s: the token request is still under way, and the next call will use its "
                "token. Allow more time if this happens often."
            ) from self._last_error
        error = flight.exception()
        if error is not None:
            raise _for_one(error)
        return flight.result()

    def _fly(self, flight: concurrent.futures.Future[Token]) -> None:
        self._announce()
        try:
            if not self._wait_for_turn(flight):
                return
            token = self._fetch()
        except BaseException as error:  # noqa: BLE001 - whatever it was belongs to those who wait
            self._land(flight, error=error)
        else:
            self._land(flight, token=token)

    def _wait_for_turn(self, flight: concurrent.futures.Future[Token]) -> bool:
        with self._changed:
            while self._flight is flight and (delay := self._back_off.delay(self._clock.now().boot)) > 0:
                self._clock.wait(self._changed, delay)
            return self._flight is flight

    def _land(
        self,
        flight: concurrent.futures.Future[Token],
        *,
        token: Token | None = None,
        error: BaseException | None = None,
    ) -> None:
        with self._changed:
            if awaited := self._flight is flight:
                self._flight = None
                if token is not None:
                    self._token, self._usable = token, True
                    self._refresh_count += 1
                    self._last_error = self._dead = None
                    self._back_off.note_success()
                else:
                    self._note_failure(error)
                self._schedule_renewal()
        if awaited:
            _settle(flight, token=token, error=error)
            self._tell()
        elif token is not None:  # closed meanwhile, and its waiters told
            self._dropped(token)

    def _note_failure(self, error: BaseException | None) -> None:
        self._last_error = error if isinstance(error, Exception) else None
        if isinstance(error, SignInRequiredError | OAuthConfigurationError):
            self._dead = error
            return
        retry_after = error.retry_after if isinstance(error, AuthorizationServerUnavailableError) else None
        self._back_off.note_trouble(self._clock.now().boot, retry_after)

    def _schedule_renewal(self) -> None:
        """Set when to renew, with the lock held, and see to it that somebody will."""
        if not self._renew or self._dead is not None or self._token is None or self._token.lifetime <= 0:
            return
        if self._last_error is not None:
            self._renewal_due = self._back_off.not_before
        else:
            now, share = self._clock.now(), random.uniform(*_RENEW_BETWEEN)  # noqa: S311 - jitter
            wait = share * self._token.lifetime - now.since(self._token.asked_at)
            self._renewal_due = now.boot + max(wait, _SHORTEST_RENEWAL)
        if self._renewer is None:
            self._renewer = start_renewer(self._renew_if_due, self._changed, self._clock)
        self._changed.notify_all()

    def _need(self) -> None:
        """Note that the token is needed, with the lock held."""
        self._needed_at = self._clock.now().boot
        if self._resting:
            self._resting = False
            self._schedule_renewal()

    def _renew_if_due(self) -> float | None:
        """Start the renewal if its time has come, with the lock held; seconds to the next look, None for no more."""
        if self._dead is not None:
            self._renewer = None
            return None
        if self._renewal_due is None:
            return _NO_DATE
        now = self._clock.now().boot
        delay = max(self._renewal_due - now, self._back_off.delay(now))
        if delay > 0:
            return delay
        if now - self._needed_at >= self._idle_after:
            self._renewal_due, self._resting = None, True
        else:
            self._join_flight()
        return _NO_DATE

    def _announce(self) -> None:
        """Tell that a request begins, from another thread: a listener that asks for a token waits for this one's."""
        if self._listeners:
            threading.Thread(target=self._tell, name="explorer-token-listeners", daemon=True).start()

    def _tell(self) -> None:
        with self._changed:
            listeners = list(self._listeners)
        for listener in listeners:
            try:
                listener()
            except Exception:  # noqa: BLE001 - whoever listens must not cost those who wait their token
                _log.exception("A listener to a token source failed.")


def _settle(
    flight: concurrent.futures.Future[Token], *, token: Token | None = None, error: BaseException | None = None
) -> None:
    if error is not None:
        flight.set_exception(error)
    elif token is not None:
        flight.set_result(token)


def _for_one(error: BaseException) -> BaseException:
    """The error to raise in one thread: raising adds that thread's frames and context, and they are nobody else's."""
    if not isinstance(error, ExplorerError):
        return error.with_traceback(None)
    own = type(error).__new__(type(error))
    own.args, own.__cause__ = error.args, error.__cause__
    vars(own).update(vars(error))
    return own


_alive: weakref.WeakSet[ReuseTokenSource] = weakref.WeakSet()


def _begin_in_child() -> None:
    for source in list(_alive):
        source._begin_in_child()  # noqa: SLF001 - its other half


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)
