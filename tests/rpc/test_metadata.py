from __future__ import annotations

import copy
import pickle
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor import MethodDescriptor

import explorer
from explorer.circumstances import Circumstances
from explorer.errors import ConfigurationError
from explorer.methods import Method
from explorer.rpc import Connection, invoke, secure_channel, stream
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


def test_t34_metadata_is_copied_and_never_pickled() -> None:
    given = as_metadata({"x-api-key": "canary"})
    assert copy.deepcopy([given])[0] is given
    assert copy.copy(given) is given
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="pickled"):
            pickle.dumps(given, protocol)


def fails_half_way() -> Iterator[tuple[str, str]]:
    yield "x-api-key", "canary"
    raise LookupError("canary")


REFUSED: list[Any] = [
    {"x-api-key": "canary\n"},
    {"x-api-key": b"canary"},
    {"x-key-bin": "canary"},
    {"two words": "canary"},
    [("x-api-key", "canary"), ("grpc-timeout", "canary")],
    [("authorization", "canary"), ("Authorization", "canary")],
    [("x-api-key", "canary", "canary")],
    "canary",
]


@pytest.mark.parametrize("given", [*REFUSED, fails_half_way])
def test_t32_no_frame_of_a_refusal_holds_a_value(given: Any, method: Callable[[str], MethodDescriptor]) -> None:
    connection = Connection("localhost:1", plaintext=True)
    bound = Method(method("Get"), Circumstances(connection))
    attempts: list[Callable[[Any], Any]] = [
        as_metadata,
        lambda metadata: explorer.connect("localhost:1", metadata=metadata),
        lambda metadata: Connection("localhost:1", metadata=metadata),
        connection.call_metadata,
        lambda metadata: connection.bulk_metadata(1, metadata=metadata),
        lambda metadata: invoke(connection, method("Get"), b"", metadata=metadata),
        lambda metadata: stream(connection, method("List"), b"", metadata=metadata),
        lambda metadata: bound.options(metadata=metadata),
    ]
    for attempt in attempts:
        with pytest.raises(ConfigurationError) as caught:
            attempt(given() if callable(given) else given)
        assert "canary" not in str(caught.value)
        assert "canary" not in frames_of_ours(caught.value)
        assert caught.value.__cause__ is None
    connection.close()


def test_the_frames_are_looked_into() -> None:
    with pytest.raises(ConfigurationError) as caught:  # the twin: what is no secret is there to be seen
        secure_channel("two words")
    assert "two words" in frames_of_ours(caught.value)


def frames_of_ours(problem: BaseException) -> str:
    """Every local variable of our own frames, as a verbose traceback prints them."""
    ours = Path(explorer.__file__).parent
    stack = traceback.TracebackException.from_exception(problem, capture_locals=True).stack
    return "".join(str(frame.locals) for frame in stack if Path(frame.filename).is_relative_to(ours))
