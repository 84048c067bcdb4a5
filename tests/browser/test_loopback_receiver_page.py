"""The page that takes the authorization response, in a real browser: what stays in the address bar."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from chromium import PATIENCE
from playwright.sync_api import Browser, expect

from explorer.demo import Demo
from explorer.oauth import AuthorizationCodeFlow

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_t8_no_code_is_left_in_the_address_bar(demo: Demo, browser: Browser, pictures: Path, scheme: str):
    context = browser.new_context(color_scheme=scheme, viewport={"width": 900, "height": 500})
    context.set_default_timeout(PATIENCE)
    page, addresses, complaints = context.new_page(), [], []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: addresses.append(request.url))
    flow = AuthorizationCodeFlow(demo.issuer, client_id="notebook", scope="read:users")
    page.goto(flow.authorization_url)
    page.fill("input[name=username]", "ada")
    page.fill("input[name=password]", "ada")
    page.click("button[value=sign_in]")
    page.click("button[value=allow]")
    page.get_by_role("heading", name=re.compile("^(Signed in|Back to the notebook)$")).wait_for()
    expect(page).to_have_url(flow.redirect_uri.removesuffix("callback"))
    source = flow.wait(60)
    assert any("code=" in url for url in addresses), "the code came this way"
    assert "code=" not in page.content()
    assert complaints == []
    page.screenshot(path=pictures / f"receiver-{scheme}.png")
    context.close()
    assert source.state.subject == "ada"
    source.sign_out()
