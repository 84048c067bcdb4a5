"""Why there is no connection, in one sentence with the fix, from what gRPC's core lets be known of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from explorer.rpc.targets import Target
from explorer.text import printable

__all__ = ["NOBODY", "PLAINTEXT_SERVER", "Situation", "Trouble", "is_connection_trouble", "trouble_of"]

# The texts that core gives a call that was handed to it and never left, because there was no connection to take.
_NEVER_LEFT = re.compile(
    r"failed to connect to all addresses|connections to all backends failing|errors resolving|DNS resolution failed|"
    r"empty address list|Failed to create security handshaker|neither UDS or TCP loopback",
    re.IGNORECASE,
)

NOBODY = "nobody"
PLAINTEXT_SERVER = "plaintext server"


class Trouble(NamedTuple):
    """What is wrong with a connection.

    ``kind`` is one word for programs, ``sentence`` for people; ``passing`` says whether waiting may mend it.
    """

    kind: str
    passing: bool
    sentence: str


class _Row(NamedTuple):
    pattern: str
    kind: str
    passing: bool
    sentence: str


# The first row whose pattern is found in core's text speaks.
_ROWS = (
    _Row(
        r"HTTP proxy returned response code 407",
        "proxy",
        passing=False,
        sentence=(
            "The proxy {proxy} wants a user and password before it lets anything through to {target}. Put them into "
            "grpc_proxy (http://user:password@host:port), or {target} into no_grpc_proxy."
        ),
    ),
    _Row(
        r"HTTP proxy returned response code|HTTP proxy",
        "proxy",
        passing=False,
        sentence=(
            "The proxy {proxy} does not let us through to {target} ({text}). Ask who runs it, or name the host in "
            "no_grpc_proxy where it can be reached without."
        ),
    ),
    _Row(
        r"WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG",
        PLAINTEXT_SERVER,
        passing=False,
        sentence=(
            "{target} answered, but not in TLS: it seems to be a plaintext server. Give the port on which it "
            "speaks TLS, or plaintext=True or http:// (never with a token, except on this machine)."
        ),
    ),
    _Row(
        r"ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|INAPPROPRIATE_FALLBACK",
        "outdated TLS",
        passing=False,
        sentence="{target} speaks no TLS newer than 1.1, which is not safe any more. It has to offer TLS 1.2 or 1.3.",
    ),
    _Row(
        r"CERTIFICATE_VERIFY_FAILED: certificate (has expired|is not yet valid)",
        "certificate",
        passing=False,
        sentence=(
            "The TLS certificate of {target} has expired or is not valid yet. Renew it at the server, or set "
            "this clock."
        ),
    ),
    _Row(
        r"Hostname Verification Check failed|is not in peer certificate",
        "name",
        passing=False,
        sentence=(
            "The TLS certificate of {target} is made out to another name than {name!r}. Use a name that is in"
            " the certificate as the target, or give it as server_name."
        ),
    ),
    _Row(
        r"CERTIFICATE_VERIFY_FAILED",
        "certificate",
        passing=False,
        sentence=(
            "The TLS certificate of {target} is not signed by {authority}. Give the PEM of the certificate "
            "authority that signed it as root_certificates."
        ),
    ),
    _Row(
        r"ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED)",
        "client certificate",
        passing=False,
        sentence=(
            "{target} does not accept the client certificate: it has expired, or an authority signed it that the "
            "server does not know. Give another client_certificate."
        ),
    ),
    _Row(
        r"ALERT_HANDSHAKE_FAILURE",
        "client certificate",
        passing=False,
        sentence=(
            "{target} broke the TLS handshake off: it wants {certificate}, or has no cipher in common with gRPC. Give "
            "client_certificate=(certificate_chain, private_key) as whoever runs it issued them."
        ),
    ),
    _Row(
        r"missing selected ALPN",
        "other server",
        passing=False,
        sentence=(
            "{target} speaks TLS, but does not offer HTTP/2 in it (ALPN h2), which gRPC needs: a web server, or a load "
            "balancer set to HTTP/1.1. Give the gRPC port, or switch HTTP/2 on there."
        ),
    ),
    _Row(
        r"Failed to create security handshaker",
        "roots",
        passing=False,
        sentence=(
            "root_certificates or client_certificate hold something that gRPC cannot read. Expected is PEM, as issued."
        ),
    ),
    _Row(
        r"neither UDS or TCP loopback",
        "address",
        passing=False,
        sentence=(
            "{target} is not on this machine after all, so plaintext is refused there. Use TLS: leave "
            "plaintext=True away."
        ),
    ),
    _Row(
        r"Domain name not found|Misformatted domain name|errors resolving|DNS resolution failed|empty address list",
        "address",
        passing=False,
        sentence=(
            "The host name {host!r} is not known to DNS. Correct it, or check the network; expected is "
            "host:port of a gRPC server."
        ),
    ),
    _Row(
        r"No such file or directory",
        NOBODY,
        passing=True,
        sentence="Nobody listens at {target}: there is no such socket. Start the server, or correct the path.",
    ),
    _Row(
        r"Permission denied",
        "permission",
        passing=False,
        sentence=(
            "{target} may not be used by this account (permission denied). Ask whoever runs the server for access, or "
            "look at the rights of the socket's file."
        ),
    ),
    _Row(
        r"Connection refused",
        NOBODY,
        passing=True,
        sentence="Nobody listens at {target}. Start the server, or correct the address.",
    ),
    _Row(
        r"Failed to connect to remote host.*(Connection reset|Broken pipe|aborted)",
        "closed",
        passing=True,
        sentence=(
            "{target} broke the connection off at once, as a firewall does, or a load balancer or port forwarding with "
            "nothing behind it. Check the port, and that the server is up."
        ),
    ),
    _Row(
        r"No route to host|unreachable|timed out|timeout",
        NOBODY,
        passing=True,
        sentence=(
            "{target} cannot be reached from here. Check the address, the network, and any firewall or VPN between."
        ),
    ),
    _Row(
        r"http1\.x server",
        "other server",
        passing=False,
        sentence=(
            "{target} answered in HTTP/1.1, and gRPC needs HTTP/2: it is a web server or a proxy. Give the gRPC port."
        ),
    ),
    _Row(
        r"HTTP/2|SETTINGS",
        "other server",
        passing=False,
        sentence=(
            "{target} answered, but not in HTTP/2, which gRPC needs: it is some other kind of server, or a "
            "proxy. Give the gRPC port."
        ),
    ),
)

# A server that is shutting down closes sockets too; in plaintext the mix-up is the likelier story, and in TLS, where
# the handshake was already over, the want of a client certificate (TLS 1.3 asks for it last).
_CLOSED = re.compile(r"Socket closed|Connection reset|Broken pipe|recvmsg|EOF|Unwrap failed", re.IGNORECASE)
_CLOSED_EARLY = re.compile(r"Handshake read failed", re.IGNORECASE)
_CLOSED_IN_PLAINTEXT = (
    "{target} closed the plaintext connection at once: it seems to speak TLS. Leave plaintext=True (or http://) away, "
    "and give root_certificates where it has a certificate authority of its own."
)
_CLOSED_UNIX = (
    "{target} closed the connection at once: it may be starting, or speak TLS. Where it does, give its "
    "root_certificates and server_name."
)
_CLOSED_IN_HANDSHAKE = (
    "{target} closed the connection while TLS was being set up. It may be starting, or be something else than a gRPC "
    "server. Check the port."
)
_WANTS_CERTIFICATE = (
    "{target} closed the connection as soon as TLS was set up: most likely it wants a client certificate. Give "
    "client_certificate=(certificate_chain, private_key) as whoever runs it issued them."
)
_REFUSES_CERTIFICATE = (
    "{target} closed the connection as soon as TLS was set up: most likely it does not accept the client certificate, "
    "because it has expired or an authority signed it that the server does not know. Give another client_certificate."
)
_OTHERWISE = "No connection to {target}: {text}."
_NOT_THERE = re.compile(r"Connection refused|No route to host|unreachable|timed out|errors resolving", re.IGNORECASE)
_PROXY_GONE = (
    "The proxy {proxy}, which the environment names for {target}, cannot be reached. Correct grpc_proxy, https_proxy "
    "or http_proxy, or name the host in no_grpc_proxy where it can be reached without."
)
_BEHIND_PROXY = " The proxy {proxy} stands between; it may have been that which answered."


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What was tried when there was trouble.

    Attributes:
        target: Where it should have gone.
        security: What the channel had, as ``Connection.security``.
        own_roots: Whether ``root_certificates`` were given.
        client_certificate: Whether one was given.
        server_name: The name asked of the certificate, where it is not the host.
        proxy: The proxy on the way, as ``host:port``.

    """

    target: Target
    security: str
    own_roots: bool = False
    client_certificate: bool = False
    server_name: str | None = None
    proxy: str | None = None


def is_connection_trouble(details: str) -> bool:
    """Whether a status' text says that the call never left, because there was no connection."""
    return _NEVER_LEFT.search(details) is not None


def trouble_of(details: str, situation: Situation) -> Trouble:
    """The trouble behind core's text, ``details()`` of a call that never left."""
    where = situation.target
    if situation.proxy is not None and _NOT_THERE.search(details):
        return Trouble("proxy", passing=True, sentence=_PROXY_GONE.format(proxy=situation.proxy, target=where.text))
    kind, passing, sentence = _row(details, situation)
    words = {
        "target": where.text,
        "host": where.host,
        "name": situation.server_name or where.host or "localhost",
        "authority": (
            "the one given as root_certificates" if situation.own_roots else "an authority that this machine knows"
        ),
        "certificate": "another client certificate" if situation.client_certificate else "a client certificate",
        "proxy": situation.proxy or "on the way",
        "text": printable(details.rsplit("last error: ", 1)[-1], 300),
    }
    if situation.proxy is not None and kind != "proxy":
        sentence += _BEHIND_PROXY
    elif kind == NOBODY and where.assumed_port:
        sentence += f" No port was given, so {where.port} was tried."
    return Trouble(kind, passing, sentence.format_map(words))


def _row(details: str, situation: Situation) -> tuple[str, bool, str]:
    for row in _ROWS:
        if re.search(row.pattern, details, re.IGNORECASE):
            return row.kind, row.passing, row.sentence
    if _CLOSED_EARLY.search(details):
        return "closed", True, _CLOSED_IN_HANDSHAKE
    if not _CLOSED.search(details):
        return "other", True, _OTHERWISE
    if situation.security == "TLS":
        return "closed", True, _REFUSES_CERTIFICATE if situation.client_certificate else _WANTS_CERTIFICATE
    return "tls server", True, _CLOSED_UNIX if situation.target.unix else _CLOSED_IN_PLAINTEXT
