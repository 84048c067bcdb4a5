"""The masked prompt where it is for: in a real kernel, with a front end that shows it."""

from __future__ import annotations

import queue
import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from jupyter_client import BlockingKernelClient, KernelManager
from person import Person

from explorer.demo import Demo

CELL = """
import explorer
tokens = explorer.oauth.sign_in({issuer!r}, client_id="notebook", scope="read:users", method="paste"{more})
print("signed in as", tokens.state.subject)
"""


class FrontEnd:
    """Runs cells and answers prompts, as a notebook's page does."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self.client = client
        self.printed = ""

    def run(self, code: str) -> None:
        self.printed = ""
        self.client.execute(code, allow_stdin=True)

    def address(self) -> str:
        """The page that the running cell printed."""
        while not (found := re.search(r"^  (http\S+)$", self.printed, re.MULTILINE)):
            self._listen()
        return found[1]

    def prompt(self) -> dict[str, Any]:
        return self.client.get_stdin_msg(timeout=120)["content"]

    def finished(self) -> str:
        """Everything that the cell printed and raised."""
        while True:
            if self._listen() == "idle":
                return self.printed

    def _listen(self) -> str | None:
        message = self.client.get_iopub_msg(timeout=120)
        kind, content = message["msg_type"], message["content"]
        if kind == "stream":
            self.printed += content["text"]
        if kind == "error":
            self.printed += f"{content['ename']}: {content['evalue']}"
        return content["execution_state"] if kind == "status" else None


@pytest.fixture(scope="module")
def kernel() -> Iterator[KernelManager]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
    yield manager
    manager.shutdown_kernel(now=True)
    manager.cleanup_resources()


@pytest.fixture
def front_end(kernel: KernelManager) -> Iterator[FrontEnd]:
    client = kernel.client()
    client.start_channels()
    client.wait_for_ready(timeout=120)
    yield FrontEnd(client)
    client.stop_channels()


def begin(front_end: FrontEnd, demo: Demo, more: str = "") -> str:
    """Run the sign-in up to its prompt; the address at which the person's browser ends."""
    front_end.run(CELL.format(issuer=demo.issuer, more=more))
    with Person(demo) as person:
        address = person.sign_in_at(front_end.address())
    content = front_end.prompt()
    assert content["password"] is True, "what is typed would be seen, and saved with the notebook"
    assert isinstance(address, str)
    return address


def test_a_pasted_address_signs_in_and_is_nowhere_in_the_output(front_end: FrontEnd, demo: Demo):
    address = begin(front_end, demo)
    front_end.client.input("what was in the clipboard before")
    assert front_end.prompt()["password"] is True
    front_end.client.input(address)
    printed = front_end.finished()
    assert "signed in as ada" in printed
    assert "not the address" in printed
    assert re.search(r"code=([^&]+)", address)[1] not in printed
    assert "clipboard" not in printed


def test_the_prompt_ends_by_itself_when_the_receiver_has_the_answer(front_end: FrontEnd, demo: Demo):
    address = begin(front_end, demo)
    assert httpx.get(address, timeout=120).status_code == 200
    printed = front_end.finished()
    assert "signed in as ada" in printed
    assert "press Enter" in printed, "the page goes on showing the box, and runs no cell until it is answered"
    front_end.run("print(6 * 7)")
    assert "42" in front_end.finished(), "the interrupt that ended the prompt was to end nothing else"


def test_no_prompt_comes_by_itself(front_end: FrontEnd, demo: Demo):
    """Its box would stay when the browser comes back after all, and lock the notebook."""
    cell = CELL.replace(', method="paste"', ", open_browser=False")
    front_end.run("import explorer.oauth.interactive; explorer.oauth.interactive._PATIENCE = 0.1")
    front_end.finished()
    front_end.run(cell.format(issuer=demo.issuer, more=""))
    page = front_end.address()
    while "method='paste'" not in front_end.printed:
        front_end._listen()
    with pytest.raises(queue.Empty):
        front_end.client.get_stdin_msg(timeout=0.5)
    with Person(demo) as person:
        person.sign_in_at(page, follow=True)
    assert "signed in as ada" in front_end.finished()


def test_the_prompt_ends_with_the_time(front_end: FrontEnd, demo: Demo):
    begin(front_end, demo, more=", timeout=5")
    assert "SignInExpiredError" in front_end.finished()


def test_ctrl_c_ends_it_and_the_kernel_goes_on(front_end: FrontEnd, demo: Demo, kernel: KernelManager):
    begin(front_end, demo)
    kernel.interrupt_kernel()
    assert "KeyboardInterrupt" in front_end.finished()
    front_end.run("import threading; print([each.name for each in threading.enumerate()])")
    assert "explorer-oauth-receiver" not in front_end.finished() or _gone(front_end)


def _gone(front_end: FrontEnd) -> bool:
    """The receiver notices within its poll interval that nobody wants it any more."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        front_end.run("print([each.name for each in threading.enumerate()])")
        if "explorer-oauth-receiver" not in front_end.finished():
            return True
    return False


def test_without_a_front_end_the_steps_are_named(kernel: KernelManager, demo: Demo):
    client = kernel.client()
    client.start_channels()
    client.wait_for_ready(timeout=120)
    front_end = FrontEnd(client)
    client.execute(CELL.format(issuer=demo.issuer, more=""), allow_stdin=False)
    assert "flow.paste(address)" in front_end.finished()
    with pytest.raises(queue.Empty):
        client.get_stdin_msg(timeout=0.1)
    client.stop_channels()
