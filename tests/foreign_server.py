"""An authorization server that nobody here wrote: the certified ``oidc-provider``, run by Node.js on loopback."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

__all__ = ["ForeignServer", "install", "started", "why_not"]

FOLDER = Path(__file__).with_name("foreign") / "oidc_provider"
INSTALL = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]


@dataclass(frozen=True)
class ForeignServer:
    """It runs at ``issuer``; ``control`` is this project's own side door, beside its endpoints."""

    issuer: str
    control: str

    def requests(self, endpoint: str) -> list[dict[str, Any]]:
        """What it was asked there so far: ``grant_type`` and ``status``, and ``error`` where there was one."""
        seen = httpx.get(f"{self.control}/seen", trust_env=False, timeout=60).json()
        return [request for request in seen if request["path"] == endpoint]

    def refresh_token(self) -> str:
        """A refresh token of grace's for the client ``notebook``, as she might bring it from elsewhere."""
        return str(httpx.get(f"{self.control}/refresh_token", trust_env=False, timeout=60).json())

    def private_key(self) -> str:
        """The key of its client ``signer``, as PEM."""
        return str(httpx.get(f"{self.control}/private_key", trust_env=False, timeout=60).json())


def why_not() -> str | None:
    """Why this machine cannot run it, or None."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return f"no {program} here: the tests against oidc-provider need it"
    # Node 22 has it, and so have late releases of Node 20.
    if subprocess.run(["node", "-e", "process.exit(URL.parse ? 0 : 1)"], check=False).returncode:
        return "this Node.js is too old for oidc-provider, which asks for 22"
    return None


def install(folder: Path = FOLDER) -> str | None:
    """Have npm bring what the lock names, once until the lock changes, to where Node looks for it; why not, or None."""
    with (folder / "package-lock.json").open() as file:
        fcntl.flock(
            file, fcntl.LOCK_EX
        )  # tests beside this one may want the same; npm begins by deleting what is there
        lock = file.read()
        stamp = folder / "node_modules" / ".lock-it-came-from"
        if stamp.is_file() and stamp.read_text() == lock:
            return None
        try:
            done = subprocess.run(INSTALL, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
        except subprocess.TimeoutExpired:
            return f"npm did not install what {folder.name} needs within five minutes"
        if done.returncode:
            return f"npm could not install what {folder.name} needs: {done.stderr.strip()[:300]}"
        stamp.write_text(lock)
    return None


@contextmanager
def started(path: str) -> Iterator[ForeignServer]:
    """A server whose issuer has this path."""
    with subprocess.Popen(
        ["node", "server.mjs", path],
        cwd=FOLDER,
        stdin=subprocess.PIPE,  # the server ends when this closes, however the run ends
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # it warns of its own development settings
        text=True,
    ) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        assert line, "the foreign server did not start: run `node server.mjs` in tests/foreign/oidc_provider"
        yield ForeignServer(**json.loads(line))
