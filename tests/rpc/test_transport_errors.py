"""Core's own words, as it was heard to say them, and what is made of each."""

from __future__ import annotations

import pytest

from explorer.rpc.targets import parse_target
from explorer.rpc.transport_errors import Situation, is_connection_trouble, trouble_of

FAILED = "failed to connect to all addresses; last error: "
HANDSHAKE = f"{FAILED}UNKNOWN: ipv4:127.0.0.1:1: Tls handshake failed (TSI_PROTOCOL_FAILURE): SSL_ERROR_SSL: error:1: "
ALERT = f"{HANDSHAKE}SSL routines:OPENSSL_internal:"
VERIFY = f"{ALERT}CERTIFICATE_VERIFY_FAILED: "
CLOSED = f"{FAILED}UNAVAILABLE: ipv4:127.0.0.1:1: Socket closed"


@pytest.mark.parametrize(
    ("details", "situation", "kind", "said"),
    [
        (f"{ALERT}WRONG_VERSION_NUMBER: Invalid", {}, "plaintext server", "not in TLS"),
        (f"{ALERT}TLSV1_ALERT_PROTOCOL_VERSION: OK", {}, "outdated TLS", "TLS 1.2 or 1.3"),
        (f"{ALERT}UNSUPPORTED_PROTOCOL: OK", {}, "outdated TLS", "TLS 1.2 or 1.3"),
        (f"{VERIFY}certificate has expired: OK", {}, "certificate", "expired"),
        (f"{VERIFY}certificate is not yet valid: OK", {}, "certificate", "not valid yet"),
        (f"{VERIFY}self signed certificate: OK", {}, "certificate", "that this machine knows"),
        (f"{VERIFY}unable to get local issuer: OK", {"own_roots": True}, "certificate", "given as root_certificates"),
        (f"{FAILED}Hostname Verification Check failed.", {"server_name": "a.b"}, "name", "another name than 'a.b'"),
        (f"{ALERT}TLSV1_ALERT_UNKNOWN_CA: OK", {}, "client certificate", "does not accept the client certificate"),
        (f"{ALERT}SSLV3_ALERT_CERTIFICATE_EXPIRED", {}, "client certificate", "it has expired"),
        (f"{ALERT}TLSV1_ALERT_CERTIFICATE_REQUIRED", {}, "client certificate", "client_certificate"),
        (f"{ALERT}SSLV3_ALERT_HANDSHAKE_FAILURE", {}, "client certificate", "wants a client certificate"),
        (f"{ALERT}SSLV3_ALERT_HANDSHAKE_FAILURE", {"client_certificate": True}, "client certificate", "wants another"),
        (CLOSED, {}, "closed", "most likely it wants a client certificate"),
        (CLOSED, {"client_certificate": True}, "closed", "does not accept the client certificate"),
        (CLOSED, {"security": "local"}, "tls server", "it seems to speak TLS"),
        (CLOSED, {"security": "plaintext"}, "tls server", "it seems to speak TLS"),
        (f"{FAILED}Unwrap failed (TSI_DATA_CORRUPTED)", {}, "closed", "wants a client certificate"),
        (f"{FAILED}Handshake read failed (Socket closed)", {}, "closed", "while TLS was being set up"),
        (
            f"{FAILED}UNKNOWN: Failed to connect to remote host: getsockopt(SO_ERROR): Connection reset by peer",
            {},
            "closed",
            "broke the connection off at once",
        ),
        (f"{FAILED}Cannot check peer: missing selected ALPN property.", {}, "other server", "ALPN h2"),
        (f"{FAILED}Failed parsing HTTP/2 (Trying to connect an http1.x server (x))", {}, "other server", "in HTTP/1.1"),
        (f"{FAILED}Failed parsing HTTP/2 (Expected SETTINGS frame", {}, "other server", "not in HTTP/2"),
        (f"{FAILED}Failed to connect to remote host: Connection refused", {}, "nobody", "Nobody listens at shop.ex"),
        (f"{FAILED}Failed to connect to remote host: No route to host", {}, "nobody", "cannot be reached from here"),
        (f"{FAILED}connect failed: Permission denied", {}, "permission", "may not be used by this account"),
        (f"{FAILED}connect failed: No such file or directory", {}, "nobody", "there is no such socket"),
        ("errors resolving x:1: [x: Domain name not found]", {}, "address", "'shop.example' is not known to DNS"),
        (f"{FAILED}HTTP proxy returned response code 407", {"proxy": "p:3128"}, "proxy", "p:3128 wants a user"),
        (f"{FAILED}HTTP proxy returned response code 503", {"proxy": "p:3128"}, "proxy", "does not let us through"),
        (f"{FAILED}Connection refused", {"proxy": "p:3128"}, "proxy", "The proxy p:3128"),
        (CLOSED, {"proxy": "p:3128"}, "closed", "The proxy p:3128 stands between"),
        (f"{FAILED}something \x1b[31m<b>new</b>", {}, "other", r"something \x1b[31m<b>new</b>"),
    ],
)
def test_what_is_made_of_cores_words(details: str, situation: dict[str, object], kind: str, said: str) -> None:
    settings = {"target": parse_target("shop.example:1"), "security": "TLS", **situation}
    trouble = trouble_of(details, Situation(**settings))  # type: ignore[arg-type]  # a table of many kinds
    assert trouble.kind == kind
    assert said in trouble.sentence
    assert "shop.example" in trouble.sentence or "p:3128" in trouble.sentence
    assert "{" not in trouble.sentence
    assert "\x1b" not in trouble.sentence
    assert trouble.sentence.endswith(".")
    assert is_connection_trouble(details)


def test_who_gave_no_port_is_told_which_was_tried() -> None:
    for given, said in (("shop.example", "so 443 was tried."), ("http://shop.example", "so 80 was tried.")):
        situation = Situation(target=parse_target(given), security="TLS")
        assert trouble_of(f"{FAILED}Connection refused", situation).sentence.endswith(f"No port was given, {said}")
    given = Situation(target=parse_target("shop.example:443"), security="TLS")  # the twin
    assert "No port" not in trouble_of(f"{FAILED}Connection refused", given).sentence


def test_a_word_with_a_brace_in_it_is_no_format() -> None:
    situation = Situation(target=parse_target("shop.example:1"), security="TLS", proxy="p:1")
    assert "{target}" in trouble_of(f"{FAILED}odd {{target}} {{0}}", situation).sentence


@pytest.mark.parametrize("details", ["", "no such user", "Deadline Exceeded", "Method not found!"])
def test_what_a_server_says_is_no_trouble_of_the_connection(details: str) -> None:
    assert not is_connection_trouble(details)
