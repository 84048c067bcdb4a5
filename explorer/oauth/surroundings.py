"""Where the kernel runs and where its browser may be: pure functions of the environment."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Mapping
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
    knows it, else from the root of the Jupyter origin, which only the browser knows. Anything else stays as it is.
    """
    prefix = environment.get("JUPYTERHUB_SERVICE_PREFIX", "")
    parts = urlsplit(url)
    if not prefix or not is_loopback(parts.hostname):
        return url
    port = parts.port or (443 if parts.scheme == "https" else 80)
    path = f"proxy/{port}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")
    public = environment.get("JUPYTERHUB_PUBLIC_URL")
    origin = public or environment.get("JUPYTERHUB_HOST", "").rstrip("/") + prefix
    return f"{origin.rstrip('/')}/{path}"


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
