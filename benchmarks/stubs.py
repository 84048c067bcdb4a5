"""Python stubs as protoc makes them, made when a side is prepared."""

import contextlib
import importlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType


@contextlib.contextmanager
def generated(proto: Path) -> Iterator[tuple[ModuleType, ModuleType]]:
    """The messages' module and the services' module of a file that imports no other."""
    from grpc_tools import protoc

    with tempfile.TemporaryDirectory() as folder:
        arguments = ["protoc", f"-I{proto.parent}", f"--python_out={folder}", f"--grpc_python_out={folder}", proto.name]
        if protoc.main(arguments):
            raise RuntimeError(f"protoc refused {proto}")
        sys.path.insert(0, folder)
        yield importlib.import_module(f"{proto.stem}_pb2"), importlib.import_module(f"{proto.stem}_pb2_grpc")
        sys.path.remove(folder)
