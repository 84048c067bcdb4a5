"""A real Secret Service: GNOME's keyring on a D-Bus of its own, in a home of its own, unlocked or not."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_NEEDED = ("dbus-daemon", "gnome-keyring-daemon")


@contextmanager
def secret_service(home: Path, *, unlocked: bool = True) -> Iterator[dict[str, str]]:
    """Start both; gives the environment in which this is the system's keyring. Skips where a program is not there."""
    if missing := [name for name in _NEEDED if shutil.which(name) is None]:
        pytest.skip(f"no {' and no '.join(missing)} here: the keyring tests need Debian's gnome-keyring and dbus")
    run = home / "run"
    run.mkdir(mode=0o700)
    environment = {
        "HOME": str(home),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_RUNTIME_DIR": str(run),
        "DBUS_SESSION_BUS_ADDRESS": f"unix:path={run}/bus",
    }
    whole = {"PATH": os.environ["PATH"], **environment}
    bus = _bus(run, whole)
    try:
        keyring = _keyring(run, whole, unlocked=unlocked)
        try:
            _until_there(environment["DBUS_SESSION_BUS_ADDRESS"])
            yield environment
        finally:
            keyring.kill()
            keyring.wait(60)
    finally:
        bus.kill()
        bus.wait(60)


def _bus(run: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    configuration = run / "bus.conf"
    # No services in it: what is asked for before it is there is an error, not another keyring that D-Bus starts.
    configuration.write_text(
        f"<busconfig><type>session</type><listen>unix:path={run}/bus</listen><policy context='default'>"
        "<allow send_destination='*' eavesdrop='true'/><allow eavesdrop='true'/><allow own='*'/></policy></busconfig>"
    )
    command = ["dbus-daemon", f"--config-file={configuration}", "--nofork", "--nopidfile", "--print-address=1"]
    bus = subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )
    assert bus.stdout is not None
    with bus.stdout:
        assert bus.stdout.readline().startswith("unix:")
    return bus


def _keyring(run: Path, environment: dict[str, str], *, unlocked: bool) -> subprocess.Popen[bytes]:
    command = ["gnome-keyring-daemon", "--foreground", "--components=secrets", f"--control-directory={run}"]
    keyring = subprocess.Popen(
        command + ["--unlock"] * unlocked,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert keyring.stdin is not None
    with keyring.stdin:
        keyring.stdin.write(b"a-password")
    return keyring


def _until_there(address: str) -> None:
    from jeepney.bus_messages import message_bus
    from jeepney.io.blocking import Proxy, open_dbus_connection

    with open_dbus_connection(address) as connection:
        bus = Proxy(message_bus, connection, timeout=60)
        until = time.monotonic() + 120
        while not bus.NameHasOwner("org.freedesktop.secrets")[0]:
            assert time.monotonic() < until, "gnome-keyring-daemon did not come up"
