"""The demo, for every test that needs real servers, and a real browser."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from chromium import chromium

from explorer.demo import Demo, start

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Folders and files whose tests start processes of their own, or make many connections.
_REAL_THINGS = {"demo", "notebooks", "foreign", "seed"}
_REAL_SERVERS = {
    "test_bulk_token",
    "test_collection",
    "test_connection",
    "test_damaged_files",
    "test_descriptor_export",
    "test_descriptor_sources",
    "test_directory_tour",
    "test_connection_mix_ups",
    "test_forked",
    "test_hostile_files",
    "test_hostile_servers",
    "test_health",
    "test_history",
    "test_invocation",
    "test_keyring_store",
    "test_killed",
    "test_memory",
    "test_paste_in_a_kernel",
    "test_packed_types",
    "test_parts",
    "test_pauses",
    "test_reflection",
    "test_packed_requests",
    "test_session_discovery",
    "test_retries",
    "test_runs",
    "test_request_streams",
    "test_running",
    "test_servers_that_differ",
    "test_streaming",
    "test_shared_grants",
    "test_source_code",
    "test_streams",
    "test_texts_run",
    "test_unary_work",
}


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    """One demo for the whole run: look at differences of its counters, and leave its clock and its manners alone."""
    with start() as running:
        yield running


@pytest.fixture
def demo_factory() -> Iterator[Callable[..., Demo]]:
    """Makes demos of a test's own, to do with as it likes; takes what ``start`` takes."""
    running: list[Demo] = []

    def make(**settings: Any) -> Demo:
        running.append(start(**settings))
        return running[-1]

    yield make
    for one in running:
        one.stop()


@pytest.fixture(scope="module")  # while Playwright lives, its event loop counts as running in this thread
def browser() -> Iterator[Browser]:
    """A real Chromium."""
    with chromium("chromium") as browser:
        yield browser


def pytest_configure() -> None:
    """Ctrl-C is Ctrl-C in tests, also where a shell that runs them in its background has it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever needs the demo, or is named above, is an integration test; ``make quick`` leaves those out.

    Files with a slow test come first.
    """
    for item in items:
        asks_for_the_demo = {"demo", "demo_factory"} & set(getattr(item, "fixturenames", ()))
        if asks_for_the_demo or item.path.parent.name in _REAL_THINGS or item.path.stem in _REAL_SERVERS:
            item.add_marker("integration")
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)  # begun last, one of these would run beside idle workers
