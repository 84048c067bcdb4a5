"""Programs that packages of Python bring along."""

import shutil
import sys
from pathlib import Path

from benchmarks.figure import LackingError


def installed(name: str) -> str:
    """Where the program is.

    Raises:
        LackingError: It is not here.

    """
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        raise LackingError(name)
    return found
