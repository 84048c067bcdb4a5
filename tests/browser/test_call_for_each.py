"""Two hundred users by clicks: a DataFrame of the notebook, one call for each of its rows, and a table at the end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jupyter_lab import JupyterLab, Notebook
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CELLS = [
    """import pandas as pd
import explorer
demo = explorer.demo.start()
tokens = explorer.oauth.client_credentials(
    demo.issuer, client_id="service", client_secret="service-secret", scope="read:users")
session = explorer.connect(demo.target, token_source=tokens, root_certificates=demo.root_certificates)
frame = pd.DataFrame({"user_id": [f"user{number}" for number in range(1, 200)] + ["nobody"], "team": "red"})""",
    """widget = explorer.explore(session)
widget""",
]


def written(lab: JupyterLab) -> str:
    """A notebook with these cells."""
    cells = [
        {"cell_type": "code", "metadata": {}, "source": text, "outputs": [], "execution_count": None} for text in CELLS
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    text = json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 4})
    (lab.work / "notebooks" / "each.ipynb").write_text(text)
    return "notebooks/each.ipynb"


def test_a_call_for_each_row_of_a_frame_by_clicks(
    page: Page, lab: JupyterLab, notebook: Notebook, pictures: Path
) -> None:
    notebook.open(written(lab))
    notebook.run_all()
    page.get_by_role("treeitem", name="GetUser").click()
    page.get_by_role("button", name="Call for each …").click()
    each = page.get_by_role("region", name="Call GetUser for each")
    each.get_by_label("name in the notebook").select_option("frame")
    expect(each.get_by_label("field of the column user_id")).to_have_value("user_id")
    expect(each.get_by_label("field of the column team")).to_have_value("")
    each.scroll_into_view_if_needed()
    page.screenshot(path=pictures / "call-for-each-light.png")
    each.get_by_role("button", name="Call 200 times").click()

    run = page.locator(".ge-collecting")
    expect(run.locator(".ge-badge").first).to_have_text("done")
    expect(run.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "100")
    expect(run.locator(".ge-run-facts")).to_contain_text("1 error")
    expect(run.get_by_role("cell", name="NOT_FOUND")).to_be_visible()
    expect(page.locator(".ge-foot")).to_contain_text("200 rows in widget.responses")
    assert notebook.ask("widget.responses['id'].dropna().tolist()") == [f"user{number}" for number in range(1, 200)]
    assert notebook.ask("widget.run.state") == "done"
    assert notebook.ask("widget.history['requests'].tolist()") == [200]
    run.get_by_role("tab", name="Code").click()
    expect(run.locator("pre")).to_contain_text('collect(frame[["user_id"]])')

    run.get_by_role("button", name="Open the table").click()
    expect(page.locator(".ge-sheet").get_by_text("Rows of GetUser")).to_be_visible()
    notebook.theme("dark")
    page.screenshot(path=pictures / "collected-dark.png")
