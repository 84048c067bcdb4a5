"""Where the requests of many calls come from: a name of the notebook's, a file, or lines; and the Python for it."""

from __future__ import annotations

import base64
import binascii
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import Descriptor

from explorer.errors import ExplorerError, RequestError
from explorer.frames.fitting import Fit, field_paths, fit_of, fit_of_file, fit_of_read
from explorer.frames.request_tables import frame_of_arrow, read_file
from explorer.frames.request_texts import takes_lists, values_of_lines
from explorer.text import printable
from explorer.texts.literals import Expression, Group, literal, text_literal

__all__ = ["Names", "Source", "file_seen", "names_seen", "notebook_names", "source_of", "with_form"]

Names = Mapping[str, Any]

_TABLES = ("DataFrame", "table")
_NAMES_SHOWN = 200
_COLUMNS_SHOWN = 100
_WRITTEN_OUT = 100  # lines, up to which they stand in the text


@dataclass(frozen=True)
class Source:
    """Requests as they are given to ``collect``, and how Python writes that.

    ``fields`` are those that it gives itself; ``takes_more`` says whether others may stand beside them.
    """

    given: Any = None
    written: Expression | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    columns_written: Mapping[str, Expression] = field(default_factory=dict)
    imports: tuple[str, ...] = ()
    fields: frozenset[str] = frozenset()
    takes_more: bool = True


def notebook_names() -> Names:
    """What the person at this kernel has given a name; nothing where there is no notebook."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None:
        return {}
    hidden = shell.user_ns_hidden
    return {name: value for name, value in list(shell.user_ns.items()) if name[:1] != "_" and name not in hidden}


def names_seen(names: Names, descriptor: Descriptor) -> dict[str, Any]:
    """The names that could be requests of this type, those that fit first and the latest of them before the others."""
    found = [
        (name, fit) for name, value in reversed(list(names.items())) if (fit := fit_of(value, descriptor)) is not None
    ]
    fitting = sorted(found, key=lambda pair: pair[1].kind in _TABLES and not any(c.field for c in pair[1].columns))
    return {
        "names": [{"name": name, **_seen(fit)} for name, fit in fitting[:_NAMES_SHOWN]],
        "names_in_all": len(fitting),
        "fields": field_paths(descriptor),
    }


def file_seen(content: Mapping[str, Any], descriptor: Descriptor) -> dict[str, Any]:
    """What a file holds, or why it cannot be had. Blocks."""
    try:
        if content.get("data") is None:
            return {"problem": "", **_seen(fit_of_file(_path(content), descriptor))}
        fit = fit_of_read(_uploaded(content, descriptor), descriptor)
    except ExplorerError as error:
        return {"problem": printable(error, 1000)}
    return {"problem": "", **_seen(fit)}


def source_of(content: Mapping[str, Any], descriptor: Descriptor, names: Names) -> Source:
    """The requests that a click asks for. Blocks where they are in a file.

    Raises:
        RequestError: There are none, or they are not what they were; the sentence says what to do.
        ConfigurationError: The file cannot be read.

    """
    kind = content.get("kind")
    if kind == "name":
        return _named(str(content.get("name", "")), content, descriptor, names)
    if kind == "file":
        return _of_file(content, descriptor)
    return _of_lines(content, descriptor)


def with_form(source: Source, request: str, descriptor: Descriptor) -> Source:
    """The same with what the form holds, the same for all; a field that the source gives is the source's.

    Raises RequestError where the form holds what cannot be the same for all.
    """
    try:
        values = json.loads(request or "{}")
    except ValueError as error:
        raise RequestError(f"The request is not JSON: {printable(error)}.") from error
    known = {**descriptor.fields_by_camelcase_name, **descriptor.fields_by_name}
    taken = {path.partition(".")[0] for path in source.fields}
    filled = values.items() if isinstance(values, dict) else ()
    more = {name: value for name, value in filled if (known[name].name if name in known else name) not in taken}
    if more and not source.takes_more:
        raise RequestError(
            f"The form's {_listed(list(more))} cannot go with whole requests, which are sent as they are: empty the "
            "form, or put it into each of them."
        )
    for name, value in more.items():
        if isinstance(value, list) and value and all(isinstance(one, list) for one in value):
            raise RequestError(f"{name} is a list of lists, and would be taken for a value per request.", field=name)
    return replace(
        source,
        columns={**source.columns, **more},
        columns_written={**source.columns_written, **{name: literal(value) for name, value in more.items()}},
    )


def _named(name: str, content: Mapping[str, Any], descriptor: Descriptor, names: Names) -> Source:
    value: Any = names.get(name)
    fit = fit_of(value, descriptor)
    if fit is None:
        raise RequestError(f"There is no {printable(name) or 'name'} any more that could be requests. Choose another.")
    if fit.kind == "requests":
        return Source(given=value, written=name, takes_more=False)
    if fit.kind in _TABLES:
        return _of_table(value, name, fit, _labels(name, fit, content.get("columns")))
    path = _field(content, descriptor)
    written = name
    if (
        fit.kind == "values"
        and takes_lists(descriptor, path)
        and not all(isinstance(one, list | tuple) for one in value)
    ):
        value, written = [[one] for one in value], f"[[each] for each in {name}]"  # else all of them were one request
    return Source(columns={path: value}, columns_written={path: written}, fields=frozenset({path}))


def _labels(name: str, fit: Fit, chosen: Any) -> dict[Any, str]:
    """The columns that were chosen by their place, each with the field that it is sent as."""
    given = chosen if isinstance(chosen, Mapping) else {}
    fields = {int(at): str(path) for at, path in given.items() if path and str(at).isdecimal()}
    if not fields:
        raise RequestError(f"No column of {name} is sent. Choose the field of one at least.")
    if any(at >= len(fit.columns) for at in fields):
        raise RequestError(f"{name} has other columns by now. Look at it again.")
    twice = next((path for path in fields.values() if list(fields.values()).count(path) > 1), None)
    if twice is not None:
        raise RequestError(f"Two columns are sent as {twice}. Choose one of them.", field=twice)
    called = [column.name for column in fit.columns]
    again = next((called[at] for at in fields if called.count(called[at]) > 1), None)
    if again is not None:
        raise RequestError(f"{name} has the column {printable(again)} more than once. Rename one, and look again.")
    labels = {fit.columns[at].name: path for at, path in sorted(fields.items())}
    odd = next((label for label in labels if not isinstance(label, str | int)), None)
    if odd is not None:
        raise RequestError(f"The column {printable(odd)} has a name that is no text. Rename it, and look again.")
    return labels


def _of_table(table: Any, name: str, fit: Fit, labels: Mapping[Any, str]) -> Source:
    """These columns of a table, each under the name of its field; one of Arrow's loses its index but as pandas'."""
    fields = frozenset(labels.values())
    renamed = {label: path for label, path in labels.items() if str(label) != path}
    imports: tuple[str, ...] = ()
    given, written = table, name
    if fit.kind == "table" and (renamed or len(labels) < len(fit.columns)):
        given, written = frame_of_arrow(table), f"pa.table({name}).to_pandas(types_mapper=pd.ArrowDtype)"
        imports = ("import pandas as pd", "import pyarrow as pa")
    if len(labels) < len(fit.columns):
        given = given[list(labels)]
        written = f"{written}[[{', '.join(_label(label) for label in labels)}]]"
    if not renamed:
        return Source(given=given, written=written, imports=imports, fields=fields)
    pairs = tuple(f"{_label(label)}: {text_literal(path)}" for label, path in renamed.items())
    return Source(
        given=given.rename(columns=renamed),
        written=Group(f"{written}.rename(columns={{", pairs, "})"),
        imports=imports,
        fields=fields,
    )


def _of_file(content: Mapping[str, Any], descriptor: Descriptor) -> Source:
    uploaded = content.get("data") is not None
    path = Path(str(content.get("name", ""))) if uploaded else _path(content)
    given: Any = _uploaded(content, descriptor) if uploaded else path
    fit = fit_of_read(given, descriptor) if uploaded else fit_of_file(path, descriptor)
    if fit.strange:
        raise RequestError(
            f"{_listed(fit.strange)} of {printable(path.name)} is no field of {descriptor.name}, and a file is sent "
            "whole. Rename the column, or read the file into a DataFrame and choose its columns."
        )
    return Source(
        given=given,
        written=f"Path({text_literal(str(path))})",
        imports=("from pathlib import Path",),
        fields=frozenset(column.field for column in fit.columns),
        takes_more=fit.kind == "DataFrame",
    )


def _of_lines(content: Mapping[str, Any], descriptor: Descriptor) -> Source:
    path = _field(content, descriptor)
    # str.splitlines knows ends of lines that no keyboard makes, and that may stand in a text.
    lines = [line.strip() for line in str(content.get("text", "")).split("\n") if line.strip()]
    if not lines:
        raise RequestError("There is no line yet: write one value a line.")
    values = values_of_lines(lines, descriptor, path)
    written = literal(values) if len(values) <= _WRITTEN_OUT else "widget.lines"
    return Source(columns={path: values}, columns_written={path: written}, fields=frozenset({path}))


def _field(content: Mapping[str, Any], descriptor: Descriptor) -> str:
    path = str(content.get("field", ""))
    if path not in field_paths(descriptor):
        raise RequestError(f"Choose which field of {descriptor.name} these are.")
    return path


def _path(content: Mapping[str, Any]) -> Path:
    text = str(content.get("path", "")).strip()
    if not text:
        raise RequestError("Write the path of a file, or choose one.")
    return Path(text).expanduser()


def _uploaded(content: Mapping[str, Any], descriptor: Descriptor) -> Any:
    """What a file that came through the page holds. It rests in a folder of its own only while it is read."""
    name = Path(str(content.get("name", ""))).name
    try:
        data = base64.b64decode(str(content.get("data", "")), validate=True)
    except (binascii.Error, ValueError):
        raise RequestError(f"{printable(name)} did not arrive whole. Choose it again.") from None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"requests{Path(name).suffix}"
        path.write_bytes(data)
        try:
            return read_file(path, descriptor)
        except ExplorerError as error:
            raise type(error)(str(error).replace(printable(str(path)), printable(name))) from None


def _seen(fit: Fit) -> dict[str, Any]:
    order = sorted(enumerate(fit.columns), key=lambda pair: not pair[1].field)
    return {
        "kind": fit.kind,
        "rows": fit.rows,
        "field": fit.field,
        "columns": [
            {"at": at, "name": printable(one.name, 120), "dtype": printable(one.dtype, 60), "field": one.field}
            for at, one in order[:_COLUMNS_SHOWN]
        ],
        "columns_in_all": len(fit.columns),
    }


def _label(label: Any) -> str:
    return text_literal(label) if isinstance(label, str) else repr(label)


def _listed(names: list[str]) -> str:
    shown = [printable(name, 80) for name in names[:3]]
    return f"{', '.join(shown)}{' and others' if len(names) > 3 else ''}"
