"""Addresses of gRPC servers, in every common spelling, brought to the one that gRPC understands.

Rule and source: gRPC Name Resolution (``dns:``, ``unix:``, ``ipv4:``, ``ipv6:``), RFC 3986 for the URL spellings.
"""

from __future__ import annotations

import ipaddress
import re
import urllib.parse
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from explorer.errors import ConfigurationError
from explorer.text import printable

__all__ = ["Target", "parse_target", "without_password"]

_URL = re.compile(r"(https?|grpcs?|grpc\+(?:tls|tcp))://(.*)", re.IGNORECASE | re.DOTALL)
_PLAINTEXT = frozenset({"http", "grpc", "grpc+tcp"})
_DNS = re.compile(r"dns:(?://(?P<resolver>[^/]*)/|/)?(?P<endpoint>[^/].*)", re.IGNORECASE)
_LITERAL = re.compile(r"(ipv[46]):(?:///)?([^/].*)", re.IGNORECASE)
_UNIX = re.compile(r"(?:grpc\+)?unix(-abstract)?:(.*)", re.IGNORECASE)
_LONGEST_UNIX_PATH = 107  # bytes: sockaddr_un's 108, the last of them zero
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):/")
_HOST_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - what servers print of themselves; nothing is bound here
_EXPECTED = (
    "Expected host:port (TLS), https://host:port, http://host:port for plaintext, dns:///host:port or unix:/path"
)


@dataclass(frozen=True, slots=True)
class Target:
    """One server's address.

    Attributes:
        text: As it is shown: ``host:port`` (a name outside ASCII in its ``xn--`` form), or the Unix socket's address.
        address: As gRPC wants it.
        host: The bare name or IP address; empty for a Unix socket.
        port: 1 to 65535; 0 for a Unix socket.
        scheme: What it was spelled with, such as ``https``; empty where that says nothing of TLS.
        assumed_port: Whether the port is the scheme's own, because none was given.

    """

    text: str
    address: str
    host: str
    port: int
    scheme: str = ""
    assumed_port: bool = False

    @property
    def plaintext(self) -> bool | None:
        """What the spelling says of TLS: True for ``http://``, ``grpc://`` and ``grpc+tcp://``, None for nothing."""
        return self.scheme in _PLAINTEXT if self.scheme else None

    @property
    def unix(self) -> bool:
        """Whether this is a Unix socket."""
        return not self.host

    @property
    def name(self) -> bool:
        """Whether the host is a name, which may stand for several addresses."""
        return not self.unix and not _version(self.host)

    @property
    def authorities(self) -> frozenset[str]:
        """What core may call this server in a request's ``:authority``."""
        if not self.unix:
            return frozenset({self.text.lower()})
        path = self.text.partition(":")[2].lstrip("/")
        return frozenset({"localhost", urllib.parse.quote(path, safe="").lower()})

    @property
    def loopback(self) -> bool:
        """Whether nothing sent there can leave this machine: 127.0.0.0/8, ::1, ``localhost``, or a Unix socket."""
        if self.unix or self.host.lower().rstrip(".") == "localhost":
            return True
        address = _address(self.host)
        return address is not None and address.is_loopback


def parse_target(text: str) -> Target:
    """The address that ``text`` spells.

    Understood are ``host:port``, a bare host (port 443), ``[::1]:port``, ``https://``, ``grpcs://`` and ``grpc+tls://``
    (TLS, port 443), ``http://``, ``grpc://`` and ``grpc+tcp://`` (plaintext, port 80), ``dns:///host:port``, ``ipv4:``,
    ``ipv6:``, ``unix:path`` and ``unix-abstract:name``; spaces and quotes around it, and a slash behind it, are let go.

    Raises:
        ConfigurationError: It is none of these; the message names the part at fault, and never a password.

    """
    text = without_password(text)
    if not isinstance(text, str):
        raise ConfigurationError(f"A target is text, not {type(text).__name__}. {_EXPECTED}.")
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'`":
        text = text[1:-1].strip()
    if not text:
        raise ConfigurationError(f"The target is empty. {_EXPECTED}.")
    if "@" in text and not _UNIX.match(text):
        raise ConfigurationError(f"The target holds an '@', and gRPC knows no user names in addresses. {_EXPECTED}.")
    if any(character.isspace() or not character.isprintable() for character in text):
        _refuse(text, "it holds a space or a control character")
    return _by_scheme(text)


def without_password(target: Any) -> Any:
    """The same, but for what stands before an ``@``: it may be a password, which no verbose traceback is to show.

    Whoever takes a target from outside does this first; :func:`parse_target` refuses what is left.
    """
    if not isinstance(target, str) or "@" not in target or _UNIX.match(target.strip()):
        return target
    return f"…@{target.rpartition('@')[2]}"


def _by_scheme(text: str) -> Target:
    if match := _URL.fullmatch(text):
        scheme, rest = match[1].lower(), match[2]
        default_port = 80 if scheme in _PLAINTEXT else 443
        return _endpoint(text, _without_path(text, rest), default_port=default_port, scheme=scheme)
    if match := _UNIX.match(text):
        return _unix(text, abstract=match[1] is not None, path=match[2])
    if match := _DNS.fullmatch(text):
        found = _endpoint(text, match["endpoint"].rstrip("/"), default_port=443)
        resolver = match["resolver"]
        return replace(found, address=f"dns://{resolver or ''}/{found.text}")
    if match := _LITERAL.fullmatch(text):
        return _literal(text, match[1].lower(), match[2])
    if match := _SCHEME.match(text):
        _refuse(text, f"{match[1]}: is no scheme of gRPC over HTTP/2")
    if text.startswith("/"):
        _refuse(text, f"it is a path; a Unix socket's is written unix:{text}")
    return _endpoint(text, _without_path(text, text), default_port=443)


def _unix(text: str, *, abstract: bool, path: str) -> Target:
    scheme = "unix-abstract" if abstract else "unix"
    if path.startswith("//") and not abstract:
        if not path.startswith("///"):
            _refuse(text, "a Unix socket's path has one slash or three before it, as in unix:/run/s or unix:///run/s")
        path = path[2:]
    if not path or path.endswith("/"):
        _refuse(text, f"it names no socket; expected is {scheme}:{'name' if abstract else 'path'}")
    if len(path.encode()) > _LONGEST_UNIX_PATH:
        _refuse(text, f"a Unix socket's path has at most {_LONGEST_UNIX_PATH} bytes, and this has {len(path.encode())}")
    address = f"{scheme}:{path}"
    return Target(text=address, address=address, host="", port=0)


def _literal(text: str, scheme: str, endpoint: str) -> Target:
    if "," in endpoint:
        _refuse(text, "it names several addresses, and a session is with one server")
    found = _endpoint(text, endpoint.rstrip("/"), default_port=443)
    if (":" in found.host) != (scheme == "ipv6") or not (":" in found.host or _version(found.host) == 4):
        _refuse(text, f"{found.host!r} is no {'IPv6' if scheme == 'ipv6' else 'IPv4'} address")
    return found


def _without_path(text: str, rest: str) -> str:
    endpoint, slash, path = rest.partition("/")
    if slash and path:
        _refuse(text, f"it has a path (/{path}), and a gRPC server is a host and a port")
    if "?" in endpoint or "#" in endpoint:
        _refuse(text, "it has a query or a fragment, and a gRPC server is a host and a port")
    return endpoint


def _endpoint(text: str, endpoint: str, *, default_port: int, scheme: str = "") -> Target:
    host, port_text = _split(text, endpoint)
    port = default_port if port_text is None else _port(text, port_text)
    host = _host(text, host)
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return Target(text=shown, address=shown, host=host, port=port, scheme=scheme, assumed_port=port_text is None)


def _split(text: str, endpoint: str) -> tuple[str, str | None]:
    if endpoint.startswith("["):
        match = re.fullmatch(r"\[([^\[\]]*)\](?::(.*))?", endpoint)
        if match is None:
            _refuse(text, "its bracket does not close as in [::1]:443")
        if _version(match[1]) != 6:
            _refuse(text, f"{match[1]!r} is not an IPv6 address")
        return match[1], match[2]
    if endpoint.count(":") > 1:
        if _version(endpoint) != 6:
            _refuse(text, "it has more than one colon; an IPv6 address goes into brackets, as in [::1]:443")
        return endpoint, None
    host, colon, port = endpoint.partition(":")
    return host, port if colon else None


def _port(text: str, port: str) -> int:
    if not (port.isascii() and port.isdigit()):
        _refuse(text, f"{port!r} is not a port number")
    if len(port) > 5 or not 1 <= int(port) <= 65535:
        _refuse(text, f"port {port} is outside 1 to 65535")
    return int(port)


def _host(text: str, host: str) -> str:
    if not host:
        _refuse(text, "the host is missing; for a server on this machine write localhost before the colon")
    if host in _EVERYWHERE:
        _refuse(
            text, f"{host} is where a server listens, not where it is reached; write localhost for one on this machine"
        )
    if ":" in host:  # an IPv6 address, as _split has made sure
        return host
    ascii_host = host if host.isascii() else _international(text, host)
    if ascii_host.lower() == "localhost.":  # by RFC 6761 the same, but no resolver of gRPC's finds it
        return "localhost"
    labels = ascii_host.removesuffix(".").split(".")
    if len(ascii_host) > 253 or not all(_HOST_LABEL.fullmatch(label) for label in labels):
        _refuse(text, f"{host!r} is not a host name")
    if labels[-1].isdigit() and _version(ascii_host) != 4:  # 300.1.1.1, or 10.0.0: no resolver would find them
        _refuse(text, f"{host!r} is neither an IPv4 address nor a host name")
    return ascii_host


def _international(text: str, host: str) -> str:
    """The name in ASCII, by the rules that browsers follow: by older ones ``straße`` would be another's name."""
    import idna

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except UnicodeError:
        _refuse(text, f"{host!r} is not a host name")


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """What the host is an address of; None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _version(host: str) -> int:
    """That of the Internet Protocol which the host is an address of, 4 or 6; 0 for a name."""
    address = _address(host)
    return 0 if address is None else address.version


def _refuse(text: str, why: str) -> NoReturn:
    raise ConfigurationError(f"{printable(text, 200)!r} is not a target: {printable(why, 200)}. {_EXPECTED}.")
