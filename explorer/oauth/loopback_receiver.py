"""The page on this machine to which the browser brings the authorization response (RFC 8252 §7.3)."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import html
import http.server
import os
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from explorer.errors import ConfigurationError
from explorer.oauth.redirect_uri import Listening

__all__ = ["LoopbackReceiver", "PortTakenError", "Verdict"]

_SECONDS_TO_SEND = 5.0  # for a browser's one request line and headers
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;color-scheme:light dark;background:Canvas;color:CanvasText;"
    "max-width:32rem;margin:20vh auto 0;padding:0 24px}h1{font-size:20px;font-weight:600;margin:0 0 8px}"
)
# The code is spent by the time this runs; without it, it would stay in the address bar and in the history.
_SCRIPT = "history.replaceState(null,'','/')"


def _hashed(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src {_hashed(_STYLE)}; script-src {_hashed(_SCRIPT)}; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Connection": "close",
}


class PortTakenError(ConfigurationError):
    """Nobody can listen where the redirect URI leads."""


class Verdict(NamedTuple):
    """What the receiver's owner makes of a query: whether it was *the* answer, and what to tell the person."""

    final: bool
    title: str
    text: str


class LoopbackReceiver:
    """A listener for one authorization response, bound to a literal loopback address (T8).

    ``judge`` gets the query of each request for ``redirect_uri`` and says what it is; after the first final verdict
    nothing more is answered. Anything else leaves it waiting, for as long as ``wanted`` says so, whether or not anybody
    waits for the outcome. ``close()`` ends it at any time. Each connection has a thread, so that a browser's idle spare
    one blocks nobody; no request is logged, for the request line holds the code.
    """

    def __init__(
        self,
        judge: Callable[[str], Verdict],
        wanted: Callable[[], bool],
        listening: Listening = Listening(),  # noqa: B008 - frozen
    ) -> None:
        self._judge = judge
        self._wanted = wanted
        self._path = listening.path or "/"  # a browser asks for no empty path
        try:
            self._server = _server(listening, self)
        except OSError as error:
            msg = (
                f"Port {listening.port} of {listening.address} cannot be listened at ({error.strerror}); end what is "
                "there, or sign in with method='paste'."
            )
            raise PortTakenError(msg) from error
        port = int(self._server.server_address[1])
        self._hosts = listening.hosts(port)
        self.redirect_uri = listening.uri(port)
        self._closed = threading.Event()
        threading.Thread(target=self._serve, name="explorer-oauth-receiver", daemon=True).start()

    def close(self) -> None:
        """Stop listening; returns at once, may be called from anywhere and more than once."""
        self._closed.set()
        with contextlib.suppress(OSError):  # already closed; or a system that only lets connected sockets be shut down
            self._server.socket.shutdown(socket.SHUT_RDWR)

    def answer(self, target: str, host: str | None) -> tuple[HTTPStatus, str]:
        """Status and page for one GET of ``target`` under the name ``host``."""
        parts = urlsplit(target)
        # Another Host would be another name that resolves to this address: DNS rebinding.
        if host is None or host.lower() not in self._hosts or parts.path != self._path:
            return HTTPStatus.NOT_FOUND, _page("Nothing here", "This address only takes the answer to a sign-in.")
        verdict = self._judge(parts.query)
        if verdict.final:
            self.close()
        status = HTTPStatus.OK if verdict.final else HTTPStatus.BAD_REQUEST
        return status, _page(verdict.title, verdict.text)

    def _serve(self) -> None:
        with self._server:
            while not self._closed.is_set() and self._wanted():
                self._server.handle_request()  # returns after its poll interval when nobody came


def _server(listening: Listening, receiver: LoopbackReceiver) -> http.server.ThreadingHTTPServer:
    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = _SECONDS_TO_SEND
        server_version, sys_version = "explorer", ""

        def do_GET(self) -> None:
            status, page = receiver.answer(self.path, self.headers.get("Host"))
            content = page.encode()
            self.send_response(status)
            for name, value in _HEADERS.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass  # the request line holds the code

    class Server(http.server.ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in listening.address else socket.AF_INET
        timeout = 0.2  # how soon it is noticed that nobody wants an answer any more
        # The last sign-in's connections linger on a port that is always the same; Windows would share a live one.
        allow_reuse_address = listening.port != 0 and os.name == "posix"
        daemon_threads, block_on_close = True, False

        def handle_error(self, *_: Any) -> None:
            pass  # a connection that broke off is not news; its traceback would print the request

    return Server((listening.address, listening.port), Handler)


def _page(title: str, text: str) -> str:
    title, text = html.escape(title), html.escape(text)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><link rel=icon href=data:,>"
        f"<meta name=viewport content='width=device-width'><style>{_STYLE}</style>"
        f"<h1>{title}</h1><p>{text}</p><script>{_SCRIPT}</script></html>"
    )
