"""The panels' real modules and styles on a stub page: no kernel, no Jupyter, and a clock that the test holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import PATIENCE, chromium
from grpc_servers import GrpcServer
from playwright.sync_api import Browser, BrowserContext, Page
from widget_front import Front

STUB = Path(__file__).with_name("stub.html").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:9/lab"  # nothing listens there: the page is served from here


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without windows: with them, opening a page costs three times as much as what a panel does on it."""
    with chromium("chromium-headless-shell", "chromium") as browser:
        yield browser


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens the stub page, with its clock held; at the end no error was logged and nothing was asked of the network."""
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def opened(address: str = ADDRESS, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1000, "height": 700}, **options})
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda said: troubles.append(said.text) if said.type in {"error", "warning"} else None)
        page.route(
            "**/*",
            lambda route: (
                route.fulfill(body=STUB, content_type="text/html")
                if route.request.url == address
                else troubles.append(route.request.url)
            ),
        )
        page.clock.install(time=1_799_990_000)  # it runs until it is paused, which cannot be in its past
        page.goto(address)
        page.clock.pause_at(1_800_000_010)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    return open_page()


@pytest.fixture
def front(page: Page) -> Front:
    return Front(page)


@pytest.fixture
def serve() -> Iterator[Callable[..., GrpcServer]]:
    """Makes small servers of a test's own; takes what ``GrpcServer`` takes."""
    running: list[GrpcServer] = []

    def make(**settings: Any) -> GrpcServer:
        running.append(GrpcServer(**settings))
        return running[-1]

    yield make
    for server in running:
        server.stop()
