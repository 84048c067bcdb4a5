from __future__ import annotations

from typing import Any

import pytest

from explorer.errors import ConfigurationError
from explorer.rpc.metadata import OPEN_METADATA, as_metadata, may_be_shown


def test_names_are_lower_cased_and_order_is_kept() -> None:
    given = [("X-Request-Id", "7"), ("x-tag", "a"), ("x-tag", "b"), ("trace-bin", b"\x00\xff")]
    assert as_metadata(given) == (("x-request-id", "7"), ("x-tag", "a"), ("x-tag", "b"), ("trace-bin", b"\x00\xff"))


def test_a_mapping_will_do() -> None:
    assert as_metadata({"x-a": "1"}) == (("x-a", "1"),)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"x y": "1"}, "'x y' is no metadata name"),
        ({"": "1"}, "no metadata name"),
        ({"ümlaut": "1"}, "no metadata name"),
        ({"grpc-timeout": "1"}, "gRPC's own header"),
        ({"Content-Type": "1"}, "gRPC's own header"),
        ({":path": "1"}, "no metadata name"),
        ({"x-key": "pasted\n"}, "newline"),
        ({"x-key": "caf\u00e9"}, "ASCII"),
        ({"x-key": " padded "}, "space at its end"),
        ({"x-key": 7}, "type int"),
        ({"x-key": b"bytes"}, "-bin"),
        ({"x-key-bin": "text"}, "bytes, not str"),
        ([("x-key",)], "(name, value) pairs"),
        (7, "(name, value) pairs"),
        ([("Authorization", "Bearer a"), ("authorization", "Bearer b")], "two authorization values"),
    ],
)
def test_what_would_not_travel_is_named_before_it_is_sent(given: Any, named: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        as_metadata(given)
    assert named in str(caught.value)


def test_a_value_is_never_repeated_for_it_may_be_a_secret() -> None:
    with pytest.raises(ConfigurationError) as caught:
        as_metadata({"x-api-key": "s3cret\n"})
    assert "s3cret" not in str(caught.value)
    assert "x-api-key" in str(caught.value)


@pytest.mark.parametrize("name", ["authorization", "cookie", "x-api-key", "x-request-id-bin", "baggage", ""])
def test_only_a_few_harmless_names_may_show_their_values(name: str) -> None:
    assert not may_be_shown(name)
    assert name not in OPEN_METADATA
    assert may_be_shown(" X-Request-Id ")  # the twin, as people type it
