"""The front end without a kernel: what the kernel would say, and what would go to it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor
from playwright.sync_api import Page
from schemas import pool_of

from explorer.rpc.metadata import OPEN_METADATA
from explorer.widget.form import types_of
from explorer.widget.panels import PANELS
from explorer.widget.running_view import NO_RUN

FORM = """
syntax = "proto3";
package test;
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
enum Role { option allow_alias = true; ROLE_UNSPECIFIED = 0; ROLE_ADMIN = 3; ROLE_BOSS = 3; }
message Address { string street = 1; string city = 2; Address former = 3; int32 house_number = 4; }
message Everything {
  int32 count = 1;
  // How many there are,
  // of all kinds.
  int64 big = 2;
  double share = 3;
  bool flag = 4;
  optional bool choice = 5;
  Role role = 6;
  optional string nickname = 7;
  bytes blob = 8;
  repeated string tags = 9;
  Address address = 10;
  oneof side { string left = 11; int32 right = 12; Address middle = 13; }
  repeated Address places = 14;
  map<string, int32> attributes = 15;
  map<bool, Address> by_flag = 16;
  google.protobuf.Timestamp at = 17;
  google.protobuf.Duration lasts = 18;
  google.protobuf.FieldMask mask = 19;
  google.protobuf.Struct free = 20;
  google.protobuf.Value any_json = 21;
  google.protobuf.Any anything = 22;
  google.protobuf.Int64Value boxed = 23;
  float single = 24;
  repeated Role roles = 25;
  string plain_text = 26 [json_name = "wording"];
}
message Stamp { string ink = 1; google.protobuf.Any inside = 2; google.protobuf.Empty nothing = 3; }
"""
"""A field of every kind that a form draws."""


def method_with(descriptor: Descriptor, comments: Mapping[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """A method as the request panel knows it, that takes this message."""
    return {
        "name": f"test.Service.Take{descriptor.name}",
        "label": f"Take{descriptor.name}",
        "kind": "unary",
        "problem": "",
        "help": "",
        "timeout": 30,
        "request_type": descriptor.name,
        "request_full_name": descriptor.full_name,
        "response_type": descriptor.name,
        "response_full_name": descriptor.full_name,
        "types": types_of(descriptor, comments or {}),
        **more,
    }


FORM_POOL = pool_of(form=FORM)
EVERYTHING = method_with(
    FORM_POOL.FindMessageTypeByName("test.Everything"), {"test.Everything.big": "How many there are,\nof all kinds."}
)
GET_USER: dict[str, Any] = {
    **EVERYTHING,
    "name": "UserService.GetUser",
    "label": "GetUser",
    "request_type": "GetUserRequest",
    "request_full_name": "GetUserRequest",
    "response_type": "User",
    "response_full_name": "User",
    "types": {"GetUserRequest": {"fields": [{"name": "user_id", "type": "string", "kind": "text"}]}},
}
SERVICES: list[dict[str, Any]] = [
    {
        "name": "UserService",
        "label": "UserService",
        "problem": "",
        "methods": [
            {
                "name": "UserService.GetUser",
                "label": "GetUser",
                "kind": "unary",
                "messages": "GetUserRequest User",
                "problem": "",
            }
        ],
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
                "messages": "ListUsersRequest DirectoryUser",
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
    "ends": "",
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
    "json_of": {"drawn": 1, "total": 1},
    "metadata": {"initial": [["content-type", "application/grpc"], ["x-api-key", None]], "trailing": []},
    "stub": "import grpc\n",
    "grpcurl": "grpcurl localhost:50051 UserService/GetUser\n",
    "first": "",
    "method": "UserService.GetUser",
    "code": 'call = session["UserService.GetUser"](user_id="user123")\ncall\n',
    "table": {
        "columns": [
            {"name": "id", "dtype": "string", "numeric": False, "wire": True},
            {"name": "age", "dtype": "int32", "numeric": True, "wire": False},
        ],
        "rows": [["user123", None]],
        "total": 1,
        "width": 2,
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
    "tree": {"services": SERVICES, "looking": {"busy": False, "sentence": ""}, "selected": "UserService.GetUser"},
    "request": {
        "method": GET_USER,
        "busy": False,
        "collecting": False,
        "problems": {},
        "flow": {"method": "", "open": False, "sent": 0, "waiting": 0},
        "open_metadata": sorted(OPEN_METADATA),
    },
    "collecting": {"run": NO_RUN, "collecting": False, "selected": "UserService.GetUser"},
    "response": {"answer": OK, "selected": "UserService.GetUser"},
    "sheet": {"alone": False},
    "history": {},
    "foot": {"rows": 12, "calls": 14, "health": {"status": "SERVING", "reason": ""}},
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
                "state": {**copy.deepcopy(STATES.get(panel.name, {})), **states.get(panel.name, {})},
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
