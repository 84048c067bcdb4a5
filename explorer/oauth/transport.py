"""The one place that speaks HTTP to an authorization server: bounded in time and size, no redirects, errors as values.

An exchange returns an :class:`Answer` or a :class:`Failure`; neither raises, so that no traceback ever passes through
the frames in which a form with secrets is spelled out.
"""

from __future__ import annotations

import contextlib
import email.utils
import functools
import ipaddress
import json
import os
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import quote, quote_plus, urlencode, urlsplit

import httpx

from explorer.errors import AuthorizationServerUnavailableError, ConfigurationError, OAuthConfigurationError, OAuthError
from explorer.text import printable
from explorer.tokens import Secret, seconds_from

__all__ = [
    "Answer",
    "Failure",
    "HttpTransport",
    "Transport",
    "endpoint_problem",
    "given_endpoint_problem",
    "is_loopback",
]

MOST_SECONDS = 10.0
MOST_BYTES = 1 << 20
_QUOTED = ("error", "error_description", "error_uri", "token_type")
_IN_CLEAR = "it is neither https nor http on loopback"
_SURROGATE = re.compile("[\ud800-\udfff]")
_SHORTEST_ECHO = 4  # characters; anything shorter would strike words
_USER_AGENT = "grpc-notebook-explorer"


@dataclass(frozen=True, eq=False)
class Answer:
    """What an endpoint answered: the status, and the JSON object if it was one (kept out of the repr)."""

    url: str
    status: int
    content_type: str
    retry_after: float | None
    location: str | None
    document: Mapping[str, Any] | None = field(repr=False)

    def text(self, name: str) -> str | None:
        """The member ``name`` if it is a non-empty string."""
        value = self.document.get(name) if self.document is not None else None
        return value if isinstance(value, str) and value else None

    def secret(self, name: str) -> Secret | None:
        """The member ``name`` if it is a non-empty string that can be sent (JSON can spell surrogates), wrapped."""
        value = self.text(name)
        return None if value is None or _SURROGATE.search(value) else Secret(value)

    def seconds(self, name: str) -> float | None:
        """The member ``name`` as seconds: a number or a numeric string (S4); None where it is neither."""
        return seconds_from(self.document.get(name) if self.document is not None else None)

    def without_echo(self, sent: Iterable[Secret]) -> Answer:
        """The same answer, with what was sent in secret struck from the texts that an error's sentence may quote."""
        document = self.document
        if document is not None:
            quoted = {name: _struck(text, sent) for name in _QUOTED if (text := self.text(name)) is not None}
            document = {**document, **quoted}
        location = None if self.location is None else _struck(self.location, sent)
        return replace(self, document=document, location=location, content_type=_struck(self.content_type, sent))

    def described(self) -> str:
        """Status and kind of the answer, for an error's sentence."""
        kind = printable(self.content_type.partition(";")[0].strip(), 60) or "no content type"
        return f"HTTP {self.status}, {kind}"


@dataclass(frozen=True)
class Failure:
    """An exchange without an answer.

    ``sent`` says that the request may have been processed all the same; ``configuration`` that trying again is useless.
    """

    sentence: str
    sent: bool = False
    configuration: bool = False

    def error(self) -> OAuthError:
        """The typed error for this failure (S11: network is transient, a certificate is configuration)."""
        if self.configuration:
            return OAuthConfigurationError(self.sentence)
        return AuthorizationServerUnavailableError(self.sentence)


class Transport(Protocol):
    """How requests reach an authorization server."""

    def get(self, url: str) -> Answer | Failure:
        """Ask for a public JSON document."""

    def post(
        self,
        url: str,
        form: Mapping[str, str | Secret],
        headers: Mapping[str, str | Secret],
        *,
        timeout: float | None = None,
    ) -> Answer | Failure:
        """Send a form; the secrets in it are revealed nowhere else."""


class HttpTransport:
    """HTTP/1.1 by httpx, one connection per exchange.

    A connection is never reused: the answer to a request on a connection that the server was just closing would be
    ambiguous, and an ambiguous refresh can cost the grant (S10). The environment's proxies are honoured, except for
    loopback. Blocks for ``timeout`` seconds at most (10 s at most); safe from any thread.
    """

    def __init__(self, *, root_certificates: bytes | None = None, timeout: float = MOST_SECONDS) -> None:
        self._timeout = min(timeout, MOST_SECONDS)
        self._verify = _verification(root_certificates, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))

    def get(self, url: str) -> Answer | Failure:
        """Ask for a public JSON document."""
        return self._bounded("GET", url, None, {}, self._timeout)

    def post(
        self,
        url: str,
        form: Mapping[str, str | Secret],
        headers: Mapping[str, str | Secret],
        *,
        timeout: float | None = None,
    ) -> Answer | Failure:
        """Send a form; the secrets in it are revealed in a thread of the exchange's own and nowhere else."""
        bound = self._timeout if timeout is None else min(timeout, self._timeout)
        return self._bounded("POST", url, form, headers, bound)

    def _bounded(
        self,
        method: str,
        url: str,
        form: Mapping[str, str | Secret] | None,
        headers: Mapping[str, str | Secret],
        timeout: float,
    ) -> Answer | Failure:
        # httpx bounds each read, not the exchange, and nothing bounds a name server; a thread that is left behind
        # bounds them all, and Ctrl-C in the waiting thread sees no frame with a secret in it.
        outcomes: list[Answer | Failure] = []
        done = threading.Event()

        line = _Line()

        def exchange() -> None:
            try:
                outcomes.append(self._exchange(method, url, form, headers, timeout, line))
            except Exception as error:  # noqa: BLE001 - nobody sees this thread die, and somebody waits for it
                outcomes.append(Failure(f"{_host(url)} could not be asked ({type(error).__name__}).", sent=True))
            done.set()

        threading.Thread(target=exchange, name="explorer-oauth-http", daemon=True).start()
        try:
            if done.wait(timeout + 0.5):
                return outcomes[0]
        finally:
            line.cut()
        return _too_late(url, timeout, sent=True)

    def _exchange(
        self,
        method: str,
        url: str,
        form: Mapping[str, str | Secret] | None,
        headers: Mapping[str, str | Secret],
        timeout: float,
        line: _Line,
    ) -> Answer | Failure:
        until = time.monotonic() + timeout
        plain = {name: _revealed(value) for name, value in headers.items()}
        plain |= {"Accept": "application/json", "User-Agent": _USER_AGENT, "Accept-Encoding": "identity"}
        if form is not None:
            plain["Content-Type"] = "application/x-www-form-urlencoded"
        # A loopback endpoint is never reached through a proxy: the form would leave the machine in clear.
        proxied = not is_loopback(urlsplit(url).hostname)
        try:
            body = (
                None if form is None else urlencode({name: _revealed(value) for name, value in form.items()}).encode()
            )
            with (
                httpx.Client(verify=self._verify, timeout=timeout, follow_redirects=False, trust_env=proxied) as client,
                client.stream(method, url, content=body, headers=plain, extensions={"trace": line.hear}) as response,
            ):
                return _read(url, response, until, timeout)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError, ImportError) as error:
            return _failure(url, error, timeout)


class _Line:
    """The connection of one exchange, as far as it can be cut from another thread.

    A server that sends a header byte now and then would hold the exchange's thread for days: httpx bounds each read.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: list[socket.socket] = []
        self._is_cut = False

    def hear(self, event: str, told: Mapping[str, Any]) -> None:
        """What httpx tells of its connections; a descriptor of our own outlives the wrapping in TLS."""
        if not event.endswith("connect_tcp.complete"):
            return
        connection = told["return_value"].get_extra_info("socket")
        with self._lock:
            self._held.append(connection.dup())
            if self._is_cut:
                self._shut_down()

    def cut(self) -> None:
        """End the connection, whoever waits for it; none is begun any more."""
        with self._lock:
            self._is_cut = True
            self._shut_down()

    def _shut_down(self) -> None:
        while self._held:
            with self._held.pop() as connection, contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def is_loopback(host: str | None) -> bool:
    """Whether a URL's host is this machine by name or literal address (RFC 8252 §7.3)."""
    if host is None:
        return False
    if host.lower().rstrip(".") == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def endpoint_problem(url: object) -> str | None:
    """What is wrong with an endpoint's URL, or None: https, or http on loopback, no fragment, no password (T6)."""
    if not isinstance(url, str):
        return "it is not text"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "it is not a URL such as https://auth.example.com"
    if not host or not url.isascii() or not url.isprintable() or any(character.isspace() for character in url):
        return "it is not a URL with a host, such as https://auth.example.com"
    if parts.username is not None or parts.password is not None:
        return "it holds a user name"
    if "#" in url:
        return "it has a fragment (RFC 6749 §3.1)"
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)):
        return None
    return _IN_CLEAR


def given_endpoint_problem(url: object) -> str | None:
    """The same of a URL that a person gave, who can be told what to give instead."""
    problem = endpoint_problem(url)
    return f"{problem}; use https://" if problem == _IN_CLEAR else problem


def _struck(text: str, secrets: Iterable[Secret]) -> str:
    for secret in secrets:
        value = secret.reveal()
        for spelled in {value, value.removeprefix("Basic "), quote(value, safe=""), quote_plus(value)}:
            text = text.replace(spelled, "[struck]") if len(spelled) >= _SHORTEST_ECHO else text
    return text


def _revealed(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


@functools.lru_cache(maxsize=8)  # reading the usual roots takes longer than a token request on loopback
def _verification(root_certificates: bytes | None, *_environment: str | None) -> ssl.SSLContext:
    if root_certificates is None:
        return httpx.create_ssl_context()
    try:
        # An empty cadata would quietly mean the usual roots.
        return ssl.create_default_context(cadata=root_certificates.decode("ascii") or "none")
    except (ssl.SSLError, UnicodeDecodeError, AttributeError) as error:
        msg = "root_certificates are not PEM certificates, bytes with -----BEGIN CERTIFICATE-----: read their file."
        raise ConfigurationError(msg) from error


def _read(url: str, response: httpx.Response, until: float, timeout: float) -> Answer | Failure:
    content = bytearray()
    for chunk in response.iter_raw():
        content += chunk
        if len(content) > MOST_BYTES:
            sentence = f"{_host(url)} answered with more than {MOST_BYTES >> 20} MiB where a small JSON object was due."
            return Failure(sentence, sent=True)
        if time.monotonic() > until:
            return _too_late(url, timeout, sent=True)
    return Answer(
        url=url,
        status=response.status_code,
        content_type=response.headers.get("content-type", ""),
        retry_after=_retry_after(response.headers.get("retry-after")),
        location=response.headers.get("location"),
        document=_json_object(_unpacked(bytes(content), response.headers.get("content-encoding", ""))),
    )


def _unpacked(content: bytes, coding: str) -> bytes:
    """The content as it was before a gateway packed it, which some do unasked; never more than is read of any."""
    if coding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return content
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(content, MOST_BYTES)
    except zlib.error:
        return content  # which is no JSON, and is said to be none


def _json_object(content: bytes) -> Mapping[str, Any] | None:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _retry_after(header: str | None) -> float | None:
    """RFC 9110 §10.2.3: seconds, or a date."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return seconds_from(header)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


def _failure(url: str, error: Exception, timeout: float) -> Failure:
    sent = isinstance(error, httpx.TransportError | OSError) and not isinstance(error, _NOT_SENT)
    host = _host(url)
    reason = _tls_reason(error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        why = printable(reason.verify_message or reason, 200)
        sentence = (
            f"The certificate of {host} is not trusted ({why}); if it has its own CA, pass root_certificates (PEM)."
        )
        return Failure(sentence, configuration=True)
    if isinstance(reason, ssl.SSLError) and not sent:
        why = printable(reason.reason or reason, 120)
        sentence = f"{host} does not complete a TLS handshake ({why}); check scheme and port."
        return Failure(sentence, configuration=True)
    if isinstance(error, ImportError):  # a SOCKS proxy, which httpx speaks with a package of its own
        sentence = f"{host} is to be reached through a SOCKS proxy (ALL_PROXY, HTTPS_PROXY): install socksio for that."
        return Failure(sentence, configuration=True)
    if isinstance(error, httpx.ProxyError):
        why = printable(error, 120)
        return Failure(f"The proxy between here and {host} (HTTPS_PROXY) refuses: {why}. Check it, or NO_PROXY.")
    if isinstance(error, httpx.TimeoutException):
        return _too_late(url, timeout, sent=sent)
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return Failure(f"{printable(url, 200)!r} is not a URL that can be asked.", configuration=True)
    if isinstance(error, httpx.ConnectError):
        return Failure(f"{host} cannot be reached ({printable(error, 120)}); check the address and the network.")
    sentence = f"{host} broke off without a usable answer ({type(error).__name__}); is it an authorization server?"
    return Failure(sentence, sent=sent)


def _tls_reason(error: BaseException) -> ssl.SSLError | None:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def _too_late(url: str, timeout: float, *, sent: bool) -> Failure:
    advice = "Try again later, or check the address"
    if not sent and urlsplit(url).scheme == "https":
        advice += ": a server that speaks http alone is silent when asked for TLS"
    return Failure(f"{_host(url)} did not answer within {timeout:g} s. {advice}.", sent=sent)


def _host(url: str) -> str:
    return printable(urlsplit(url).netloc, 100)
