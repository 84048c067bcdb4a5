"""The form in a real Lab, against the real demo: by keyboard, with what the server finds wrong at its field."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jupyter_lab import JupyterLab, Notebook
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CELL = """
import explorer

demo = explorer.demo.start()
tokens = explorer.oauth.client_credentials(
    demo.issuer, client_id="service", client_secret="service-secret", scope="read:users"
)
session = explorer.connect(demo.target, token_source=tokens, root_certificates=demo.root_certificates)
explorer.explore(session)
"""


def write_notebook(path: Path) -> None:
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": None, "source": CELL}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.write_text(
        json.dumps({"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})
    )


def choose(page: Page, typed: str) -> None:
    page.get_by_label("Search methods").fill(typed)
    page.keyboard.press("Enter")


def test_the_form_by_keyboard_with_the_servers_own_words_at_their_field(
    page: Page, lab: JupyterLab, notebook: Notebook, pictures: Path
) -> None:
    path = lab.work / "form.ipynb"
    write_notebook(path)
    notebook.open("form.ipynb")
    notebook.run_all()
    choose(page, "gdu")
    expect(page.locator(".ge-request h3")).to_have_text("GetDirectoryUser")

    # Nobody is named, and the mask names a field that nobody has: the server says both.
    page.locator("[data-field=read_mask]").fill("name,shoe_size")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-row=read_mask] .ge-field-problem")).to_contain_text("shoe_size")
    page.locator(".ge-panel.ge-request").screenshot(path=pictures / "form-violations.png")

    page.locator("[data-field=read_mask]").fill("name,address.city")
    expect(page.locator("[data-row=read_mask] .ge-field-problem")).to_have_text("")
    page.locator("[data-field=number]").fill("123")
    page.keyboard.press("Enter")
    expect(page.locator(".ge-response .ge-badge").first).to_have_text("OK")

    # What is typed is not the notebook's, but saving is.
    before = path.stat().st_mtime_ns
    page.locator("[data-field=number]").press("Control+s")
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    assert path.stat().st_mtime_ns > before
    assert len(json.loads(path.read_text())["cells"]) == 1

    # A type that only an Any needs is fetched when it is chosen.
    choose(page, "updateprofile")
    page.get_by_label("send profile", exact=True).check()
    page.get_by_label("send badge", exact=True).check()
    page.get_by_label("type of badge").fill("type.googleapis.com/explorer.demo.attachments.v1.Certificate")
    page.keyboard.press("Tab")
    page.locator("[data-field='profile.badge.course']").fill("Diving")
    page.get_by_role("tab", name="JSON", exact=True).first.click()
    typed = json.loads(page.get_by_label("request as JSON").input_value())
    assert typed["profile"]["badge"]["course"] == "Diving"
    notebook.theme("dark")
    page.get_by_role("tab", name="Form", exact=True).click()
    page.locator(".ge-frame").screenshot(path=pictures / "form-dark.png")
