"""Where the kernel runs and where its browser may be: functions of the environment, and of what Jupyter left there."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from explorer.oauth.transport import is_loopback

__all__ = [
    "browser_is_elsewhere",
    "browser_may_open",
    "jupyter_origin",
    "on_a_hub",
    "open_in_browser",
    "page_for_browser",
]

_PATH = re.compile(r"/([\w.~%@!$&'()*+,;=:-]+/)*")
_HUB_VARIABLES = ("JUPYTERHUB_SERVICE_PREFIX", "BINDER_LAUNCH_HOST", "BINDER_REF_URL", "BINDER_REPO_URL")
# Set where the kernel is on a machine that the person is not at: SSH, development containers, Codespaces, a cluster,
# and the notebook services that say so.
_ELSEWHERE_VARIABLES = (
    "SSH_CONNECTION",
    "SSH_CLIENT",
    "REMOTE_CONTAINERS",
    "CODESPACES",
    "VSCODE_AGENT_FOLDER",
    "KUBERNETES_SERVICE_HOST",
    "COLAB_RELEASE_TAG",
    "KAGGLE_KERNEL_RUN_TYPE",
    "DATABRICKS_RUNTIME_VERSION",
)


def on_a_hub(environment: Mapping[str, str]) -> bool:
    """Whether the kernel is behind JupyterHub or Binder: a browser cannot reach its loopback there."""
    return any(environment.get(name) for name in _HUB_VARIABLES)


def browser_is_elsewhere(environment: Mapping[str, str]) -> bool:
    """Whether the person's browser is on another machine than the kernel, as far as the environment tells."""
    return on_a_hub(environment) or any(environment.get(name) for name in _ELSEWHERE_VARIABLES)


def page_for_browser(url: str, environment: Mapping[str, str]) -> str:
    """The address under which a person's browser finds ``url``.

    A page on the kernel's own loopback is offered through the Jupyter server's proxy
    (``{prefix}proxy/PORT/path``) where the kernel is on a hub; with the hub's public address if the environment
    knows it, else from the root of the Jupyter origin, which only the browser knows. So too on a remote Jupyter server
    that has the proxy. Anything else stays as it is.
    """
    parts = urlsplit(url)
    if not is_loopback(parts.hostname):
        return url
    prefix = environment.get("JUPYTERHUB_SERVICE_PREFIX", "") or _remote_prefix(environment)
    if not prefix:
        return url
    port = parts.port or (443 if parts.scheme == "https" else 80)
    path = f"proxy/{port}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")
    public = environment.get("JUPYTERHUB_PUBLIC_URL")
    origin = public or environment.get("JUPYTERHUB_HOST", "").rstrip("/") + prefix
    return f"{origin.rstrip('/')}/{path}"


def _remote_prefix(environment: Mapping[str, str]) -> str:
    """The base path of the Jupyter server that started this kernel, where its browser is elsewhere; "" if unknown."""
    server = environment.get("JPY_PARENT_PID", "")
    if not browser_is_elsewhere(environment) or not server.isdecimal():
        return ""
    if importlib.util.find_spec("jupyter_server_proxy") is None:
        return ""
    told = _runtime_directory(environment) / f"jpserver-{server}.json"
    try:
        prefix = json.loads(told.read_text())["base_url"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return prefix if isinstance(prefix, str) and _PATH.fullmatch(prefix) else ""


def _runtime_directory(environment: Mapping[str, str]) -> Path:
    """Where a Jupyter server of this account says which port and path it has, on Linux."""
    if given := environment.get("JUPYTER_RUNTIME_DIR"):
        return Path(given)
    data = environment.get("JUPYTER_DATA_DIR")
    home = Path(environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return (Path(data) if data else home / "jupyter") / "runtime"


def jupyter_origin(environment: Mapping[str, str]) -> str | None:
    """Scheme and authority of the Jupyter server as browsers see it, where the environment says so."""
    address = environment.get("JUPYTERHUB_PUBLIC_URL") or environment.get("JUPYTERHUB_HOST") or ""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else None


def browser_may_open(environment: Mapping[str, str], platform: str = sys.platform) -> bool:
    """Whether a graphical browser can be opened beside the kernel, without asking it."""
    if browser_is_elsewhere(environment):
        return False
    if platform in ("darwin", "win32"):
        return True
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def open_in_browser(url: str, environment: Mapping[str, str]) -> bool:
    """Open ``url`` where a graphical browser is at hand; False where it is not. Never starts a text browser."""
    if not browser_may_open(environment):
        return False
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    # A plain GenericBrowser runs in the foreground of a terminal: lynx, w3m, links.
    if type(browser) is webbrowser.GenericBrowser:
        return False
    return browser.open(url)
