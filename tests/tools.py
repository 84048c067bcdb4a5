"""Brings the tools of tests/tools.txt, or of another such list, that this machine lacks, after saying which and why.

As root on a Debian system they are installed; elsewhere Playwright's own Chromium is tried for, and the tests of
the rest skip.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).with_name("tools.txt")


def wanted(text: str) -> dict[str, str]:
    """Debian package to purpose, in the order of the list."""
    rows = (line.split(maxsplit=1) for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return {package: why.strip() for package, why in rows}


def installed(package: str) -> bool:
    """Whether dpkg holds the package, fully installed."""
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    return subprocess.run(query, capture_output=True, text=True, check=False).stdout == "installed"


def install(packages: list[str]) -> bool:
    """Install with apt-get, all at once or, where it does not know them all, one by one; whether all are there."""
    together = ["install", "-y", "-qq", "--no-install-recommends"]
    if not apt_get("update", "-qq"):
        return False
    return apt_get(*together, *packages) or [package for package in packages if not apt_get(*together, package)] == []


def apt_get(*arguments: str) -> bool:
    """Whether it went well; what it said is shown where not."""
    done = subprocess.run(
        ["apt-get", *arguments],
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        print(done.stdout[-2000:], done.stderr[-2000:], sep="\n", file=sys.stderr)
    return done.returncode == 0


def fetch_chromium() -> None:
    """Playwright's own Chromium, which needs no root; where it cannot be had the browser tests say so themselves."""
    if shutil.which("chromium"):
        return
    print("trying for Playwright's own Chromium (no root needed)", flush=True)
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    try:
        subprocess.run(command, capture_output=True, timeout=300, check=True)
    except (subprocess.SubprocessError, OSError) as error:
        print(f"it could not be had ({type(error).__name__}): the browser tests will skip")


def main(tools: Path = TOOLS) -> None:
    """Announce, then install or explain. Never fails: a test that lacks its tool skips with the reason."""
    debian = shutil.which("dpkg-query") is not None and shutil.which("apt-get") is not None
    lacking = {name: why for name, why in wanted(tools.read_text()).items() if not (debian and installed(name))}
    missing = {name: why for name, why in lacking.items() if not shutil.which(name)}  # not Debian's, and as good
    if not missing:
        return
    root = debian and os.geteuid() == 0
    print("tools to install with apt-get:" if root else "tools not found; their tests skip, figures do without:")
    for name, why in missing.items():
        print(f"  {name:<28}{why}", flush=True)
    if not (root and install(list(missing))) and "chromium" in missing:
        fetch_chromium()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
