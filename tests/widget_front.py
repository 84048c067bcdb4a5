"""The front end without a kernel: what the kernel would say, and what would go to it."""

from __future__ import annotations

import copy
from typing import Any

from playwright.sync_api import Page

from explorer.widget.panels import PANELS


def field(name: str, kind: str = "text", type_name: str = "string", **more: Any) -> dict[str, Any]:
    shown = {"name": name, "json_name": name, "type": type_name, "kind": kind}
    return {**shown, "presence": False, "oneof": None, "placeholder": "", "help": "", **more}


INT32 = {"min": "-2147483648", "max": "2147483647", "wide": False}
INT64 = {"min": "-9223372036854775808", "max": "9223372036854775807", "wide": True}
GET_USER: dict[str, Any] = {
    "name": "UserService.GetUser",
    "label": "GetUser",
    "kind": "unary",
    "problem": "",
    "help": "",
    "timeout": 30,
    "request_type": "GetUserRequest",
    "request_full_name": "GetUserRequest",
    "response_type": "User",
    "response_full_name": "User",
    "fields": [field("user_id")],
}
EVERYTHING: dict[str, Any] = {
    **GET_USER,
    "name": "test.Everything.Try",
    "label": "Try",
    "fields": [
        field("count", "int", "int32", **INT32),
        field("big", "int", "int64", **INT64),
        field("share", "float", "double"),
        field("flag", "bool", "bool"),
        field("choice", "bool", "bool", presence=True),
        field(
            "role",
            "enum",
            "Role",
            values=["ROLE_UNSPECIFIED", "ROLE_ADMIN"],
            numbers={"0": "ROLE_UNSPECIFIED", "3": "ROLE_ADMIN"},
        ),
        field("nickname", presence=True),
        field("blob", "bytes", "bytes"),
        field("tags", "json", "repeated string", shape="list"),
        field("address", "json", "Address", shape="object"),
        field("left", presence=True, oneof="side"),
        field("right", "int", "int32", presence=True, oneof="side", **INT32),
    ],
}
SERVICES: list[dict[str, Any]] = [
    {
        "name": "UserService",
        "label": "UserService",
        "problem": "",
        "methods": [{"name": "UserService.GetUser", "label": "GetUser", "kind": "unary", "problem": ""}],
    },
    {
        "name": "explorer.demo.v1.DirectoryService",
        "label": "DirectoryService",
        "problem": "",
        "methods": [
            {
                "name": "explorer.demo.v1.DirectoryService.ListUsers",
                "label": "ListUsers",
                "kind": "server stream",
                "problem": "",
            }
        ],
    },
    {
        "name": "ReportService",
        "label": "ReportService",
        "problem": "incomplete: reports/v2/types.proto is not served",
        "methods": [],
    },
]
ADA: dict[str, Any] = {
    "phase": "fresh",
    "person": "ada",
    "scope": ["read:users"],
    "missing": [],
    "renews": True,
    "refreshable": True,
    "leaves": True,
    "again": True,
    "resumed": "",
    "advice": "",
    "last_error": "",
}
OK: dict[str, Any] = {
    "state": "done",
    "badge": "OK",
    "tone": "good",
    "facts": "3.1 ms · 42 B",
    "at": 1_800_000_000_000,
    "hint": "",
    "why": None,
    "json": '{\n  "id": "user123"\n}',
    "metadata": {"initial": [["content-type", "application/grpc"], ["x-api-key", None]], "trailing": []},
    "code": 'call = session["UserService.GetUser"](user_id="user123")\ncall\n',
    "table": {
        "columns": [
            {"name": "id", "dtype": "string", "numeric": False, "wire": True},
            {"name": "age", "dtype": "int32", "numeric": True, "wire": False},
        ],
        "rows": [["user123", None]],
        "total": 1,
    },
}
SIGN_IN: dict[str, Any] = {
    "kind": "sign in",
    "host": "auth.example.test",
    "client_id": "notebook",
    "scope": ["read:users"],
    "away": False,
    "sentence": "",
    "leave": False,
    "ways": [],
    "keeps": "",
}
STATES: dict[str, dict[str, Any]] = {
    "header": {
        "place": {"target": "localhost:50051", "security": "TLS", "services": 3, "reflection": "v1"},
        "account": ADA,
    },
    "details": {},
    "gate": {"gate": SIGN_IN},
    "tree": {"services": SERVICES, "selected": "UserService.GetUser"},
    "request": {"method": GET_USER, "busy": False, "problems": {}},
    "response": {"answer": OK},
    "foot": {"rows": 12},
}


class Front:
    """The panels on the page, and their models: what the kernel would say, and what would go to it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def mount(self, *, shut: bool = False, **states: dict[str, Any]) -> Front:
        panels = {
            panel.name: {
                "esm": panel._esm,
                "css": getattr(panel, "_css", ""),
                "state": {**copy.deepcopy(STATES[panel.name]), **states.get(panel.name, {})},
            }
            for panel in PANELS
        }
        self.page.evaluate("([panels, shut]) => mount_all(panels, shut)", [panels, shut])
        return self

    def set(self, panel: str, name: str, value: Any) -> None:
        self.page.evaluate("([panel, name, value]) => models[panel].set_from_kernel(name, value)", [panel, name, value])

    def message(self, panel: str, **content: Any) -> None:
        self.page.evaluate("([panel, content]) => models[panel].emit('msg:custom', content)", [panel, content])

    def sent(self, panel: str) -> list[dict[str, Any]]:
        """What this panel would have sent over the websocket, but for its question at the start."""
        sent: list[dict[str, Any]] = self.page.evaluate("(panel) => models[panel].sent", panel)
        return [content for content in sent if content["command"] != "look"]

    def frames(self) -> int:
        return int(self.page.evaluate("Object.values(models).flatMap((model) => model.sent).length"))
