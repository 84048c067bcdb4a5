"""Who sits at the browser: a session per browser, with the CSRF token that its forms carry."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from werkzeug.wrappers import Request, Response

from explorer.demo.clock import DemoClock
from explorer.demo.records import Records, Session, digest
from explorer.demo.registrations import PEOPLE, Person

__all__ = ["Browser", "Sessions"]

_MAXIMUM_AGE = 3600.0


@dataclass
class Browser:
    """One request's browser: its session, and the cookie value to set where the session is a new one."""

    session: Session
    new_cookie: str | None = None

    @property
    def person(self) -> Person | None:
        """Who is signed in here."""
        return PEOPLE.get(self.session.username or "")

    def sent_our_form(self, request: Request) -> bool:
        """Whether a POST came from a page of this session (and not from another site)."""
        return secrets.compare_digest(request.form.get("csrf_token", "").encode(), self.session.csrf_token.encode())


class Sessions:
    """Sessions in the records, found by a cookie.

    The cookie has the port in its name, because browsers tell ports of one host not apart, and no path, so that it
    works under whatever prefix a proxy adds.
    """

    def __init__(self, *, records: Records, clock: DemoClock, port: int) -> None:
        self._records = records
        self._clock = clock
        self._cookie = f"demo_sign_in_{port}"

    def browser(self, request: Request) -> Browser:
        """The browser of this request, known or new."""
        value = request.cookies.get(self._cookie)
        session = self._records.session(value) if value else None
        if session is None:
            return self._open(None)
        if session.auth_time is not None and self._clock.now() - session.auth_time > _MAXIMUM_AGE:
            self._records.end_session(session)
            return self._open(None)
        return Browser(session)

    def sign_in(self, browser: Browser, person: Person) -> Browser:
        """The same browser, signed in, under a new id: one that was known before signing in is worth nothing after."""
        self._records.end_session(browser.session)
        return self._open(person)

    def sign_out(self, browser: Browser) -> Browser:
        """The same browser with nobody in it."""
        self._records.end_session(browser.session)
        return self._open(None)

    def _open(self, person: Person | None) -> Browser:
        value = secrets.token_urlsafe(32)
        session = Session(
            id=digest(value),
            csrf_token=secrets.token_urlsafe(32),
            username=person.username if person else None,
            auth_time=self._clock.now() if person else None,
        )
        self._records.save_session(session)
        return Browser(session, new_cookie=value)

    def remember(self, browser: Browser, response: Response) -> Response:
        """Set the cookie where there is a new one."""
        if browser.new_cookie is not None:
            response.set_cookie(self._cookie, browser.new_cookie, path=None, httponly=True, samesite="Lax")
        return response
