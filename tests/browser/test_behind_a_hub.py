"""As on Binder: Lab under a path of a hub's, the kernel out of the browser's reach but for Jupyter's own proxy."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from jupyter_lab import JupyterLab, Notebook
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HUB = {"base_url": "/user/x/", "environment": {"JUPYTERHUB_SERVICE_PREFIX": "/user/x/", "BINDER_LAUNCH_HOST": "hub"}}


@pytest.mark.parametrize("lab", [HUB], indirect=True)
def test_signs_in_by_device_code_through_the_jupyter_proxy(
    page: Page, lab: JupyterLab, notebook: Notebook, pictures: Path
) -> None:
    reached: set[str] = set()
    page.context.on("request", lambda request: reached.add(urlsplit(request.url).netloc))
    notebook.open("notebooks/index.ipynb")
    notebook.run_all()
    expect(page.get_by_role("button", name="Open the sign-in page")).to_have_count(0)
    page.get_by_role("button", name="Sign in with a device code").click()
    code = page.get_by_label("user code")
    expect(code).to_be_visible()
    code.scroll_into_view_if_needed()
    page.screenshot(path=pictures / "device-code-light.png")

    with page.expect_popup() as opened:
        page.get_by_role("link", name="Open the sign-in page").click()
    device_page = opened.value
    expect(device_page.get_by_label("User name")).to_be_visible()
    port = notebook.ask("demo.issuer.rsplit(':', 1)[1]")
    assert urlsplit(device_page.url).path.startswith(f"/user/x/proxy/{port}/")
    device_page.get_by_label("User name").fill("ada")
    device_page.get_by_label("Password").fill("ada")
    device_page.get_by_role("button", name="Sign in").click()
    expect(device_page.get_by_text(code.inner_text())).to_be_visible()  # the link knows it: nobody types it
    device_page.screenshot(path=pictures / "device-consent.png")
    device_page.get_by_role("button", name="Allow").click()
    expect(device_page.get_by_text("close")).to_be_visible()
    assert urlsplit(device_page.url).path.startswith(f"/user/x/proxy/{port}/")

    expect(page.locator(".ge-who")).to_have_text("ada read:users")
    page.get_by_role("treeitem", name="GetUser").click()
    page.get_by_label("user_id").fill("user123")
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.get_by_role("cell", name="Ada Example").first).to_be_visible()
    assert reached - {""} == {urlsplit(lab.url).netloc}, (
        "the browser reached something that a hub would not let it reach"
    )
    page.mouse.move(0, 0)
    page.locator(".ge-frame").screenshot(path=pictures / "explorer-light.png")
