"""The request panel as a person sees and uses it."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Locator
from widget_front import EVERYTHING, FORM_POOL, Front

from explorer.widget.form import types_named

NAMES = ["test.Address", "test.Everything", "test.Stamp", "google.protobuf.Duration"]


def text(front: Front, selector: str) -> str:
    return front.page.locator(selector).inner_text()


def row(front: Front, path: str) -> Locator:
    """The input of the field at a path."""
    return front.page.locator(f"[data-field='{path}']")


def problem(front: Front, path: str) -> str:
    return front.page.locator(f"[data-row='{path}'] .ge-field-problem").first.inner_text()


def general(front: Front) -> str:
    return text(front, ".ge-request .ge-trouble")


def call(front: Front) -> None:
    front.page.get_by_role("button", name="Call", exact=True).click()


def sent_request(front: Front) -> Any:
    [call] = [content for content in front.sent("request") if content["command"] == "call"]
    return json.loads(call["request"])


def to_json(front: Front, typed: str | None = None) -> Locator:
    front.page.get_by_role("tab", name="JSON").first.click()
    area = front.page.get_by_label("request as JSON")
    if typed is not None:
        area.fill(typed)
    return area


def to_form(front: Front) -> None:
    front.page.get_by_role("tab", name="Form").click()


def everything(front: Front, **state: Any) -> Front:
    return front.mount(request={"method": EVERYTHING, **state})


def answer(front: Front) -> None:
    """Play the kernel's part once, for what the form asked."""
    for content in front.sent("request"):
        if content["command"] == "type_names":
            front.message("request", kind="type_names", names=NAMES)
        if content["command"] == "types":
            known = [
                FORM_POOL.FindMessageTypeByName(name) for name in content["names"] if not name.startswith("unheard.")
            ]
            found = {**dict.fromkeys(content["names"]), **types_named(known, {})}
            front.message("request", kind="types", types=found)
