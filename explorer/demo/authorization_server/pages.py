"""The pages a person sees: one card, no script, nothing from outside, every value escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path

from markupsafe import Markup
from werkzeug.wrappers import Response

from explorer.demo.registrations import SCOPES

__all__ = ["Page", "consent_page", "enter_code_page", "message_page", "sign_in_page", "wait_for_code_page"]

_HERE = Path(__file__).parent
_STYLE = (_HERE / "pages.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
# Markup, so that format() escapes what is put in; the templates and the style are files of this package.
_TEMPLATES = {file.stem: Markup(file.read_text(encoding="utf-8")) for file in (_HERE / "templates").glob("*.html")}  # noqa: S704 - files of ours
_NOTHING = Markup("")


class Page(Response):
    """An HTML page with the headers that keep it to itself.

    ``form_target`` is where a form's answer may redirect to besides this server: browsers apply ``form-action`` to
    the redirect as well, so a loopback receiver has to be named.
    """

    default_mimetype = "text/html"

    def __init__(self, title: str, body: Markup, *, status: int = 200, form_target: str = "") -> None:
        html = _TEMPLATES["layout"].format(title=title, style=Markup(_STYLE), body=body)  # noqa: S704  see above
        super().__init__(html, status=status)
        form_action = f"'self' {form_target}".rstrip()
        self.headers["Content-Security-Policy"] = (
            f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action {form_action}; "
            "base-uri 'none'; frame-ancestors 'none'"
        )
        self.headers["X-Frame-Options"] = "DENY"
        self.headers["X-Content-Type-Options"] = "nosniff"
        self.headers["Referrer-Policy"] = "no-referrer"
        self.headers["Cache-Control"] = "no-store"


def _alert(error: str) -> Markup:
    return Markup('<p class="error" role="alert">{}</p>').format(error) if error else _NOTHING


def _scope_list(scopes: Mapping[str, bool]) -> Markup:
    if not scopes:
        return Markup('<p class="quiet">It asks for no permissions.</p>')
    held = Markup("<li><span>{}</span> <code>{}</code></li>")
    unavailable = Markup(
        '<li class="unavailable"><span>{}</span> <code>{}</code>'
        " <small>Your account does not have this; it will not be granted.</small></li>"
    )
    rows = [(held if is_held else unavailable).format(SCOPES[scope], scope) for scope, is_held in scopes.items()]
    return Markup('<ul class="scopes">{}</ul>').format(_NOTHING.join(rows))


def sign_in_page(csrf_token: str, *, purpose: str, error: str = "", username: str = "") -> Page:
    """User name and password. The form goes back to the page's own address, whatever a proxy made of it."""
    autofocus, elsewhere = Markup(" autofocus"), _NOTHING
    first, second = (elsewhere, autofocus) if username else (autofocus, elsewhere)
    focus = {"focus_username": first, "focus_password": second}
    body = _TEMPLATES["sign_in"].format(
        csrf_token=csrf_token, purpose=purpose, error=_alert(error), username=username, **focus
    )
    return Page("Sign in", body, status=422 if error else 200)


def consent_page(
    csrf_token: str,
    *,
    client_name: str,
    client_id: str,
    person: str,
    scopes: Mapping[str, bool],
    user_code: str = "",
    destination: str = "",
    form_target: str = "",
) -> Page:
    """Allow or deny; with a ``user_code`` for a device, else for a redirect to ``destination``.

    ``scopes`` maps each scope asked for to whether the person has it to give.
    """
    onward = Markup('<p class="quiet">You go on to <code>{}</code>, on your own machine.</p>').format(destination)
    body = _TEMPLATES["consent"].format(
        csrf_token=csrf_token,
        client_name=client_name,
        client_id=client_id,
        person=person,
        scopes=_scope_list(scopes),
        device=_TEMPLATES["device_code"].format(user_code=user_code) if user_code else _NOTHING,
        onward=onward if destination else _NOTHING,
    )
    return Page(f"Allow {client_name}?", body, form_target=form_target)


def enter_code_page(*, error: str = "", user_code: str = "") -> Page:
    """Where the code from the other screen is typed."""
    body = _TEMPLATES["enter_code"].format(error=_alert(error), user_code=user_code)
    return Page("Connect a notebook", body, status=404 if error else 200)


def wait_for_code_page(seconds: int, user_code: str) -> Page:
    """The same, where too many wrong codes came for any to be looked at now (RFC 8628 §5.1; RFC 6585 §4)."""
    wait = "1 second" if seconds == 1 else f"{seconds} seconds"
    page = enter_code_page(error=f"Too many wrong codes were typed. Wait {wait}, then go on.", user_code=user_code)
    page.status_code = 429
    page.headers["Retry-After"] = str(seconds)
    return page


def message_page(title: str, text: str, *, mark: str, status: int = 200) -> Page:
    """An end: ``mark`` is "done", "denied" or "failed"."""
    sign = {"done": "✓", "denied": "–", "failed": "!"}[mark]
    return Page(title, _TEMPLATES["message"].format(title=title, text=text, mark=mark, sign=sign), status=status)
