"""The table in a real Lab: what was collected, and a million rows, looked at, drawn, and taken out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jupyter_lab import JupyterLab, Notebook
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CELLS = (
    """
import numpy as np
import pyarrow as pa

import explorer

demo = explorer.demo.start()
tokens = explorer.oauth.client_credentials(
    demo.issuer, client_id="service", client_secret="service-secret", scope="read:users"
)
session = explorer.connect(demo.target, token_source=tokens, root_certificates=demo.root_certificates)
widget = explorer.explore(session)
widget
""",
    """
numbers = np.arange(1_000_000)
statuses = pa.array(["OK", "OK", "NOT_FOUND"]).take(pa.array(numbers % 3))
calls = pa.table({"n": numbers, "status_code": statuses, "elapsed": (numbers % 997 + 1) / 1e5})
view = explorer.table(calls, "a million")
view
""",
)


def write_notebook(path: Path) -> None:
    bare = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    cells = [{**bare, "id": f"cell-{at}", "source": source} for at, source in enumerate(CELLS)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.write_text(
        json.dumps({"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})
    )


def test_what_was_collected_and_a_million_rows_are_looked_at_and_taken_out(
    page: Page, lab: JupyterLab, notebook: Notebook, pictures: Path
) -> None:
    write_notebook(lab.work / "table.ipynb")
    notebook.open("table.ipynb")
    notebook.run_all()

    # The foot's rows are the door to what was collected.
    frame = page.locator(".ge-frame").first
    frame.get_by_label("user_id").fill("user123")
    frame.get_by_role("button", name="Call", exact=True).click()
    frame.get_by_role("button", name="1 row in widget.responses").click()
    expect(frame.locator(".ge-sheet").get_by_role("cell", name="Ada Example")).to_be_visible()
    frame.get_by_role("button", name="DataFrame").click()
    frame.get_by_label("name in the notebook").fill("people")
    frame.get_by_label("name in the notebook").press("Enter")
    expect(frame.locator(".ge-said")).to_contain_text("people is a DataFrame of 1 row")
    assert notebook.ask("people['name'].tolist()") == ["Ada Example"]
    frame.screenshot(path=pictures / "table-of-responses-light.png")
    frame.get_by_role("button", name="Close the table").click()
    expect(frame.get_by_label("user_id")).to_be_visible()

    # It opens again as often as it is closed, whatever was asked of it, and after the page was loaded again.
    door = frame.get_by_role("button", name="1 row in widget.responses")
    door.click()
    frame.get_by_label("search the text of all rows").fill("nobody")
    expect(frame.locator(".ge-pages")).to_contain_text("nothing found, in 1 row")
    door.click()
    door.click()
    expect(frame.get_by_role("cell", name="Ada Example")).to_be_visible()
    notebook.save()
    notebook.open("table.ipynb")
    door.click()
    expect(frame.get_by_role("cell", name="Ada Example")).to_be_visible()
    door.click()

    # A million rows, sorted, filtered and paged in the kernel: the page has a hundred.
    alone = page.locator(".ge-alone .ge-frame")
    alone.scroll_into_view_if_needed()
    first = alone.locator("tbody tr").first
    for _ in ("up", "and down"):
        alone.get_by_role("button", name="n int64", exact=True).click()
    expect(first).to_contain_text("999999")
    alone.get_by_label("add a filter").select_option(label="status_code")
    alone.get_by_label("status_code is", exact=True).select_option("NOT_FOUND")
    expect(alone.locator(".ge-pages")).to_contain_text("1–100 of 333,333 found, in 1,000,000 rows")
    alone.get_by_role("button", name="last rows").click()
    expect(alone.locator("tbody tr")).to_have_count(33)
    expect(alone.locator("tbody tr").last).to_contain_text("NOT_FOUND")
    assert notebook.ask("[len(view.shown), int(view.shown['n'].iloc[0])]") == [333_333, 999_998]

    # The same in pandas, to be copied into a cell.
    alone.locator(".ge-out").get_by_role("button", name="Code").click()
    code = alone.get_by_label("these rows in pandas")
    expect(code).to_contain_text('sort_values("n", ascending=False, kind="stable")')
    frame_line, rows = (code.text_content() or "").split("\n", 1)
    assert frame_line == "df = view.frame"
    assert notebook.ask(f"[df := view.frame, ({rows}).reset_index(drop=True).equals(view.shown)][1]")
    alone.screenshot(path=pictures / "table-code-light.png")
    alone.locator(".ge-out").get_by_role("button", name="Code").click()

    # How long they took, in one click, in the light of the day or of the night.
    alone.get_by_role("button", name="Latencies").click()
    expect(alone.locator(".ge-by-day")).to_be_visible()
    assert "333,333 rows; median" in (alone.locator(".ge-by-day").get_attribute("alt") or "")
    notebook.theme("dark")
    expect(alone.locator(".ge-by-night")).to_be_visible()
    expect(alone.locator(".ge-by-day")).to_be_hidden()
    alone.screenshot(path=pictures / "table-latencies-dark.png")

    # A file beside the notebook, under a name that is asked for, and never over another.
    for said in ("Wrote 333,333 rows", "missing.parquet is there already"):
        alone.get_by_role("button", name="Parquet").click()
        alone.get_by_label("name of the file").fill("missing")
        alone.get_by_role("button", name="Write", exact=True).click()
        expect(alone.locator(".ge-said")).to_contain_text(said)
    assert [path.name for path in lab.work.glob("*.parquet")] == ["missing.parquet"]
