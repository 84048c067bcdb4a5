"""Where no browser can come back: the address at which it failed is pasted in the widget, and rests nowhere."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from canary import found
from jupyter_lab import JupyterLab, Notebook
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

INDEX = "notebooks/index.ipynb"
HUB = {"base_url": "/user/x/", "environment": {"JUPYTERHUB_SERVICE_PREFIX": "/user/x/"}}


@pytest.mark.parametrize("lab", [HUB], indirect=True)
def test_t30_an_address_that_is_pasted_signs_in_and_is_not_in_the_saved_notebook(
    page: Page, lab: JupyterLab, notebook: Notebook, pictures: Path
) -> None:
    visited: list[str] = []
    page.context.on("request", lambda request: visited.append(request.url))
    notebook.open(INDEX)
    notebook.run_all()
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Paste the address instead").click()
    sign_in_page = opened.value
    sign_in_page.get_by_label("User name").fill("ada")
    sign_in_page.get_by_label("Password").fill("ada")
    sign_in_page.get_by_role("button", name="Sign in").click()
    with page.context.expect_event("request", lambda request: "/callback?" in request.url):
        sign_in_page.get_by_role("button", name="Allow").click()

    [address] = {url for url in visited if urlsplit(url).path == "/callback"}
    field = page.get_by_label("The address at which the sign-in ended")
    field.fill(address)
    field.scroll_into_view_if_needed()
    page.screenshot(path=pictures / "pasted-address-light.png")
    assert address not in page.locator(".ge-gate").inner_text()
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".ge-who")).to_have_text("ada read:users")

    code = parse_qs(urlsplit(address).query)["code"][0]
    notebook.save()
    saved = (lab.work / INDEX).read_bytes()
    assert json.loads(saved)["metadata"]["widgets"], "widget state was saved along"
    assert found([code], saved) == []
    assert found([code], lab.log.read_bytes()) == []
    assert found([code], saved + json.dumps({"kept": address}).encode()) == [0], "a planted one is found"
