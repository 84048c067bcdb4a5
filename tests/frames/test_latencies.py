"""How long calls took, by status: what is drawn, counted and said, without looking at a single pixel."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from matplotlib.figure import Figure

from explorer.errors import ConfigurationError
from explorer.frames import latency_histogram, latency_pictures
from explorer.frames.latencies import _edges, has_latencies


@pytest.fixture
def axes():
    return Figure().subplots()


def calls(**counts: int) -> pd.DataFrame:
    names = [name for name, count in counts.items() for _ in range(count)]
    return pd.DataFrame({"elapsed": np.linspace(0.001, 0.1, len(names)), "status_code": names})


def legend(ax) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_each_status_has_its_count_and_ok_is_lowest(axes) -> None:
    assert latency_histogram(calls(NOT_FOUND=30, OK=20, CANCELLED=5), axes) is axes
    assert legend(axes) == ["OK  20", "NOT_FOUND  30", "CANCELLED  5"]
    tops = [stairs.get_data().values.sum() for stairs in axes.patches]
    assert tops == [20, 50, 55], "stacked"
    colours = {stairs.get_facecolor() for stairs in axes.patches}
    hatches = [stairs.get_hatch() for stairs in axes.patches]
    assert len(colours) == 3
    assert len(set(hatches)) == 3, "not by colour alone"


def test_the_median_and_the_95th_percentile_are_marked(axes) -> None:
    frame = pd.DataFrame({"elapsed": np.arange(1, 101) / 1000, "status_code": "OK"})
    latency_histogram(frame, axes)
    assert [line.get_xdata()[0] for line in axes.lines] == pytest.approx([0.0505, 0.09505])
    assert [text.get_text() for text in axes.texts] == ["median 50.5 ms", "95 % 95 ms"]


def test_no_word_lies_over_the_legend(axes) -> None:
    seconds = np.append(np.full(90, 0.001), np.full(10, 0.1))  # the 95th percentile stands at the right edge
    latency_histogram(pd.DataFrame({"elapsed": seconds, "status_code": "NOT_FOUND"}), axes)
    axes.figure.draw_without_rendering()
    shown = axes.get_legend().get_window_extent()
    assert not any(shown.overlaps(text.get_window_extent()) for text in axes.texts)


@pytest.mark.parametrize(("seconds", "scale"), [([0.001, 0.002, 0.003], "linear"), ([0.001, 0.01, 5.0], "log")])
def test_the_axis_is_logarithmic_where_times_differ_much(axes, seconds: list[float], scale: str) -> None:
    latency_histogram(pd.DataFrame({"elapsed": seconds, "status_code": "OK"}), axes)
    assert axes.get_xscale() == scale


@pytest.mark.parametrize("count", [1, 2, 3, 1000])
def test_no_call_is_lost_between_two_bins(axes, count: int) -> None:
    rng = np.random.default_rng(count)
    seconds = rng.lognormal(-5, 2, count)
    assert np.histogram(seconds, _edges(seconds))[0].sum() == count
    latency_histogram(pd.DataFrame({"elapsed": seconds, "status_code": "OK"}), axes)
    assert legend(axes) == [f"OK  {count:,}"]


def test_rows_without_a_time_are_left_out_and_no_time_at_all_is_a_sentence(axes) -> None:
    seconds = [0.1, None, float("nan"), float("inf"), 0.0, -1.0, 0.2]
    latency_histogram(pa.table({"elapsed": seconds, "status_code": [None] + ["OK"] * 6}), axes)
    assert legend(axes) == ["OK  1", "NA  1"]
    with pytest.raises(ConfigurationError, match="No row has a time"):
        latency_histogram(pa.table({"elapsed": [None, 0.0], "status_code": ["OK", "OK"]}), axes)
    with pytest.raises(ConfigurationError, match="takes a column elapsed"):
        latency_histogram(pd.DataFrame({"elapsed": ["slow"], "status_code": ["OK"]}), axes)
    assert not has_latencies(pa.schema([("elapsed", pa.float64())]))


def test_many_statuses_become_few_and_enums_are_statuses_too(axes) -> None:
    frame = calls(**{f"CODE_{at}": 20 - at for at in range(12)})
    frame["status_code"] = frame["status_code"].astype("category")
    latency_histogram(frame, axes)
    assert legend(axes)[-1].startswith("6 others")
    assert len(legend(axes)) == 7


def test_a_response_field_called_elapsed_is_not_ours(axes) -> None:
    table = pa.table([[9.0, 9.0], [0.1, 0.1], ["OK", "OK"]], names=["elapsed", "elapsed", "status_code"])
    latency_histogram(table, axes)
    assert axes.lines[0].get_xdata()[0] == pytest.approx(0.1)


def test_a_narrow_picture_has_letters_of_the_same_size_and_nothing_outside() -> None:
    frame = calls(OK=200, NOT_FOUND=40, CANCELLED=5)
    for width in (300, 692):
        picture = latency_pictures(frame, width=width)["light"]
        root = ET.fromstring(picture)
        assert float(root.attrib["width"].removesuffix("pt")) / 72 * 96 == pytest.approx(width)
    axes = Figure(figsize=(300 / 96, 2.9), layout="constrained").subplots()
    latency_histogram(frame, axes)
    axes.figure.draw_without_rendering()
    shown, whole = axes.get_legend().get_window_extent(), axes.figure.bbox
    assert (shown.x0 >= 0, shown.x1 <= whole.x1, shown.y1 <= whole.y1) == (True, True, True)
    assert axes.get_window_extent().width > whole.width * 0.6
    assert not any(shown.overlaps(text.get_window_extent()) for text in axes.texts)


def test_a_row_of_a_stream_is_a_row_and_no_call(axes) -> None:
    latency_histogram(calls(OK=5, CANCELLED=1), axes)
    assert axes.get_ylabel() == "6 rows"
    assert latency_pictures(calls(OK=1))["words"].startswith("1 row; median ")


def test_hostile_statuses_draw_as_letters() -> None:
    hostile = ["$\\frac{$", "<script>alert(1)</script>", "_hidden", "\u202e\x1b\U0001f4a9", "&amp;"]
    pictures = latency_pictures(pd.DataFrame({"elapsed": [0.1] * 5, "status_code": hostile}))
    for kind in ("light", "dark"):
        root = ET.fromstring(pictures[kind])
        assert root.tag.endswith("svg")
        assert not re.search(r"<script|onload|javascript:", pictures[kind])
    assert "hidden 1" in pictures["words"]


def test_light_and_dark_differ_in_colours_alone_and_are_small() -> None:
    pictures = latency_pictures(calls(OK=2000, UNAVAILABLE=500, NOT_FOUND=400, CANCELLED=100, INTERNAL=50))
    assert pictures["light"] != pictures["dark"]
    assert all(len(pictures[kind]) < 150_000 for kind in ("light", "dark"))
    assert pictures["words"].startswith("3,050 rows; median ")
    assert "UNAVAILABLE 500" in pictures["words"]


def test_without_matplotlib_a_sentence_says_what_brings_it() -> None:
    program = """
import sys
sys.modules["matplotlib"] = None
import pandas as pd, explorer
try:
    explorer.frames.latency_pictures(pd.DataFrame({"elapsed": [1.0], "status_code": ["OK"]}))
except explorer.errors.MissingExtraError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert 'pip install "grpc-notebook-explorer[plot]"' in done.stdout, done.stderr
