"""The text of what is looked at: run against the DataFrame, it gives the very rows that the panel shows."""

from __future__ import annotations

import ast
import datetime as dt
import decimal
import itertools
import random
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from explorer.errors import ConfigurationError
from explorer.frames import Condition, Lens, View, to_pandas
from explorer.frames.conditions import KINDS_OF_CONDITIONS
from explorer.frames.kinds import is_sortable
from explorer.texts.selection import selection_text

UTC = dt.UTC
NOON = dt.datetime(2026, 1, 31, 12, tzinfo=UTC)
TABLE = pa.table(
    {
        "text": ["Ada", None, "straße", 'ada\'s "Bob"\n', "İﬁ"],
        'a "name"\\ of 🙂\n': pa.array(["x", "Ada", None, "", "."], pa.large_string()),
        "enum": pa.array(["b", "a", None, "straße", "a"]).dictionary_encode(),
        "small": pa.array([1, None, -5, 1, 127], pa.int8()),
        "big": [2**63 - 1, -(2**63), None, 0, 0],
        "unsigned": pa.array([2**64 - 1, 2**63, 0, None, 1], pa.uint64()),
        "double": [1.5, float("nan"), None, float("inf"), float("nan")],
        "float": pa.array([0.1, 0.2, None, 0.1, float("nan")], pa.float32()),
        "truth": [True, None, False, True, False],
        "time": pa.array([NOON, None, NOON, dt.datetime(1, 1, 1, tzinfo=UTC), 2**62], pa.timestamp("us", "UTC")),
        "local": pa.array([0, 1, None, 1, -1], pa.timestamp("s", "Europe/Berlin")),
        "nanoseconds": pa.array([0, 1, None, 2, -1], pa.timestamp("ns")),
        "duration": pa.array([dt.timedelta(seconds=1.5), None, dt.timedelta(2), dt.timedelta(0), -dt.timedelta(1)]),
        "short": pa.array([1, 2, None, 0, 1], pa.duration("ns")),
        "date": [dt.date(2026, 1, 31), None, dt.date(2023, 1, 1), None, dt.date(2026, 1, 31)],
        "clock": [dt.time(1, 2, 3), None, dt.time(5), dt.time(0), dt.time(5)],
        "decimal": [decimal.Decimal("1.50"), None, decimal.Decimal(2), decimal.Decimal(-1), decimal.Decimal("1.5")],
        "bytes": [b"\x00\xff", None, b"", b"z", b"z"],
        "list": [[1, 2], None, [], [3], [1]],
        "struct": [{"a": 1}, None, {"a": None}, {"a": 2}, None],
        "nothing": pa.nulls(5),
        "numbers": pa.array([5, None, 3, 9, 3]).dictionary_encode(),
        "times": pa.array([NOON, None, NOON, NOON, None], pa.timestamp("us", "UTC")).dictionary_encode(),
    }
)
TYPED = {
    "text": ["ada", "Ada", "ss", "ß", "i", "ﬁ", ".", '"Bob"', "\n"],
    "number": ["0", "1", "-5", "127", "0.1", "1.5", "nan", "inf", str(2**63 - 1), str(2**63), str(2**64 - 1)],
    "time": ["2026-01-31", "2026-01-31 13:00:00+01:00", "1970-01-01 00:00:00.000000001", "0001-01-01", "05:00"],
    "duration": ["0", "1.5", "2 days", "00:00:00.000000001"],
    "truth": ["true", "False"],
    "other": [""],
}


def run(code: str, frame: pd.DataFrame) -> pd.DataFrame:
    tree = ast.parse(code)
    known: dict[str, Any] = {"frame": frame}
    last = tree.body.pop()
    exec(compile(tree, "cell", "exec"), known)
    assert isinstance(last, ast.Expr | ast.Assign)
    rows: pd.DataFrame = eval(compile(ast.Expression(last.value), "cell", "eval"), known)
    return rows


class Both:
    """A table as the panel looks at it, and as a DataFrame that the text is run against."""

    def __init__(self, table: pa.Table) -> None:
        self.lens = Lens(table)
        self.frame = to_pandas(self.lens.table)
        self.names: list[Any] = table.column_names

    def agree(self, *conditions: Condition, search: str = "", sort: Any = ()) -> bool:
        """Whether the table allows such a view; if it does, the text gives the same rows in the same order."""
        view = View(search, conditions, sort)
        try:
            taken = self.lens.taken(view)
        except ConfigurationError:
            return False
        code = selection_text(view, self.lens.table.schema, "frame")
        given = run(code, self.frame)
        assert given.index.tolist() == self.lens.rows(view).to_pylist(), code
        assert given.columns.tolist() == self.names
        assert len(given) == len(taken)
        return True


@pytest.fixture(scope="module")
def both() -> Both:
    return Both(TABLE)


@pytest.fixture(scope="module")
def allowed(both: Both) -> list[Condition]:
    """Every condition that a column may be asked, with values that are in it and others."""
    return [one for one in asked(random.Random(1)) if both.agree(one)]


def asked(chance: random.Random) -> list[Condition]:
    conditions = []
    for (at, _), (kind, typed) in itertools.product(enumerate(TABLE.schema), TYPED.items()):
        conditions += [Condition(at, "missing"), Condition(at, "present")] if kind == "other" else []
        for text in typed if kind in KINDS_OF_CONDITIONS else ():
            conditions += [Condition(at, "contains", text), Condition(at, "equals", text)]
            conditions += [Condition(at, "range", low=text), Condition(at, "range", high=text)]
            conditions += [Condition(at, "range", low=text, high=chance.choice(typed))]
    return conditions


def sortable() -> list[int]:
    return [at for at, kind in enumerate(TABLE.schema.types) if is_sortable(kind)]


def test_each_condition_on_each_kind_of_column_gives_the_same_rows(allowed: list[Condition]) -> None:
    assert {one.column for one in allowed} == set(range(TABLE.num_columns))
    assert len(allowed) > 300


@pytest.mark.parametrize("down", [False, True])
def test_each_sort_alone_and_beside_another_gives_the_same_order(both: Both, down: bool) -> None:
    small = TABLE.column_names.index("small")
    for at in sortable():
        assert both.agree(sort=((at, down),))
        assert both.agree(sort=((small, not down), (at, down)))
        assert both.agree(sort=((at, down), (small, False)))


def test_conditions_search_and_sort_go_together_in_any_way(both: Both, allowed: list[Condition]) -> None:
    chance = random.Random(2026)
    for _ in range(100):
        some = chance.sample(allowed, chance.randrange(4))
        sort = tuple((at, chance.random() < 0.5) for at in chance.sample(sortable(), chance.randrange(4)))
        assert both.agree(*some, search=chance.choice(["", *TYPED["text"]]), sort=sort)


TWICE = pa.Table.from_arrays([pa.array([1, 2]), pa.array(["b", "Ada"]), pa.array([3, None])], ["n", "n", "m"])


@pytest.mark.parametrize("table", [TABLE.slice(0, 0), TABLE.select(["text"]), TABLE.select(["big"]), TWICE])
def test_a_table_without_rows_without_text_or_with_a_name_twice(table: pa.Table) -> None:
    both = Both(table)
    both.names = list(range(3)) if table is TWICE else both.names
    assert both.agree(Condition(0, "equals", "1"), sort=((0, True),))
    for search in ("", "ada"):
        assert both.agree(Condition(0, "present"), search=search, sort=((0, True),))
        assert both.agree(search=search, sort=((0, True),))


def test_what_pandas_cannot_be_asked_is_said_and_left_out() -> None:
    prices = pa.array([decimal.Decimal("1.50"), None]).dictionary_encode()
    table = pa.table({"price": prices, "n": [1, 2]})
    view = View("", (Condition(0, "equals", "1.5"), Condition(1, "range", high="2")), ((0, True),))
    assert Lens(table).taken(view)["n"].to_pylist() == [1]
    code = selection_text(view, table.schema, "frame")
    assert '# pandas does not convert the categories of df["price"]: it is left out' in code
    assert run(code, to_pandas(table))["n"].tolist() == [1, 2]


def test_it_is_short_and_says_what_becomes_of_the_rows() -> None:
    schema = pa.schema({"age": pa.int64(), "name": pa.string(), "born": pa.date32()})
    view = View("", (Condition(0, "range", low="30"), Condition(1, "contains", "Ada")), ((0, True), (1, False)))
    assert selection_text(view, schema, "widget.responses") == (
        "df = widget.responses\n"
        "df[\n"
        '    df["age"].ge(30)\n'
        '    & df["name"].str.contains("Ada", case=False, regex=False, na=False)\n'
        '].sort_values(["age", "name"], ascending=[False, True], kind="stable")'
    )
    assert selection_text(View("a"), pa.schema({"x": pa.string(), "y": pa.string()}), "frame") == (
        "df = frame\n"
        "df[\n"
        '    df[["x", "y"]]\n'
        '    .apply(lambda text: text.str.contains("a", case=False, regex=False, na=False))\n'
        "    .astype(bool)\n"
        '    .any(axis="columns")\n'
        "]"
    )
    by_age = View("", (Condition(0, "range", "", "3", "4"), Condition(0, "contains")), ((0, False),))
    assert selection_text(by_age, schema, "widget.responses", "rows = {}".format) == (
        'df = widget.responses\nrows = df[df["age"].between(3, 4)].sort_values("age", kind="stable")'
    )
    assert selection_text(View("", (Condition(2, "range", low="2026-01-31"),)), schema, "view.frame").splitlines() == [
        "import datetime",
        "",
        "df = view.frame",
        'df[df["born"].ge(datetime.date(2026, 1, 31))]',
    ]
    assert selection_text(View(), schema, "view.frame") == "df = view.frame"
    assert selection_text(View(), schema, "view.frame", "len({})".format) == "len(view.frame)"
