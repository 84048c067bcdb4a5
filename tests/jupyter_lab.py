"""JupyterLab as a child process, and a notebook in it as seen through a page."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from playwright.sync_api import Page

ROOT = Path(__file__).parents[1]
SETTINGS = {
    "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True},  # what a secret could hide in is saved
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},  # off-screen cells stay in the document
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}


def wait_until_it_listens(url: str, patience: float = 120) -> None:
    """Jupyter prints its address a moment before it listens there."""
    parts, deadline = urlsplit(url), time.monotonic() + patience
    while True:
        try:
            socket.create_connection((parts.hostname, parts.port), timeout=60).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


class JupyterLab:
    """A Lab on loopback whose configuration, runtime files and notebooks are all in ``home``.

    ``environment`` is what its kernels see besides; ``base_url`` is the path it lives under, as on a hub.
    """

    def __init__(self, home: Path, *, base_url: str = "/", environment: dict[str, str] | None = None) -> None:
        self.home, self.base_url = home, base_url
        self.work = home / "work"
        self.log = home / "lab.log"
        self._access = secrets.token_hex(16)
        self._environment = environment or {}

    def __enter__(self) -> Self:
        overrides = self.home / "settings" / "overrides.json"
        overrides.parent.mkdir()
        overrides.write_text(json.dumps(SETTINGS))
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "BINDER"))}
        own = {f"JUPYTER_{kind}_DIR": str(self.home / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
        paths = filter(None, (str(ROOT), inherited.get("PYTHONPATH")))
        own["PYTHONPATH"] = os.pathsep.join(paths)  # kernels import the tests' own tree, wherever another is installed
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0"),
                    f"--ServerApp.base_url={self.base_url}",
                    f"--IdentityProvider.token={self._access}",
                    f"--ServerApp.root_dir={self.work}",
                    f"--LabApp.app_settings_dir={overrides.parent}",
                    "--LabApp.expose_app_in_browser=True",
                ],
                env=inherited | own | {"IPYTHONDIR": str(self.home / "ipython")} | self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.work,
                start_new_session=True,
            )
        self.url = self._wait_for_url()
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(60)

    def address(self, path: str) -> str:
        """The URL of a path of Lab's, signed in."""
        return f"{self.url}{path}?token={self._access}"

    def _wait_for_url(self, patience: float = 300) -> str:
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            found = re.search(r"http://127\.0\.0\.1:\d+" + re.escape(self.base_url), self.log.read_text())
            if found and "is running at" in self.log.read_text():
                wait_until_it_listens(found.group())
                return found.group()
            if self._process.poll() is not None:
                break
            time.sleep(0.1)  # a log file has no way to call us
        message = f"JupyterLab did not start:\n{self.log.read_text()}"
        raise RuntimeError(message)


class Notebook:
    """One open notebook."""

    def __init__(self, page: Page, lab: JupyterLab) -> None:
        self.page, self.lab = page, lab

    def open(self, path: str, *, theme: str = "light") -> None:
        """Open it, its kernel connected, and nothing but the notebook to see."""
        self.page.goto(self.lab.address(f"lab/tree/{path}"))
        self.page.wait_for_function(
            """() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.connectionStatus
                     === 'connected' && window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status
                     === 'idle'""",
            timeout=300_000,
        )
        self.theme(theme)
        self.page.evaluate("() => window.jupyterapp.shell.collapseLeft()")

    def theme(self, name: str) -> None:
        """Lab's own light or dark theme."""
        theme = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}[name]
        self.command("apputils:change-theme", theme=theme)
        self.page.wait_for_function(
            "light => document.body.dataset.jpThemeLight === light", arg="true" if name == "light" else "false"
        )

    def command(self, name: str, **arguments: Any) -> None:
        """One of Lab's own commands, to its end."""
        self.page.evaluate("([name, args]) => window.jupyterapp.commands.execute(name, args)", [name, arguments])

    def run_all(self) -> None:
        """Every cell, to the last one's end."""
        self.command("notebook:run-all-cells")

    def save(self) -> None:
        """To its file."""
        self.command("docmanager:save")

    def ask(self, expression: str) -> Any:
        """What a Python expression is worth in the notebook's kernel, through JSON, outside the notebook's history."""
        text = self.page.evaluate(
            """async code => {
                const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                const future = kernel.requestExecute({code, store_history: false, silent: false});
                let text = '';
                future.onIOPub = message => {
                    if (message.header.msg_type === 'stream') text += message.content.text;
                    if (message.header.msg_type === 'error') text += '!' + message.content.traceback.join('\\n');
                };
                await future.done;
                return text;
            }""",
            f"import json as _json; print(_json.dumps({expression}))",
        )
        try:
            return json.loads(text)
        except ValueError:
            raise AssertionError(text) from None
