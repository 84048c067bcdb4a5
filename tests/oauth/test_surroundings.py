"""Where the browser is, told from the environment alone."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import pytest

from explorer.oauth.surroundings import browser_may_open, jupyter_origin, on_a_hub, open_in_browser, page_for_browser

HUB = {"JUPYTERHUB_SERVICE_PREFIX": "/user/ada/"}
PUBLIC = {**HUB, "JUPYTERHUB_PUBLIC_URL": "https://hub.example/user/ada/"}
SUBDOMAIN = {**HUB, "JUPYTERHUB_HOST": "https://ada.hub.example"}


@pytest.mark.parametrize(
    ("url", "environment", "page"),
    [
        ("http://127.0.0.1:8123/device?code=A", {}, "http://127.0.0.1:8123/device?code=A"),
        ("http://127.0.0.1:8123/device?code=A", HUB, "/user/ada/proxy/8123/device?code=A"),
        ("http://localhost:8123", HUB, "/user/ada/proxy/8123/"),
        ("http://[::1]:8123/device", HUB, "/user/ada/proxy/8123/device"),
        ("http://127.0.0.1/device", HUB, "/user/ada/proxy/80/device"),
        ("http://127.0.0.1:8123/device", PUBLIC, "https://hub.example/user/ada/proxy/8123/device"),
        ("http://127.0.0.1:8123/device", SUBDOMAIN, "https://ada.hub.example/user/ada/proxy/8123/device"),
        ("https://login.example/device?code=A", HUB, "https://login.example/device?code=A"),
        ("http://127.0.0.1.example:8123/device", HUB, "http://127.0.0.1.example:8123/device"),
    ],
)
def test_a_page_on_the_kernels_loopback_goes_through_the_proxy_on_a_hub(
    url: str, environment: dict[str, str], page: str
):
    assert page_for_browser(url, environment) == page


@pytest.mark.parametrize(
    ("environment", "hub"), [({}, False), (HUB, True), ({"BINDER_REF_URL": "x"}, True), ({"BINDER_REF_URL": ""}, False)]
)
def test_a_hub_is_known_by_its_variables(environment: dict[str, str], hub: bool):
    assert on_a_hub(environment) is hub


def test_the_jupyter_origin_is_known_where_the_hub_says_so():
    assert jupyter_origin({}) is None
    assert jupyter_origin(HUB) is None
    assert jupyter_origin(PUBLIC) == "https://hub.example"


@pytest.mark.parametrize(
    ("environment", "platform", "may"),
    [
        ({}, "linux", False),
        ({"TERM": "xterm"}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"DISPLAY": ":0", **HUB}, "linux", False),
        ({"DISPLAY": ":0", "SSH_CONNECTION": "1 2 3 4"}, "linux", False),
        ({}, "darwin", True),
        ({}, "win32", True),
        (HUB, "darwin", False),
    ],
)
def test_a_browser_opens_only_where_there_is_a_screen_beside_the_kernel(
    environment: dict[str, str], platform: str, may: bool
):
    assert browser_may_open(environment, platform) is may


def test_a_text_browser_is_never_started(monkeypatch: pytest.MonkeyPatch):
    opened = []

    class Lynx(webbrowser.GenericBrowser):
        def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
            opened.append(url)
            return True

    text = webbrowser.GenericBrowser("lynx")
    monkeypatch.setattr(webbrowser, "get", lambda: text)
    assert not open_in_browser("https://login.example", {"DISPLAY": ":0"})
    graphical = Lynx("firefox")
    monkeypatch.setattr(webbrowser, "get", lambda: graphical)
    assert not open_in_browser("https://login.example", {})
    assert opened == []
    assert open_in_browser("https://login.example", {"DISPLAY": ":0"})
    assert opened == ["https://login.example"]


@pytest.fixture
def remote(tmp_path: Path) -> dict[str, str]:
    """The surroundings of a kernel of a Jupyter server that is reached over SSH."""
    (tmp_path / "jpserver-77.json").write_text('{"base_url": "/lab/", "port": 8888, "token": "never-looked-at"}')
    return {"SSH_CONNECTION": "1 2 3 4", "JPY_PARENT_PID": "77", "JUPYTER_RUNTIME_DIR": str(tmp_path)}


def test_a_page_on_the_kernels_loopback_goes_through_the_proxy_of_a_remote_server(remote: dict[str, str]):
    page = "http://127.0.0.1:8123/device?code=A"
    assert page_for_browser(page, remote) == "/lab/proxy/8123/device?code=A"
    assert page_for_browser("https://login.example/device", remote) == "https://login.example/device"


@pytest.mark.parametrize(
    "changed", [{"SSH_CONNECTION": ""}, {"JPY_PARENT_PID": "78"}, {"JPY_PARENT_PID": "../77"}, {"JPY_PARENT_PID": ""}]
)
def test_where_the_server_is_not_known_or_near_the_page_stays_as_it_is(remote: dict[str, str], changed: dict[str, str]):
    assert page_for_browser("http://127.0.0.1:8123/device", remote | changed) == "http://127.0.0.1:8123/device"


@pytest.mark.parametrize(
    "told", ["", "{}", "[]", '{"base_url": 7}', '{"base_url": "//evil.example/"}', '{"base_url": "x"}']
)
def test_what_the_server_left_is_checked(remote: dict[str, str], told: str):
    (Path(remote["JUPYTER_RUNTIME_DIR"]) / "jpserver-77.json").write_text(told)
    assert page_for_browser("http://127.0.0.1:8123/device", remote) == "http://127.0.0.1:8123/device"


def test_without_the_proxy_on_the_server_the_page_stays_as_it_is(
    remote: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert page_for_browser("http://127.0.0.1:8123/device", remote) == "http://127.0.0.1:8123/device"
