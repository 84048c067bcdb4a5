"""Services known from ``.proto`` files, as people write them."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

from explorer.errors import ConfigurationError, MissingExtraError, SchemaError
from explorer.rpc.descriptor_set import DescriptorSet
from explorer.text import printable

__all__ = ["ProtoFiles"]

_TIMEOUT = 120  # seconds that protoc may take
_SAID = re.compile(r"^(?P<file>[^:\n]+\.proto):(?:(?P<line>\d+):(?P<column>\d+): )?(?P<why>.+)$", re.MULTILINE)


class ProtoFiles(DescriptorSet):
    """What a server offers, from its ``.proto`` files, comments included.

    They are compiled by protoc, which the extra ``proto`` brings (grpcio-tools). A
    :class:`~explorer.rpc.DescriptorSource` as :class:`~explorer.rpc.DescriptorSet` is.

    Args:
        paths: ``.proto`` files, or folders of such: then all that lie in it, at any depth.
        include: Folders in which imports are looked for, as protoc's ``-I``; unless given, the folders among ``paths``
            and those that the files lie in.

    Raises:
        SchemaError: A file is not there or does not compile; ``file`` and ``line`` say where.
        MissingExtraError: grpcio-tools is not installed.

    Compiles at once, in a process of its own, and blocks until that is done.

    """

    lacks = "is not among the .proto files"

    def __init__(
        self, *paths: str | os.PathLike[str], include: Iterable[str | os.PathLike[str]] | str | os.PathLike[str] = ()
    ) -> None:
        if not paths:
            raise ConfigurationError("ProtoFiles needs the path of a .proto file, or of a folder of them.")
        self._paths = [Path(path) for path in paths]
        self._include = [Path(include)] if isinstance(include, str | os.PathLike) else [Path(each) for each in include]
        files = list(_expanded(self._paths))
        folders = self._include or [path if path.is_dir() else path.parent for path in self._paths]
        for folder in folders:
            if not folder.is_dir():
                raise SchemaError(f"{printable(folder)!r} is no folder to include from.", file=str(folder))
        self._take(_compiled(files, [folder.resolve() for folder in folders]), "What protoc made")

    def fresh(self) -> Self:
        """The same compiled again: the files may have changed."""
        return type(self)(*self._paths, include=self._include)


def _expanded(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            found = sorted(path.rglob("*.proto"))
            if not found:
                raise SchemaError(f"There is no .proto file in {printable(path)!r}.", file=str(path))
            yield from found
        elif path.is_file():
            yield path
        else:
            raise SchemaError(f"There is no file {printable(path)!r}. Give the path of a .proto file.", file=str(path))


def _compiled(files: list[Path], folders: list[Path]) -> bytes:
    """Bytes of a FileDescriptorSet with imports and comments."""
    package = importlib.util.find_spec("grpc_tools")
    if package is None or not package.submodule_search_locations:
        raise MissingExtraError(
            "ProtoFiles needs grpcio-tools, which is not installed. Install it with: "
            'pip install "grpc-notebook-explorer[proto]"'
        )
    well_known = Path(package.submodule_search_locations[0]) / "_proto"
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "set.binpb"
        command = [sys.executable, "-m", "grpc_tools.protoc", *(f"-I{each}" for each in [*folders, well_known])]
        command += ["--include_imports", "--include_source_info", f"--descriptor_set_out={out}"]
        try:
            done = subprocess.run(  # noqa: S603 - protoc, and paths that begin with a slash: none is an option
                [*command, *(str(file.resolve()) for file in files)],
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=_TIMEOUT,
            )
        except subprocess.TimeoutExpired:
            raise SchemaError(f"protoc was not done within {_TIMEOUT} s. Give it fewer files.") from None
        if done.returncode:
            raise _error_of(done.stderr, files)
        return out.read_bytes()


def _error_of(said: str, files: list[Path]) -> SchemaError:
    """The first complaint that says where, as one sentence."""
    complaints = list(_SAID.finditer(said))
    where = next((each for each in complaints if each["line"]), complaints[0] if complaints else None)
    if where is None:
        return SchemaError(
            f"protoc does not take {printable(files[0])!r}: {printable(said.strip() or 'no reason', 300)}"
        )
    line = int(where["line"]) if where["line"] else None
    at = f", line {line}, column {where['column']}" if line else ""
    more = f" ({len(complaints) - 1} more complaints follow.)" if len(complaints) > 1 else ""
    why = printable(where["why"], 300).rstrip(".")
    return SchemaError(f"{printable(where['file'])}{at}: {why}.{more}", file=where["file"], line=line)
