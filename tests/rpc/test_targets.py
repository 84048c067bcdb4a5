from __future__ import annotations

import traceback
from pathlib import Path

import pytest

import explorer
from explorer.errors import ConfigurationError
from explorer.opening import open_session
from explorer.rpc import Connection, call_credentials, channel_options, secure_channel
from explorer.rpc.targets import parse_target
from explorer.tokens import StaticTokenSource


@pytest.mark.parametrize(
    ("text", "address", "host", "port", "plaintext"),
    [
        ("localhost:50051", "localhost:50051", "localhost", 50051, None),
        ("  api.example.org:8443\n", "api.example.org:8443", "api.example.org", 8443, None),
        ("api.example.org", "api.example.org:443", "api.example.org", 443, None),
        ("api.example.org:443/", "api.example.org:443", "api.example.org", 443, None),
        ("https://api.example.org", "api.example.org:443", "api.example.org", 443, False),
        ("HTTPS://api.example.org:1234/", "api.example.org:1234", "api.example.org", 1234, False),
        ("grpcs://api.example.org", "api.example.org:443", "api.example.org", 443, False),
        ("http://localhost:8080", "localhost:8080", "localhost", 8080, True),
        ("grpc://localhost", "localhost:80", "localhost", 80, True),
        ("grpc+tls://api.example.org:1", "api.example.org:1", "api.example.org", 1, False),
        ("grpc+tcp://localhost:1/", "localhost:1", "localhost", 1, True),
        ('"localhost:50051"', "localhost:50051", "localhost", 50051, None),
        ("'https://api.example.org/'\n", "api.example.org:443", "api.example.org", 443, False),
        ("LocalHost:50051", "LocalHost:50051", "LocalHost", 50051, None),
        ("LocalHost.:50051", "localhost:50051", "localhost", 50051, None),
        ("api.example.org.:1", "api.example.org.:1", "api.example.org.", 1, None),
        ("DNS:///api.example.org:1/", "dns:///api.example.org:1", "api.example.org", 1, None),
        ("dns:///api.example.org:1", "dns:///api.example.org:1", "api.example.org", 1, None),
        ("dns:api.example.org", "dns:///api.example.org:443", "api.example.org", 443, None),
        ("dns://8.8.8.8/api.example.org:1", "dns://8.8.8.8/api.example.org:1", "api.example.org", 1, None),
        ("[::1]:50051", "[::1]:50051", "::1", 50051, None),
        ("[::1]", "[::1]:443", "::1", 443, None),
        ("::1", "[::1]:443", "::1", 443, None),
        ("https://[2001:db8::7]:9", "[2001:db8::7]:9", "2001:db8::7", 9, False),
        ("ipv4:10.0.0.7:50051", "10.0.0.7:50051", "10.0.0.7", 50051, None),
        ("ipv6:[::1]:50051", "[::1]:50051", "::1", 50051, None),
        ("ipv4:///10.0.0.7:50051", "10.0.0.7:50051", "10.0.0.7", 50051, None),
        ("ipv6:///[::1]:50051", "[::1]:50051", "::1", 50051, None),
        ("ipv6:2001:db8::7", "[2001:db8::7]:443", "2001:db8::7", 443, None),
        ("BÜCHER.example:1", "xn--bcher-kva.example:1", "xn--bcher-kva.example", 1, None),
        ("straße.example:1", "xn--strae-oqa.example:1", "xn--strae-oqa.example", 1, None),  # not strasse.example
        ("日本語。jp:1", "xn--wgv71a119e.jp:1", "xn--wgv71a119e.jp", 1, None),
        ("bücher.example:1", "xn--bcher-kva.example:1", "xn--bcher-kva.example", 1, None),
        ("my_service:1", "my_service:1", "my_service", 1, None),
    ],
)
def test_every_common_spelling_is_understood(
    text: str, address: str, host: str, port: int, plaintext: bool | None
) -> None:
    target = parse_target(text)
    assert (target.address, target.host, target.port, target.plaintext) == (address, host, port, plaintext)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("unix:/run/s.sock", "unix:/run/s.sock"),
        ("unix:s.sock", "unix:s.sock"),
        ("unix:///run/s.sock", "unix:/run/s.sock"),
        ("UNIX:/run/s.sock", "unix:/run/s.sock"),
        ("grpc+unix:///run/s.sock", "unix:/run/s.sock"),
        ("unix:/run/user@host.sock", "unix:/run/user@host.sock"),
        ("unix-abstract:name", "unix-abstract:name"),
        (f"unix:/{'a' * 106}", f"unix:/{'a' * 106}"),
    ],
)
def test_every_common_spelling_of_a_unix_socket_is_understood(text: str, address: str) -> None:
    target = parse_target(text)
    assert target.unix
    assert target.loopback
    assert (target.text, target.address, target.plaintext) == (address, address, None)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("localhost:http", "'http' is not a port number"),
        ("localhost:", "'' is not a port number"),
        ("localhost:0", "port 0 is outside 1 to 65535"),
        ("localhost:65536", "port 65536 is outside"),
        ("localhost:123456789", "outside"),
        (":50051", "the host is missing"),
        ("https://:1", "the host is missing"),
        ("host name:1", "space"),
        ("a\x1b[31m:1", "control character"),
        ("https://host:1/v1/api", "path (/v1/api)"),
        ("host:1/UserService/GetUser", "path (/UserService/GetUser)"),
        ("https://host?x=1", "query"),
        ("ftp://host:21", "ftp: is no scheme"),
        ("xds:///service", "xds: is no scheme"),
        ("[::1:5", "bracket"),
        ("2001:db8::7:50051:x", "brackets"),
        ("[zz]:1", "not an IPv6 address"),
        ("-bad.example:1", "not a host name"),
        ("a..b:1", "not a host name"),
        ("999.1.1.1:1", "neither an IPv4 address"),
        (f"{'a' * 64}.example:1", "not a host name"),
        ('"localhost:1', "not a host name"),
        ("localhost\n:1", "space"),
        ("local\u200bhost:1", "control character"),
        ("0.0.0.0:50051", "where a server listens, not where it is reached; write localhost"),
        ("[::]:50051", "write localhost"),
        (":50051", "write localhost before the colon"),
        ("ipv4:10.0.0.7:1,10.0.0.8:1", "several addresses"),
        ("ipv4:localhost:1", "'localhost' is no IPv4 address"),
        ("ipv4:[::1]:1", "'::1' is no IPv4 address"),
        ("ipv6:127.0.0.1:1", "'127.0.0.1' is no IPv6 address"),
        ("unix:", "names no socket"),
        ("unix:/", "names no socket"),
        ("unix-abstract:", "names no socket"),
        ("unix://run/s.sock", "one slash or three"),
        (f"unix:/{'a' * 107}", "at most 107 bytes, and this has 108"),
        ("bü cher.example:1", "space"),
        ("xn--\u00e4.example:1", "not a host name"),
        ("tcp://host:1", "tcp: is no scheme"),
        ("vsock:3:50051", "more than one colon"),
        ("https://host:1/#top", "path (/#top)"),
    ],
)
def test_what_is_no_target_is_named_with_what_was_expected(text: str, named: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_target(text)
    assert named in str(caught.value)
    assert "Expected host:port" in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["https://ada:s3cret@example.org", "ada:s3cret@example.org:1", "grpc+tls://s3cret@h", "dns:///a:s3cret@h:1"]
)
def test_a_password_in_a_target_is_not_repeated(text: str) -> None:
    ours = Path(explorer.__file__).parent
    source = StaticTokenSource("token")
    for attempt in (
        parse_target,
        explorer.connect,
        Connection,
        secure_channel,
        lambda target: open_session(target, channel_options()),
        lambda target: call_credentials(source, target=target),
    ):
        with pytest.raises(ConfigurationError) as caught:
            attempt(text)
        assert "s3cret" not in str(caught.value)
        assert "user names" in str(caught.value)
        trace = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        own = [frame for frame in trace.stack if Path(frame.filename).is_relative_to(ours)]
        assert own
        assert "s3cret" not in str([frame.locals for frame in own])


def test_a_path_is_answered_with_how_a_unix_socket_is_written() -> None:
    with pytest.raises(ConfigurationError, match=r"written unix:/run/x\.sock\."):
        parse_target("/run/x.sock")


def test_something_that_is_no_text_is_named_by_its_type() -> None:
    with pytest.raises(ConfigurationError, match="not int"):
        parse_target(50051)  # type: ignore[arg-type]  # the wrong type is the point


@pytest.mark.parametrize(
    "text", ["localhost:1", "LOCALHOST:1", "127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost.:1"]
)
def test_loopback_is_known(text: str) -> None:
    assert parse_target(text).loopback


@pytest.mark.parametrize(
    "text", ["localhost.example.org:1", "10.0.0.1:1", "128.0.0.1:1", "[::2]:1", "dns:///localhost.example:1"]
)
def test_what_only_looks_like_loopback_is_not(text: str) -> None:
    assert not parse_target(text).loopback
