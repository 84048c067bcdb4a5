"""The pages a person sees: one card, no script, nothing from outside, every value escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from markupsafe import Markup
from werkzeug.wrappers import Response

from explorer.demo.registrations import SCOPES

__all__ = ["Page", "code_form", "consent_page", "message_page", "scope_list", "sign_in_page"]

_STYLE = Path(__file__).with_name("pages.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

_LAYOUT = Markup("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<header><span class="mark" aria-hidden="true"></span>Demo sign-in</header>
{body}
</main>
<footer>A demo that runs on this machine only. Its people and passwords are made up.</footer>
</body>
</html>
""")


class Page(Response):
    """An HTML page with the headers that keep it to itself.

    ``form_target`` is where a form's answer may redirect to besides this server: browsers apply ``form-action`` to
    the redirect as well, so a loopback receiver has to be named.
    """

    default_mimetype = "text/html"

    def __init__(self, title: str, body: Markup, *, status: int = 200, form_target: str = "") -> None:
        html = _LAYOUT.format(title=title, style=Markup(_STYLE), body=body)  # noqa: S704  the style is our own file
        super().__init__(html, status=status)
        policy = (
            f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self' {form_target}".rstrip()
            + "; base-uri 'none'; frame-ancestors 'none'"
        )
        self.headers["Content-Security-Policy"] = policy
        self.headers["X-Frame-Options"] = "DENY"
        self.headers["X-Content-Type-Options"] = "nosniff"
        self.headers["Referrer-Policy"] = "no-referrer"
        self.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        self.headers["Cache-Control"] = "no-store"


def _join(parts: Iterable[Markup]) -> Markup:
    return Markup("\n").join(parts)


def _hidden(csrf_token: str) -> Markup:
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(csrf_token)


def scope_list(scopes: Mapping[str, bool]) -> Markup:
    """The scopes in words, each with its own name; False marks one that the person cannot pass on."""
    if not scopes:
        return Markup('<p class="quiet">It asks for no permissions.</p>')
    rows = [
        Markup('<li{}><span>{}</span> <code>{}</code>{}</li>').format(
            "" if held else Markup(' class="unavailable"'),
            SCOPES[scope],
            scope,
            "" if held else Markup(" <small>Your account does not have this, so it will not be granted.</small>"),
        )
        for scope, held in scopes.items()
    ]
    return Markup('<ul class="scopes">{}</ul>').format(_join(rows))


def sign_in_page(csrf_token: str, *, purpose: str, error: str = "", username: str = "", form_target: str = "") -> Page:
    """User name and password. The form goes back to the page's own address, whatever a proxy made of it."""
    alert = Markup('<p class="error" role="alert">{}</p>').format(error) if error else Markup("")
    body = Markup("""<h1>Sign in</h1>
<p class="lead">{purpose}</p>
{alert}<form method="post">
{hidden}
<label for="username">User name</label>
<input id="username" name="username" value="{username}" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<div class="actions"><button class="primary" name="action" value="sign_in">Sign in</button></div>
</form>
<p class="lesson">Made-up people: <code>ada</code> with password <code>ada</code> may read users, <code>bob</code> with password <code>bob</code> may not.</p>
""").format(purpose=purpose, alert=alert, hidden=_hidden(csrf_token), username=username)
    return Page("Sign in", body, status=401 if error else 200, form_target=form_target)


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
    """Allow or deny; with a ``user_code`` for a device, else for a redirect to ``destination``."""
    device = (
        Markup("""<p class="code" aria-label="Code">{}</p>
<p class="warning"><strong>Only if you started this.</strong> Allow it only if you asked for a sign-in just now and see the same code there.</p>
""").format(user_code)
        if user_code
        else Markup("")
    )
    onward = (
        Markup('<p class="quiet">You go on to <code>{}</code>, on this machine.</p>').format(destination)
        if destination
        else Markup("")
    )
    body = Markup("""<h1>Allow {client_name}?</h1>
<p class="lead"><strong>{client_name}</strong> <code>{client_id}</code> asks to act for you. It may then:</p>
{device}{scopes}
<form method="post">
{hidden}
<div class="actions"><button class="primary" name="action" value="allow">Allow</button><button name="action" value="deny">Deny</button></div>
{onward}<p class="account">Signed in as <strong>{person}</strong>. <button class="link" name="action" value="sign_out">Someone else?</button></p>
</form>
""").format(
        client_name=client_name,
        client_id=client_id,
        device=device,
        scopes=scope_list(scopes),
        hidden=_hidden(csrf_token),
        onward=onward,
        person=person,
    )
    return Page(f"Allow {client_name}?", body, form_target=form_target)


def code_form(*, error: str = "", user_code: str = "") -> Page:
    """Where the code from the other screen is typed."""
    alert = Markup('<p class="error" role="alert">{}</p>').format(error) if error else Markup("")
    body = Markup("""<h1>Connect a device</h1>
<p class="lead">Type the code that your notebook shows.</p>
{alert}<form method="get">
<label for="user_code">Code</label>
<input id="user_code" class="code-input" name="user_code" value="{user_code}" placeholder="XXXX-XXXX" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="20" required autofocus>
<div class="actions"><button class="primary">Continue</button></div>
</form>
<p class="warning"><strong>Only if you started this.</strong> Nobody else ever needs to send you a code.</p>
""").format(alert=alert, user_code=user_code)
    return Page("Connect a device", body, status=404 if error else 200)


def message_page(title: str, text: str, *, mark: str, status: int = 200) -> Page:
    """An end: ``mark`` is "done", "denied" or "failed"."""
    signs = {"done": "✓", "denied": "–", "failed": "!"}
    body = Markup('<div class="sign {}" aria-hidden="true">{}</div><h1>{}</h1><p class="lead">{}</p>').format(
        mark, signs[mark], title, text
    )
    return Page(title, body, status=status)
