"""The page on this machine to which the browser brings the authorization response (RFC 8252 §7.3)."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import html
import http.server
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlsplit

__all__ = ["LoopbackReceiver", "Verdict"]

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


class Verdict(NamedTuple):
    """What the receiver's owner makes of a query: whether it was *the* answer, and what to tell the person."""

    final: bool
    title: str
    text: str


class LoopbackReceiver:
    """A listener for one authorization response, on a literal loopback address and a port of the system's choice (T8).

    ``judge`` gets the query of each request for ``redirect_uri`` and says what it is; after the first final verdict
    nothing more is answered. Anything else leaves it waiting, for as long as ``wanted`` says so, whether or not anybody
    waits for the outcome. ``close()`` ends it at any time. Each connection has a thread, so that a browser's idle spare
    one blocks nobody; no request is logged, for the request line holds the code.
    """

    def __init__(
        self,
        judge: Callable[[str], Verdict],
        wanted: Callable[[], bool],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        path: str = "/callback",
    ):
        self._judge = judge
        self._wanted = wanted
        self._path = path
        self._server = _server(host, port, self)
        address = f"[{host}]" if ":" in host else host
        self._authority = f"{address}:{self._server.server_address[1]}"
        self.redirect_uri = f"http://{self._authority}{path}"
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
        if host != self._authority or parts.path != self._path:
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


def _server(host: str, port: int, receiver: LoopbackReceiver) -> http.server.ThreadingHTTPServer:
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
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        timeout = 0.2  # how soon it is noticed that nobody wants an answer any more
        allow_reuse_address = False
        daemon_threads, block_on_close = True, False

        def handle_error(self, *_: Any) -> None:
            pass  # a connection that broke off is not news; its traceback would print the request

    return Server((host, port), Handler)


def _page(title: str, text: str) -> str:
    title, text = html.escape(title), html.escape(text)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><link rel=icon href=data:,>"
        f"<meta name=viewport content='width=device-width'><style>{_STYLE}</style>"
        f"<h1>{title}</h1><p>{text}</p><script>{_SCRIPT}</script></html>"
    )
