"""How long calls took, as a histogram coloured by status."""

from __future__ import annotations

import importlib
import io
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from explorer.errors import ConfigurationError, MissingExtraError
from explorer.frames.kinds import kind_of
from explorer.frames.sources import as_table
from explorer.text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["has_latencies", "latency_histogram", "latency_pictures"]

_BINS = 48
_SHOWN = 6  # statuses that have a colour of their own
_WIDE = 20  # from how many times the shortest the longest is, the axis is logarithmic
_ALIKE = 1.001
_PIXELS = 96  # of CSS in an inch
_BESIDE = 5.5  # inches, from which on there is room for a legend beside the axes
_LINE = 0.19  # the same, of one above them
_GOOD, _LATE = "OK", "CANCELLED"
_HATCHES = ("", "///", "xxx", "\\\\\\", "++", "|||", "---", "//")
"""Beside the colour, for eyes and paper that have none."""
_LIGHT = {
    "text": "#424242",
    "line": "#e0e0e0",
    "mark": "#212121",
    "good": "#66a96b",
    "late": "#e0a03c",
    "bad": ("#c9504b", "#8e6bb5", "#4f86c0", "#9a6a4f", "#c76f9b", "#7d7d7d", "#5d9a9a"),
}
_DARK = {
    "text": "#c9cdd2",
    "line": "#3a3f45",
    "mark": "#e8eaed",
    "good": "#6fae75",
    "late": "#d9a24a",
    "bad": ("#d9716b", "#a58acb", "#6f9fd2", "#b58a70", "#d38bb0", "#9a9a9a", "#78b0b0"),
}
_drawing = threading.Lock()


def latency_histogram(source: Any, ax: Axes | None = None) -> Axes:
    """Draw ``elapsed`` of a table of calls (seconds) as a histogram, stacked and coloured by ``status_code``.

    Rows are counted: of a stream, each message that came. The median and the 95th percentile of all that are drawn are
    marked. The axis is logarithmic where the slowest took 20 times the fastest. Rows without a time, or of no time at
    all, are left out. ``ax`` is where to draw, by default new axes of :mod:`matplotlib.pyplot`.

    Raises:
        ConfigurationError: There is no such column, or no time in it.
        MissingExtraError: matplotlib is not installed.

    """
    seconds, names, codes = _times(source)
    if ax is None:
        _need_matplotlib()
        import matplotlib.pyplot as plt

        ax = plt.subplots(figsize=(7, 3), layout="constrained")[1]
    _draw(ax, seconds, names, codes, _LIGHT)
    return ax


def latency_pictures(source: Any, *, width: float = 692) -> dict[str, Any]:
    """The same as two SVG documents, for ``light`` and ``dark`` surroundings, and in ``words``. Raises likewise.

    ``width`` is in CSS pixels; letters keep their size at any.
    """
    seconds, names, codes = _times(source)
    _need_matplotlib()
    with _drawing:  # matplotlib is for one thread at a time
        colours = {"light": _LIGHT, "dark": _DARK}
        pictures = {name: _svg(seconds, names, codes, of_it, width) for name, of_it in colours.items()}
    median, late = np.quantile(seconds, [0.5, 0.95])
    counts = ", ".join(f"{name} {int(np.sum(codes == at)):,}" for at, name in enumerate(names))
    words = f"{_rows(len(seconds))}; median {_words(median)}, 95 % within {_words(late)}; {counts}"
    return {**pictures, "words": words}


def has_latencies(schema: pa.Schema) -> bool:
    """Whether a table of this schema has the columns that latencies are drawn from."""
    kinds = {field.name: kind_of(field.type) for field in schema}
    return kinds.get("elapsed") == "number" and kinds.get("status_code") == "text"


def _need_matplotlib() -> None:
    try:
        importlib.import_module("matplotlib")
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "The histogram is drawn by matplotlib, which is not installed. "
            'Install it with: pip install "grpc-notebook-explorer[plot]"'
        ) from error


def _times(source: Any) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Seconds, the names of their statuses (the first is the lowest in the stack), and which of them each has."""
    table = as_table(source)
    if not has_latencies(table.schema):
        raise ConfigurationError("A histogram of latencies takes a column elapsed, in seconds, and one status_code.")
    elapsed = table.column(_last(table, "elapsed")).cast(pa.float64(), safe=False)
    status = table.column(_last(table, "status_code")).cast(pa.string())
    timed = pc.and_(pc.fill_null(pc.is_finite(elapsed), False), pc.fill_null(pc.greater(elapsed, 0), False))  # noqa: FBT003 - a value of Arrow's, not a flag
    seconds = elapsed.filter(timed).to_numpy()
    if not len(seconds):
        raise ConfigurationError("No row has a time in its column elapsed, so there is nothing to draw.")
    encoded = pc.fill_null(status.filter(timed), "NA").combine_chunks().dictionary_encode()
    names, codes = _ranked(encoded.dictionary.to_pylist(), encoded.indices.to_numpy())
    return seconds, names, codes


def _last(table: pa.Table, name: str) -> int:
    """A collected table's own columns are its last, whatever else bears their names."""
    return int(table.schema.get_all_field_indices(name)[-1])


def _ranked(names: list[str], codes: np.ndarray) -> tuple[list[str], np.ndarray]:
    """OK first, then the most frequent; what is rare is one."""
    counts = np.bincount(codes, minlength=len(names))
    order = sorted(range(len(names)), key=lambda at: (names[at] != _GOOD, -counts[at], names[at]))
    ranks = np.empty(len(names), dtype=np.int64)
    ranks[order] = np.arange(len(names))
    ranked = [_plain(names[at]) for at in order]
    if len(ranked) > _SHOWN + 1:
        ranked = [*ranked[:_SHOWN], f"{len(ranked) - _SHOWN} others"]
        ranks = np.minimum(ranks, _SHOWN)
    return ranked, ranks[codes]


def _plain(name: str) -> str:
    """A status as a picture can have it: letters that every font has, and none that matplotlib would take for maths."""
    return printable(name, 40).encode("ascii", "backslashreplace").decode("ascii").replace("$", r"\$").lstrip("_")


def _svg(seconds: np.ndarray, names: list[str], codes: np.ndarray, colours: dict[str, Any], width: float) -> str:
    from matplotlib.figure import Figure

    across = width / _PIXELS
    above = 0 if across >= _BESIDE else _LINE * len(names)
    figure = Figure(figsize=(across, 2.9 + above), layout="constrained")
    figure.patch.set_alpha(0)
    _draw(figure.subplots(), seconds, names, codes, colours)
    out = io.StringIO()
    figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return out.getvalue()


def _draw(ax: Axes, seconds: np.ndarray, names: list[str], codes: np.ndarray, colours: dict[str, Any]) -> None:
    edges = _edges(seconds)
    below = np.zeros(len(edges) - 1)
    bad = iter(colours["bad"])
    for at, name in enumerate(names):
        heights, _ = np.histogram(seconds[codes == at], edges)
        colour = colours["good"] if name == _GOOD else colours["late"] if name == _LATE else next(bad)
        hatch = "" if name == _GOOD else _HATCHES[at % len(_HATCHES)] or _HATCHES[1]
        label = f"{name}  {int(heights.sum()):,}"
        style = {"facecolor": colour, "hatch": hatch, "edgecolor": "#ffffff90", "linewidth": 0}
        ax.stairs(below + heights, edges, baseline=below, fill=True, label=label, **style)
        below = below + heights
    if edges[-1] > edges[0] * _WIDE:
        ax.set_xscale("log")
    _mark(ax, seconds, colours)
    _dress(ax, colours, len(seconds))


def _edges(seconds: np.ndarray) -> np.ndarray:
    low, high = float(seconds.min()), float(seconds.max())
    if high < low * _ALIKE:
        return np.array([low * 0.9, high * 1.1])
    bins = max(8, min(_BINS, int(np.sqrt(len(seconds))) * 2))
    edges = np.geomspace(low, high, bins + 1) if high > low * _WIDE else np.linspace(low, high, bins + 1)
    edges[0], edges[-1] = low, high  # rounding would lose the two ends
    return edges


def _mark(ax: Axes, seconds: np.ndarray, colours: dict[str, Any]) -> None:
    median, late = np.quantile(seconds, [0.5, 0.95])
    top = ax.get_ylim()[1]
    ax.set_ylim(0, top * 1.16)
    for value, words, style, side in ((median, "median", (0, (4, 2)), "right"), (late, "95 %", (0, (1, 1.5)), "left")):
        ax.axvline(value, color=colours["mark"], linewidth=1, linestyle=style)
        shift = -4 if side == "right" else 4
        ax.annotate(
            f"{words} {_words(value)}",
            (value, top * 1.14),
            xytext=(shift, 0),
            textcoords="offset points",
            ha=side,
            va="top",
            fontsize=8.5,
            color=colours["text"],
        )


def _dress(ax: Axes, colours: dict[str, Any], count: int) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _place: _words(value)))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:,.0f}"))
    ax.set_facecolor("none")
    ax.set_axisbelow(True)
    ax.grid(axis="y", color=colours["line"], linewidth=0.8)
    ax.tick_params(colors=colours["text"], labelsize=8.5, length=0, which="both")
    for side, spine in ax.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(colours["line"])
    ax.set_xlabel("elapsed", color=colours["text"], fontsize=8.5)
    ax.set_ylabel(_rows(count), color=colours["text"], fontsize=8.5)
    style: dict[str, Any] = {"frameon": False, "fontsize": 8.5, "labelcolor": colours["text"]}
    if ax.figure.bbox.width / ax.figure.dpi >= _BESIDE:
        below_the_words = (1, 0.88)  # those beside the lines may reach out of the axes
        ax.legend(loc="upper left", bbox_to_anchor=below_the_words, **style).set_in_layout(True)
    else:
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0, **style).set_in_layout(True)


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _words(seconds: float) -> str:
    """A time as people read it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size * 0.9995:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
