"""The fast decoder makes the rows that the oracle makes, of anything that may come over a wire."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from wire_cases import COMBINATIONS, Case, Made, make

from explorer.errors import DecodeError
from explorer.frames import decoding, enum_vectors, json_vectors, map_entries, vectors
from explorer.frames.columns import Columns
from explorer.frames.decoding import Decoder
from explorer.frames.doubts import Doubts, Reason

MessageType = Callable[..., Descriptor]
TRUST = bool(os.environ.get("TRUST"))
CASES = 20_000 if TRUST else 2_000
AT_LEAST = 100
CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.json"))


def drawn(fields: int, messages: int, rest: bytes) -> Case:
    # Numbers come out small again and again; bytes come out as they like.
    return Case(start=rest[0] % len(COMBINATIONS), fields=fields, messages=messages, seed=int.from_bytes(rest))


cases = st.builds(drawn, st.integers(1, 12), st.integers(1, 8), st.binary(min_size=8, max_size=8))


def difference(made: Made) -> str | None:
    """Where the two decoders disagree about a case, in words; None where they do not."""
    fast = Decoder(made.descriptor, quick=0)
    slow_faults: dict[int, DecodeError] = {}
    fast_faults: dict[int, DecodeError] = {}
    expected = fast.columns.batch(made.data, faults=slow_faults)
    got = fast.batch(made.data, faults=fast_faults)
    got.validate(full=True)
    if not got.schema.equals(expected.schema, check_metadata=True):
        return f"schema: {got.schema} is not {expected.schema}"
    if {row: str(fault) for row, fault in slow_faults.items()} != {row: str(f) for row, f in fast_faults.items()}:
        return f"faults: {fast_faults} are not {slow_faults}"
    for name, ours, theirs in zip(expected.schema.names, got.columns, expected.columns, strict=True):
        if not same(ours, theirs):
            return f"{name}: {ours.to_pylist()} is not {theirs.to_pylist()}"
    return None


def same(ours: pa.Array, theirs: pa.Array) -> bool:
    if pa.types.is_dictionary(ours.type) and not ours.dictionary.equals(theirs.dictionary):
        return False
    return ours.equals(theirs) or repr(ours.to_pylist()) == repr(theirs.to_pylist())  # NaN equals none


@pytest.mark.slow
@pytest.mark.trust
@pytest.mark.timeout(3600)
def test_no_difference_and_every_combination_often_enough() -> None:
    seen: Counter[tuple[str, str]] = Counter()

    @settings(
        max_examples=CASES,
        deadline=None,
        database=None,
        derandomize=not TRUST,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def agree(case: Case) -> None:
        made = make(case)
        seen.update(made.seen)
        assert difference(made) is None

    agree()
    counts = {combination: seen[combination] for combination in COMBINATIONS}
    kind, place = min(counts, key=lambda each: counts[each])
    sys.stdout.write(
        f"{CASES} cases, {len(counts)} combinations of kind and place; the rarest, {kind} as {place}: "
        f"{counts[kind, place]} values\n"
    )
    assert min(counts.values()) >= AT_LEAST, {each: count for each, count in counts.items() if count < AT_LEAST}


def take_out(reason: Reason) -> Callable[[pytest.MonkeyPatch], None]:
    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        whole = Doubts.note

        def note(self: Doubts, why: Reason, where: Any) -> None:
            if why is not reason:
                whole(self, why, where)

        monkeypatch.setattr(Doubts, "note", note)

    return patch


def put(module: Any, name: str, neutral: Any) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda monkeypatch: monkeypatch.setattr(module, name, neutral)


REPAIRS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    **{reason.name: take_out(reason) for reason in Reason},
    "maps in the order of their keys, the last of equal ones": put(
        vectors, "in_order", lambda _keys, offsets: (None, offsets)
    ),
    "a map's value that was left away": put(vectors, "present", lambda raw: raw),
    "numbers that no enum names": put(enum_vectors, "with_numbers", lambda words, *_: words),
    "text that is not UTF-8": put(vectors, "readable", lambda raw: raw.cast(pa.string(), safe=False)),
    "JSON in pieces": put(json_vectors, "merged", lambda pieces: pieces[-1] if pieces else b""),
    "a length without end": put(decoding, "endless", lambda _wire: []),
    "rows that are none": put(decoding, "_with_nulls", lambda batch, _wire: batch),
}


@pytest.mark.slow
@pytest.mark.parametrize("repair", REPAIRS)
def test_without_any_one_repair_there_is_a_difference(
    repair: str, message_type: MessageType, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        REPAIRS[repair](without)
        witness = next((made for made in _many(message_type) if _differs(made)), None)
    assert witness is not None, f"nothing needs {repair!r}"
    assert difference(witness) is None, "and with the repair there is none"


def _many(message_type: MessageType) -> Iterator[Made]:
    for path in CORPUS:
        yield Made(*_entry(path, message_type))
    for seed in range(4_000):
        yield make(Case(start=seed, fields=12, messages=8, seed=seed))


def _differs(made: Made) -> bool:
    try:
        return difference(made) is not None
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - a panic of ptars is none of Exception's
        return True


def _entry(path: Path, message_type: MessageType) -> tuple[Descriptor, list[bytes | None]]:
    entry = json.loads(path.read_text())
    descriptor = message_type("\n".join(entry["proto"]), whole=True)
    return descriptor, [None if item is None else b"".join(map(bytes.fromhex, item)) for item in entry["messages"]]


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_corpus(path: Path, message_type: MessageType) -> None:
    entry = json.loads(path.read_text())
    descriptor, data = _entry(path, message_type)
    fast = Decoder(descriptor, quick=0)
    assert fast.is_fast is entry.get("fast", True)
    for decoder in (fast, fast.columns):
        faults: dict[int, DecodeError] = {}
        rows = decoder.batch(data, faults=faults).to_pylist(maps_as_pydicts="strict")
        assert [_plain(row) for row in rows] == entry["rows"], entry["why"]
        assert sorted(faults) == entry.get("faults", [])


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


class TestWhichWay:
    def test_few_messages_go_the_plain_way(self, message_type: MessageType) -> None:
        fast = Decoder(message_type("message M { int32 x = 1; }"))
        assert fast.batch([b"\x08\x05"]).to_pylist() == [{"x": 5}]
        assert "_reader" not in vars(fast), "and prepare nothing for the fast one"

    def test_groups_and_message_sets_go_the_plain_way(self, message_type: MessageType) -> None:
        grouped = message_type(
            'syntax = "proto2"; message M { optional group G = 1 { optional int32 n = 2; } }', whole=True
        )
        assert not Decoder(grouped).is_fast
        assert Decoder(grouped, quick=0).batch([b"\x0b\x10\x05\x0c"]).to_pylist() == [{"g.n": 5}]

    def test_a_number_so_high_that_ptars_would_pay_for_it(self, message_type: MessageType) -> None:
        assert Decoder(message_type("message M { int32 x = 262144; }")).is_fast
        far = message_type(f"message M {{ int32 x = {2**29 - 1}; }}")
        assert not Decoder(far).is_fast
        message = message_factory.GetMessageClass(far)(x=5).SerializeToString()
        assert Decoder(far, quick=0).batch([message]).to_pylist() == [{"x": 5}]

    def test_many_types_with_high_numbers_are_too_many(self, message_type: MessageType) -> None:
        types = "".join(f"message N{i} {{ int32 x = 60000; }}" for i in range(5))
        fields = "".join(f"N{i} n{i} = {i + 1};" for i in range(5))
        assert not Decoder(message_type(f"{types} message M {{ {fields} }}")).is_fast

    def test_without_ptars_the_rows_are_the_same(self, message_type: MessageType, monkeypatch) -> None:
        m = message_type("message M { int32 x = 1; map<string, int32> by = 2; }")
        data = [message_factory.GetMessageClass(m)(x=n, by={"b": n, "a": 1}).SerializeToString() for n in range(100)]
        with_it = Decoder(m, quick=0)
        expected = with_it.batch(data)
        assert with_it.is_fast
        monkeypatch.setitem(sys.modules, "ptars", None)
        without = Decoder(m, quick=0)
        assert not without.is_fast
        assert without.batch(data).equals(expected)

    @pytest.mark.parametrize("left_away", [True, False])
    def test_a_row_written_anew_holds_nothing_undeclared_that_would_be_in_doubt_again(
        self, message_type: MessageType, monkeypatch: pytest.MonkeyPatch, *, left_away: bool
    ) -> None:
        if not left_away:
            monkeypatch.setattr(decoding, "DISCARD_UNKNOWN", lambda _message: None)
        closed = message_type('syntax = "proto2"; enum E { A = 1; } message M { optional E e = 1; }', whole=True)
        reader = Decoder(closed, quick=0)._reader
        assert reader is not None
        made = reader.read([b"\x08\x01", b"\x08\x09"], {})
        assert (made is not None) is left_away

    def test_messages_themselves_and_none_among_bytes(self, message_type: MessageType) -> None:
        m = message_type("message M { int32 x = 1; }")
        new = message_factory.GetMessageClass(m)
        fast = Decoder(m, quick=0)
        assert fast.is_fast
        assert fast.batch([new(x=1), None, b"\x08\x02"]).to_pylist() == [{"x": 1}, {"x": None}, {"x": 2}]
        assert fast.batch([]).num_rows == 0

    def test_a_row_that_does_not_decode_is_named_where_no_faults_are_asked_for(self, message_type: MessageType) -> None:
        fast = Decoder(message_type("message M { string a = 1; }"), quick=0)
        with pytest.raises(DecodeError, match=r"^Row 1: 1 bytes are not a M ") as caught:
            fast.batch([b"", b"\x0a", b""])
        assert caught.value.data == b"\x0a"

    def test_nanoseconds_keep_every_digit_to_the_last_that_int64_holds(self, message_type: MessageType) -> None:
        m = message_type("message M { google.protobuf.Timestamp t = 1; }")
        new = message_factory.GetMessageClass(m)
        most = 2**63 - 1
        values = [0, -1, 1999, most, -most - 1, most + 1, -most - 2]
        data = [new(t={"seconds": v // 10**9, "nanos": v % 10**9}).SerializeToString() for v in values]
        fast, faults = Decoder(m, unit="ns", quick=0), dict[int, DecodeError]()
        column = fast.batch(data, faults=faults).column(0)
        assert fast.is_fast
        assert column.cast(pa.int64()).to_pylist() == [*values[:5], None, None]
        assert sorted(faults) == [5, 6]
        assert column.equals(Columns(m, unit="ns").batch(data, faults={}).column(0))


def test_the_order_of_keys_is_that_of_the_oracle_for_many_maps() -> None:
    random = np.random.default_rng(1)
    offsets = np.concatenate([[0], np.cumsum(random.integers(0, 5, 500))])
    keys = pa.array([f"k{n}" for n in random.integers(0, 6, offsets[-1])])
    chosen, ends = map_entries.in_order(keys, offsets)
    assert chosen is not None
    for row in range(500):
        given = {key: at for at, key in enumerate(keys.to_pylist()) if offsets[row] <= at < offsets[row + 1]}
        assert chosen.to_pylist()[ends[row] : ends[row + 1]] == [given[key] for key in sorted(given)]
