"""Rows in another order are the same rows, however large they are in all."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from explorer.frames import rearranging
from explorer.frames.rearranging import rearranged

ORDER = np.random.default_rng(7).permutation(60)


def table() -> pa.Table:
    """Sixty rows in four batches with dictionaries of their own, the last ones much larger than those before."""
    batches = []
    for start in range(0, 60, 15):
        numbers = range(start, start + 15)
        batches.append(
            pa.record_batch(
                {
                    "n": pa.array(numbers),
                    "text": pa.array(["x" * (1 if n < 50 else 1_000) if n % 7 else None for n in numbers]),
                    "kind": pa.array([f"{start} {n % 3}" for n in numbers]).dictionary_encode(),
                    "all": pa.array([[n, n + 1][: n % 3] for n in numbers]),
                }
            )
        )
    return pa.concat_tables(pa.Table.from_batches([each]) for each in batches)


@pytest.mark.parametrize(
    "order", [ORDER, ORDER[:7], np.arange(60), np.array([3, 3, 0]), ORDER[:0], ORDER.astype(np.uint64)]
)
@pytest.mark.parametrize("at_once", [2**28, 500])
def test_they_are_what_arrow_takes(monkeypatch: pytest.MonkeyPatch, at_once: int, order: np.ndarray) -> None:
    monkeypatch.setattr(rearranging, "_AT_ONCE", at_once)
    told = table().replace_schema_metadata({"unit": "us"})
    taken = rearranged(told, order)
    assert taken.to_pylist() == told.unify_dictionaries().take(pa.array(order)).to_pylist()
    assert taken.schema.equals(told.schema, check_metadata=True)


def test_what_arrow_has_no_array_for_is_taken_in_two(monkeypatch: pytest.MonkeyPatch) -> None:
    gather, sizes = rearranging._gathered, []

    def gathered(*given: object) -> pa.Table:
        made = gather(*given)
        if made.nbytes > 4_000:
            raise pa.ArrowInvalid("offset overflow while concatenating arrays")
        sizes.append(made.nbytes)
        return made

    monkeypatch.setattr(rearranging, "_AT_ONCE", 3_000)
    monkeypatch.setattr(rearranging, "_gathered", gathered)
    assert rearranged(table(), ORDER).column("n").to_pylist() == ORDER.tolist()
    assert len(sizes) > 1 + table().nbytes // 3_000, "none was too large, so this shows nothing"
