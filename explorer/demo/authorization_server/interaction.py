"""The authorization endpoint and the device page: what happens between the pages."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from authlib.oauth2 import OAuth2Error
from werkzeug.wrappers import Request, Response

from explorer.demo.authorization_server import pages
from explorer.demo.authorization_server.grants import granted_scope
from explorer.demo.authorization_server.guesses import Guesses, TooManyGuessesError
from explorer.demo.authorization_server.protocol import ProtocolServer
from explorer.demo.authorization_server.sessions import Browser, Sessions
from explorer.demo.records import DeviceCredential
from explorer.demo.registrations import CLIENTS, PEOPLE, Person

__all__ = ["Interaction"]

_WRONG_CODE = "This code is unknown, has been used or has expired. Look at your notebook and type it again."


class Interaction:
    """Sign in, then allow or deny.

    Every redirect among the pages is relative to the page, so that they work behind a proxy that adds a prefix.
    """

    def __init__(self, server: ProtocolServer, sessions: Sessions) -> None:
        self._server = server
        self._sessions = sessions
        self._guesses = Guesses()

    def authorize(self, request: Request) -> Response:
        """The authorization endpoint (RFC 6749 §3.1)."""
        protocol_request = self._server.create_oauth2_request(request)
        try:
            grant = self._server.get_consent_grant(protocol_request)
        except OAuth2Error as error:
            return self._refusal(protocol_request, error)
        except ValueError:  # authlib quotes what it refuses, and refuses to quote some characters (RFC 6749 §4.1.2.1)
            return _wrong_link("it holds characters that do not belong into an address.")
        client = protocol_request.client
        browser = self._sessions.browser(request)
        if request.method == "GET" and "login" in request.args.get("prompt", "").split() and browser.person:
            browser = self._sessions.sign_out(browser)  # whoever is there is asked again (OpenID Connect Core §3.1.2.1)
        target = _origin(grant.redirect_uri)
        settled = self._sign_in_first(
            request, browser, purpose=f"to continue to {client.client_name}", here="authorize"
        )
        if settled is not None:
            return settled
        person = _person(browser)
        if request.method == "POST" and request.form.get("action") in ("allow", "deny"):
            allowed = request.form["action"] == "allow"
            self._server.counts.add("pages", "allow" if allowed else "deny")
            protocol_request.auth_time = browser.session.auth_time
            answer: Response = self._server.create_authorization_response(
                protocol_request, grant_user=person if allowed else None, grant=grant
            )
            answer.headers["Referrer-Policy"] = "no-referrer"
            answer.status_code = 303  # a POST's answer is fetched with GET (RFC 9700 §4.12)
            return answer
        page = pages.consent_page(
            browser.session.csrf_token,
            client_name=client.client_name,
            client_id=client.client_id,
            person=person.name,
            scopes=_scopes(person, protocol_request.scope),
            destination=target,
            form_target=target if "[" not in target else "http:",  # CSP knows no IPv6 literals
        )
        return self._sessions.remember(browser, page)

    def _refusal(self, protocol_request: Any, error: OAuth2Error) -> Response:
        """To the client where its redirect URI is known to be its own; else only the person may learn of it."""
        if error.redirect_uri:
            response: Response = self._server.handle_error_response(protocol_request, error)
            return response
        reason = error.get_error_description() or error.error
        if error.error == "unsupported_response_type":
            reason = "its response_type has to be code."
        if error.error == "invalid_client" and (client_id := protocol_request.payload.client_id):
            reason = self._server.unknown_client(client_id)
        return _wrong_link(reason)

    def device(self, request: Request) -> Response:
        """The verification page (RFC 8628 §3.3)."""
        browser = self._sessions.browser(request)
        settled = self._sign_in_first(request, browser, purpose="to connect a notebook", here="device")
        if settled is not None:
            return settled
        user_code = _tidy(request.args.get("user_code", ""))
        if not user_code:
            return self._sessions.remember(browser, pages.enter_code_page())
        try:
            waiting = self._waiting(user_code)
        except TooManyGuessesError as refused:
            self._server.counts.add("pages", "guess_refused")
            return self._sessions.remember(browser, pages.wait_for_code_page(refused.seconds, user_code))
        if waiting is None:
            return self._sessions.remember(browser, pages.enter_code_page(error=_WRONG_CODE, user_code=user_code))
        if request.method == "POST" and request.form.get("action") in ("allow", "deny"):
            return self._settle(waiting, _person(browser), allowed=request.form["action"] == "allow")
        client, person = CLIENTS[waiting.client_id], _person(browser)
        page = pages.consent_page(
            browser.session.csrf_token,
            client_name=client.client_name,
            client_id=client.client_id,
            person=person.name,
            scopes=_scopes(person, waiting.scope),
            user_code=user_code,
        )
        return self._sessions.remember(browser, page)

    def _waiting(self, user_code: str) -> DeviceCredential | None:
        now = self._server.clock.now()
        return self._guesses.look_up(lambda: self._server.records.waiting_device(user_code, now), now)

    def _settle(self, waiting: DeviceCredential, person: Person, *, allowed: bool) -> Response:
        outcome = "allowed" if allowed else "denied"
        granted = granted_scope(person, waiting.scope) if allowed else ""
        if not self._server.records.settle_device(waiting, outcome, person.username, granted, self._server.clock.now()):
            return pages.enter_code_page(error=_WRONG_CODE)
        self._server.counts.add("pages", "allow" if allowed else "deny")
        if allowed:
            return pages.message_page(
                "Signed in", "Your notebook goes on by itself. You can close this page.", mark="done"
            )
        return pages.message_page("Denied", "Nothing was granted. You can close this page.", mark="denied")

    def _sign_in_first(self, request: Request, browser: Browser, *, purpose: str, here: str) -> Response | None:
        """What to answer while nobody is signed in, or a form is not ours; None where all is well."""
        again = f"{here}?{request.query_string.decode('ascii', 'replace')}" if request.query_string else here
        if request.method == "POST" and not browser.sent_our_form(request):
            self._server.counts.add("pages", "csrf_refused")
            return pages.message_page(
                "This form is out of date",
                "It was not sent from this page, or the page was open for too long. Open the link again.",
                mark="failed",
                status=403,
            )
        action = request.form.get("action") if request.method == "POST" else None
        if action == "sign_in":
            return self._check_password(request, browser, purpose=purpose, again=_asked_once(again))
        if action == "sign_out":
            return self._sessions.remember(self._sessions.sign_out(browser), _see_other(again))
        if browser.person is None:
            page = pages.sign_in_page(browser.session.csrf_token, purpose=purpose)
            return self._sessions.remember(browser, page)
        return None

    def _check_password(self, request: Request, browser: Browser, *, purpose: str, again: str) -> Response:
        username = request.form.get("username", "").strip()
        person = PEOPLE.get(username)
        if person is None or request.form.get("password") != person.password:
            self._server.counts.add("pages", "wrong_password")
            page = pages.sign_in_page(
                browser.session.csrf_token,
                purpose=purpose,
                error="This user name and password do not go together.",
                username=username,
            )
            return self._sessions.remember(browser, page)
        self._server.counts.add("pages", "sign_in")
        return self._sessions.remember(self._sessions.sign_in(browser, person), _see_other(again))


def _person(browser: Browser) -> Person:
    if browser.person is None:
        raise LookupError("nobody is signed in; the caller asked too early")
    return browser.person


def _wrong_link(reason: str) -> Response:
    text = f"The request from the application cannot be used: {reason}"
    return pages.message_page("Something is wrong with this link", text, mark="failed", status=400)


def _see_other(relative: str) -> Response:
    return Response(status=303, headers={"Location": relative, "Cache-Control": "no-store"})


def _asked_once(relative: str) -> str:
    """The address without its ``prompt``: who has just signed in is not asked to again."""
    path, _, query = relative.partition("?")
    kept = "&".join(one for one in query.split("&") if one.partition("=")[0] != "prompt")
    return f"{path}?{kept}" if kept else path


def _origin(redirect_uri: str) -> str:
    parts = urlsplit(redirect_uri)
    return f"{parts.scheme}://{parts.netloc}"


def _scopes(person: Person, scope: str) -> dict[str, bool]:
    held = granted_scope(person, scope).split()
    return {token: token in held for token in scope.split()}


def _tidy(user_code: str) -> str:
    """A code as it is kept, however it was typed (RFC 8628 §6.1)."""
    letters = re.sub(r"[^A-Z]", "", user_code.upper())[:8]
    return f"{letters[:4]}-{letters[4:]}" if letters else ""
