"""The text of a run of many calls: run as it stands, the server hears the same requests, with the same options."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from echo_site import Echo

from explorer.texts import collecting_text
from explorer.texts.literals import Expression, literal

BOUND = [
    ({}, 'session["S.Get"].collect('),
    ({"concurrency": 2, "rate": 50.0}, ".options(concurrency=2, rate=50).collect("),
    ({"on_error": "raise", "timeout": 7}, '.options(timeout=7, on_error="raise").collect('),
    ({"pages": False, "idempotent": True}, ".options(idempotent=True, pages=False).collect("),
    ({"time_unit": "ns"}, '.options(time_unit="ns").collect('),
    ({"dtype_backend": "numpy"}, '.options(dtype_backend="numpy").collect('),
    ({"progress": False, "concurrency": 64, "on_error": "row"}, 'session["S.Get"].collect('),
]


def run(code: str, echo: Echo, **names: Any) -> pd.DataFrame:
    tree = ast.parse(code)
    last = tree.body.pop()
    assert isinstance(last, ast.Expr)
    known = {"session": {"S.Get": echo.service["Get"].options(progress=False)}, **names}
    exec(compile(tree, "cell", "exec"), known)
    frame: pd.DataFrame = eval(compile(ast.Expression(last.value), "cell", "eval"), known)
    return frame


def text(echo: Echo, source: Expression | None, columns: Any = None, imports: Any = (), **options: Any) -> str:
    return collecting_text(echo.service["Get"].options(**options).asked_in_bulk(), source, columns or {}, imports)


@pytest.mark.parametrize(("bound", "part"), BOUND, ids=lambda one: ",".join(one) or "none" if one else "none")
def test_options_that_differ_from_their_defaults_are_written(echo: Echo, bound: dict[str, Any], part: str) -> None:
    code = text(echo, "frame", **bound)
    assert part in code
    assert run(code, echo, frame=pd.DataFrame({"s": ["a", "b"]}))["request.s"].tolist() == ["a", "b"]


def test_a_folder_is_written_and_used(echo: Echo, tmp_path: Path) -> None:
    code = text(echo, None, {"s": literal(["a", "b"])}, into=tmp_path / "it's")
    assert len(run(code, echo)) == 2
    assert list((tmp_path / "it's").glob("*.parquet"))


def test_columns_whose_names_python_keeps_for_itself(echo: Echo) -> None:
    code = text(echo, "frame", {"class": literal("x"), "n.city": literal(["a", "b"]), "i": literal(3)})
    frame = run(code, echo, frame=pd.DataFrame({"s": ["a", "b"]}))
    assert frame[["request.class", "request.n.city", "request.i"]].values.tolist() == [["x", "a", 3], ["x", "b", 3]]


def test_imports_stand_above_and_secret_metadata_is_read_from_the_environment(echo: Echo, monkeypatch) -> None:
    code = text(
        echo,
        'Path("ids.jsonl")',
        imports=["from pathlib import Path"],
        metadata=[("authorization-of-mine", "sesame"), ("x-blob-bin", b"\x00")],
    )
    assert code.startswith("import base64\nimport os\nfrom pathlib import Path\n\n")
    assert "sesame" not in code
    monkeypatch.chdir(echo.folder)
    monkeypatch.setenv("METADATA_AUTHORIZATION_OF_MINE", "sesame")
    monkeypatch.setenv("X_BLOB_BIN", "AA==")
    (echo.folder / "ids.jsonl").write_text('{"s": "a"}\n{"s": "b"}\n')
    assert run(code, echo)["request.s"].tolist() == ["a", "b"]
    assert ("authorization-of-mine", "sesame") in echo.heard[-1][2]


def test_a_long_line_is_broken_where_ruff_would_break_it(echo: Echo) -> None:
    code = text(echo, None, {"s": literal(["x" * 30] * 5)}, concurrency=2)
    assert max(map(len, code.splitlines())) <= 88
    assert len(run(code, echo)) == 5
