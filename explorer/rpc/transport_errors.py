"""Why there is no connection, in one sentence with the fix, from what gRPC's core lets be known of it."""

from __future__ import annotations

import re
from typing import NamedTuple

from explorer.rpc.targets import Target
from explorer.text import printable

__all__ = ["PLAINTEXT_SERVER", "Trouble", "is_connection_trouble", "trouble_of"]

# The texts that core gives a call that was handed to it and never left, because there was no connection to take.
_NEVER_LEFT = re.compile(
    r"failed to connect to all addresses|connections to all backends failing|errors resolving|DNS resolution failed|"
    r"empty address list|Failed to create security handshaker|neither UDS or TCP loopback",
    re.IGNORECASE,
)

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
        r"WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG",
        PLAINTEXT_SERVER,
        passing=False,
        sentence=(
            "{target} answered, but not in TLS: it seems to be a plaintext server. Give the port on which it "
            "speaks TLS, or plaintext=True or http:// (never with a token, except on this machine)."
        ),
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
        r"Failed to create security handshaker",
        "roots",
        passing=False,
        sentence="root_certificates hold no certificate that can be read. Expected is PEM, as bytes.",
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
        r"Connection refused|No such file or directory",
        "nobody",
        passing=True,
        sentence="Nobody listens at {target}. Start the server, or correct the address.",
    ),
    _Row(
        r"No route to host|unreachable|timed out|timeout",
        "nobody",
        passing=True,
        sentence=(
            "{target} cannot be reached from here. Check the address, the network, and any firewall or VPN between."
        ),
    ),
    _Row(
        r"ALPN|http1\.x|HTTP/2|SETTINGS",
        "other server",
        passing=False,
        sentence=(
            "{target} answered, but not in HTTP/2, which gRPC needs: it is some other kind of server, or a "
            "proxy. Give the gRPC port."
        ),
    ),
)

_CLOSED = re.compile(r"Socket closed|Connection reset|Broken pipe|recvmsg|EOF|Handshake read failed", re.IGNORECASE)
_CLOSED_IN_PLAINTEXT = (
    "{target} closed the plaintext connection at once: it seems to speak TLS. Leave plaintext=True (or http://) away, "
    "and give root_certificates where it has a certificate authority of its own."
)
_CLOSED_IN_TLS = (
    "{target} closed the connection while TLS was being set up. It may be starting, or want a client certificate, or "
    "be something else than a gRPC server."
)
_OTHERWISE = "No connection to {target}: {text}."


def is_connection_trouble(details: str) -> bool:
    """Whether a status' text says that the call never left, because there was no connection."""
    return _NEVER_LEFT.search(details) is not None


def trouble_of(details: str, target: Target, *, secure: bool, own_roots: bool, server_name: str | None) -> Trouble:
    """The trouble behind core's text.

    Args:
        details: ``details()`` of a call that never left.
        target: Where it should have gone.
        secure: Whether TLS was tried.
        own_roots: Whether ``root_certificates`` were given.
        server_name: The name asked of the certificate, where it is not the host.

    """
    kind, passing, sentence = _row(details, secure=secure)
    words = {
        "target": target.text,
        "host": target.host,
        "name": server_name or target.host,
        "authority": "the one given as root_certificates" if own_roots else "an authority that this machine knows",
        "text": printable(details.rsplit("last error: ", 1)[-1], 300),
    }
    return Trouble(kind, passing, sentence.format_map(words))


def _row(details: str, *, secure: bool) -> tuple[str, bool, str]:
    for row in _ROWS:
        if re.search(row.pattern, details, re.IGNORECASE):
            return row.kind, row.passing, row.sentence
    if _CLOSED.search(details):
        # A server that is shutting down closes sockets too; only in plaintext is the mix-up the likelier story.
        return ("closed", True, _CLOSED_IN_TLS) if secure else ("tls server", True, _CLOSED_IN_PLAINTEXT)
    return "other", True, _OTHERWISE
