from __future__ import annotations

import inspect
import re
from typing import Any, get_args

import grpc
import pytest

import explorer
from explorer.errors import ConfigurationError, InsecureChannelError
from explorer.rpc import ChannelOptions, Connection, channel_options, parse_target
from explorer.rpc.channel import channel_arguments, security_for
from explorer.rpc.channel_options import ChannelSettings, Compression, compression_algorithm


def test_what_may_be_said_of_a_channel_is_the_same_list_everywhere() -> None:
    names = set(ChannelOptions.__dataclass_fields__)
    assert set(ChannelSettings.__annotations__) == names
    parameters = inspect.signature(explorer.connect).parameters
    assert names <= set(parameters)
    made = channel_options()
    for name in names:
        assert parameters[name].default in (getattr(made, name), ()), name


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"max_receive_message_length": 0}, "256 MiB"),
        ({"max_receive_message_length": -1}, "256 MiB"),
        ({"max_receive_message_length": 256 * 2**20 + 1}, "256 MiB"),
        ({"max_receive_message_length": 1e6}, "256 MiB"),
        ({"max_receive_message_length": True}, "256 MiB"),
        ({"max_send_message_length": -1}, "max_send_message_length=-1"),
        ({"options": [("grpc.max_receive_message_length", -1)]}, "grpc.max_receive_message_length=-1"),
        ({"compression": "br"}, "'gzip', 'deflate' or None, not 'br'"),
        ({"compression": True}, "not True"),
        ({"compression": []}, "not []"),
        ({"user_agent": ""}, "no user agent"),
        ({"user_agent": "a\r\nx-evil: 1"}, "no user agent"),
        ({"user_agent": "caf\u00e9"}, "no user agent"),
        ({"user_agent": 7}, "no user agent"),
        ({"user_agent": "x" * 201}, "no user agent"),
        ({"server_name": "two words"}, "such as 'shop.example', not 'two words'"),
        ({"server_name": ""}, "a host's name alone"),
        ({"server_name": "https://shop.example"}, "such as 'shop.example', not 'https://shop.example'"),
        ({"server_name": 7}, "a host's name alone"),
        ({"server_name": "ada:pw@shop.example"}, "not '…'"),
        ({"server_name": "shop.example:443"}, "a host's name alone"),
        ({"server_name": "unix:/run/s"}, "a host's name alone"),
        ({"plaintext": "yes"}, "plaintext is True or False, not str"),
        ({"wait_for_ready": 1}, "wait_for_ready is True or False"),
        ({"options": [("grpc.keepalive_time_ms",)]}, "pairs of name and value"),
        ({"options": {"grpc.keepalive_time_ms": 1}}, "pairs of name and value"),
        ({"options": [(7, 7)]}, "pairs of name and value"),
        ({"options": 7}, "pairs of name and value"),
        ({"options": [("grpc.keepalive_time_ms", None)]}, "grpc.keepalive_time_ms"),
    ],
)
def test_what_no_channel_can_have_is_named(wrong: dict[str, Any], named: str) -> None:
    for attempt in (channel_options, lambda **settings: Connection("localhost:1", **settings)):
        with pytest.raises(ConfigurationError) as caught:
            attempt(**wrong)
        assert named in str(caught.value)
        assert "\r" not in str(caught.value)


@pytest.mark.parametrize(
    "timeout", [0, -1, "5", None, float("inf"), float("nan"), True, 1e10, pytest.param(10**400, id="10**400")]
)
def test_a_timeout_that_is_none_is_refused_before_anything_is_sent(timeout: Any) -> None:
    with pytest.raises(ConfigurationError, match="is no time limit; expected seconds above zero"):
        explorer.connect("localhost:1", timeout=timeout)


def test_a_setting_that_is_none_is_named() -> None:
    with pytest.raises(TypeError, match="max_recieve"):
        Connection("localhost:1", max_recieve_message_length=1)  # type: ignore[call-arg]  # misspelled on purpose


@pytest.mark.parametrize(
    ("given", "expected"),
    [("Shop.Example", "Shop.Example"), ("bücher.example", "xn--bcher-kva.example"), ("::1", "::1")],
)
def test_a_server_name_is_what_stands_in_certificates(given: str, expected: str) -> None:
    assert channel_options(server_name=given).server_name == expected


@pytest.mark.parametrize("compression", [None, *get_args(Compression)])
def test_compressions_are_grpcs_own(compression: Any) -> None:
    expected = {None: "NoCompression", "gzip": "Gzip", "deflate": "Deflate"}[compression]
    assert compression_algorithm(compression) is getattr(grpc.Compression, expected)


@pytest.mark.parametrize("name", ["root_certificates", "server_name"])
def test_what_is_for_tls_and_plaintext_contradict_each_other(roots: bytes, name: str) -> None:
    settings: dict[str, Any] = {name: {"root_certificates": roots, "server_name": "shop.example"}[name]}
    for target, plaintext in (("localhost:1", True), ("http://localhost:1", False), ("unix:/run/s", True)):
        with pytest.raises(ConfigurationError, match=f"{name} is for TLS"):
            Connection(target, plaintext=plaintext, **settings)
    with Connection("localhost:1", **settings) as tls:  # the twin
        assert tls.security == "TLS"


@pytest.mark.parametrize(
    ("target", "settings", "token", "expected"),
    [
        ("shop.example", {}, True, "TLS"),
        ("localhost:1", {}, True, "TLS"),
        ("localhost:1", {"plaintext": True}, True, "local"),
        ("http://[::1]:1", {}, True, "local"),
        ("unix:/run/s", {}, True, "local"),
        ("unix:/run/s", {"plaintext": True}, True, "local"),
        ("unix:/run/s", {"server_name": "shop.example"}, True, "TLS"),
        ("http://shop.example", {}, False, "plaintext"),
        ("http://shop.example", {}, True, InsecureChannelError),
        ("shop.example", {"plaintext": True}, True, InsecureChannelError),
        ("grpc+tcp://10.0.0.7:1", {}, True, InsecureChannelError),
        ("https://localhost:1", {"plaintext": True}, False, ConfigurationError),
    ],
)
def test_t22_how_what_travels_is_protected(target: str, settings: Any, token: bool, expected: Any) -> None:
    options = channel_options(**settings)
    if isinstance(expected, str):
        assert security_for(parse_target(target), options, carries_token=token) == expected
    else:
        with pytest.raises(expected):
            security_for(parse_target(target), options, carries_token=token)


@pytest.mark.parametrize("scheme", ["http", "grpc", "grpc+tcp"])
def test_what_contradicts_the_spelling_names_it_as_it_was_spelled(roots: bytes, scheme: str) -> None:
    target = parse_target(f"{scheme.upper()}://shop.example")
    with pytest.raises(ConfigurationError, match=re.escape(f"for TLS, and {scheme}:// asks for none")):
        security_for(target, channel_options(root_certificates=roots), carries_token=False)
    with pytest.raises(InsecureChannelError, match=re.escape(f"leave {scheme}:// away")):
        security_for(target, channel_options(), carries_token=True)
    tls = parse_target("grpc+tls://shop.example")
    with pytest.raises(ConfigurationError, match=r"was spelled grpc\+tls://, and plaintext=True"):
        security_for(tls, channel_options(plaintext=True), carries_token=False)


def test_nothing_of_this_machine_goes_through_a_proxy() -> None:
    for target, expected in (("localhost:1", 0), ("unix:/run/s", 0), ("[::1]:1", 0), ("shop.example", None)):
        arguments = dict(channel_arguments(parse_target(target), ChannelOptions()))
        assert arguments.get("grpc.enable_http_proxy") == expected
