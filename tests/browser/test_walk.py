"""The whole way: an empty kernel, a sign-in through the real page, an answer in a table, a notebook without secrets."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from canary import found
from jupyter_lab import JupyterLab, Notebook
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

INDEX = "notebooks/index.ipynb"
LIVING_SECRETS = (
    "[each.reveal() for each in __import__('gc').get_objects() if type(each).__name__ == 'Secret' and each.reveal()]"
)


def shorten_tokens(lab: JupyterLab, seconds: int) -> None:
    """Have the index start its demo with tokens of this lifetime."""
    path = lab.work / INDEX
    text = path.read_text()
    assert "demo.start(alone=True)" in text
    path.write_text(text.replace("demo.start(", f"demo.start(token_lifetime={seconds}, "))


def sign_in_on(page: Page, name: str = "ada") -> None:
    """What a person does at the demo's pages."""
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(name)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Allow").click()


def until(true: Callable[[], bool], seconds: float = 120) -> None:
    """Look again and again: what is asked of another process cannot call us."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came to pass"
        time.sleep(0.2)


def shown_seconds(page: Page) -> int:
    minutes, seconds = page.get_by_role("timer", name="token expires in").inner_text().split(":")
    return int(minutes) * 60 + int(seconds)


def test_the_walk_from_an_empty_kernel_to_an_answer(
    page: Page, lab: JupyterLab, notebook: Notebook, pictures: Path
) -> None:
    visited: list[str] = []
    page.context.on("request", lambda request: visited.append(request.url))
    shorten_tokens(lab, 5)
    notebook.open(INDEX)
    notebook.run_all()

    # Sign in through the real page.
    button = page.get_by_role("button", name="Open the sign-in page")
    expect(button).to_be_visible()
    button.scroll_into_view_if_needed()
    page.screenshot(path=pictures / "signed-out-light.png")
    with page.expect_popup() as opened:
        button.click()
    expect(opened.value.get_by_label("User name")).to_be_visible()
    opened.value.screenshot(path=pictures / "sign-in-page.png")
    secrets = notebook.ask(LIVING_SECRETS)
    assert secrets, "the verifier and the state live by now"
    sign_in_on(opened.value)
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    expect(page.locator(".ge-who")).to_have_text("ada read:users")

    # With no click and no call, the token renews itself, as the authorization server counts.
    refreshes = "demo.counters()['refreshes'].get('notebook', 0)"
    before = notebook.ask(refreshes)
    until(lambda: notebook.ask(refreshes) >= before + 2)

    # The seconds shown are the authorization server's.
    remaining = "[demo.issued()[-1]['expiry'] - demo.now(), demo.issued()[-1]['jti']]"
    agreed: set[int] = set()

    def agree() -> bool:
        """They do at three different seconds; at others we may look while the news is on its way to the page."""
        earlier, token = notebook.ask(remaining)
        shown = shown_seconds(page)
        later, same = notebook.ask(remaining)
        if token == same and later - 1 <= shown <= earlier + 1:
            agreed.add(shown)
        return len(agreed) >= 3

    until(agree)
    secrets += notebook.ask(LIVING_SECRETS)

    # Call GetUser and read the name.
    page.get_by_role("treeitem", name="GetUser").click()
    page.get_by_label("user_id").fill("user123")
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.get_by_role("cell", name="Ada Example").first).to_be_visible()
    assert notebook.ask("widget.responses['name'].tolist()") == ["Ada Example"]
    assert "GetUser" in notebook.ask("widget.code")
    page.mouse.move(0, 0)
    page.screenshot(path=pictures / "signed-in-light.png")
    notebook.theme("dark")
    page.screenshot(path=pictures / "signed-in-dark.png")

    # A click on the person shows the life of the token, claims and all.
    page.locator(".ge-who").click()
    life = page.get_by_role("region", name="The life of the token")
    expect(life.get_by_label("Claims of the token")).to_contain_text('"sub": "ada"')
    page.screenshot(path=pictures / "life-of-a-token-dark.png")
    notebook.theme("light")
    page.screenshot(path=pictures / "life-of-a-token-light.png")
    page.locator(".ge-who").click()
    expect(life).to_be_hidden()

    # The saved notebook, widget state and all, holds no secret.
    secrets += [code for url in visited for code in parse_qs(urlsplit(url).query).get("code", [])]
    secrets += notebook.ask(LIVING_SECRETS)
    secrets = sorted({secret for secret in secrets if len(secret) >= 16})
    assert len(secrets) >= 5, "two tokens, a verifier, a state and a code at least"
    notebook.command("notebook:run-all-cells")
    notebook.save()
    saved = (lab.work / INDEX).read_bytes()
    assert json.loads(saved)["metadata"]["widgets"], "widget state was saved along"
    assert found(secrets, saved) == []

    # ... and the search would have found one.
    planted = json.loads(saved)
    planted["cells"][0]["source"] = json.dumps({"kept": secrets[0]})
    assert found(secrets, json.dumps(planted).encode()) == [0]
