"""Whatever a message holds, the form holds: message → JSON → form → JSON → the same message, byte for byte."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from schemas import KITCHEN, ODD, OLD, pool_of
from some_messages import some_message
from widget_front import FORM_POOL, Front, method_with

from explorer.demo.protos import directory_service_pb2
from explorer.rpc import encode, to_dict, to_json
from explorer.widget.form import types_named

pytestmark = pytest.mark.browser

EVERYTHING: Descriptor = FORM_POOL.FindMessageTypeByName("test.Everything")
STAMP: Descriptor = FORM_POOL.FindMessageTypeByName("test.Stamp")
SINK: Descriptor = pool_of(kitchen=KITCHEN).FindMessageTypeByName("kitchen.Sink")
STRICT: Descriptor = pool_of(old=OLD).FindMessageTypeByName("old.Strict")
ODD_ONE: Descriptor = pool_of(odd=ODD).FindMessageTypeByName("odd.Odd")
PROFILE: Descriptor = directory_service_pb2.UpdateProfileRequest.DESCRIPTOR
SEARCH: Descriptor = directory_service_pb2.SearchUsersRequest.DESCRIPTOR


def through_the_form(front: Front, text: str, packed: list[Descriptor]) -> str:
    """The JSON that comes out again, after all of it was drawn."""
    page = front.page
    page.get_by_role("tab", name="JSON").first.click()
    page.get_by_label("request as JSON").fill(text)
    page.get_by_role("tab", name="Form").click()
    known = {descriptor.full_name: descriptor for descriptor in packed}
    for _ in range(10):  # what is opened may ask for further types
        asked = page.evaluate("models.request.sent.splice(0).flatMap((content) => content.names ?? [])")
        if not asked:
            break
        types = types_named([known[name] for name in asked if name in known], {})
        front.message("request", kind="types", types={**dict.fromkeys(asked), **types})
    refused = page.locator(".ge-request .ge-trouble")
    assert refused.count() == 0, f"{refused.inner_text()}\n{text}"
    page.get_by_role("tab", name="JSON").first.click()
    return page.get_by_label("request as JSON").input_value()


def wire(message: Message) -> bytes:
    return bytes(message.SerializeToString(deterministic=True))


@pytest.mark.parametrize(
    ("descriptor", "packed"),
    [
        (EVERYTHING, [STAMP, EVERYTHING, FORM_POOL.FindMessageTypeByName("google.protobuf.Duration")]),
        (SINK, [SINK]),
        (STRICT, []),
        (ODD_ONE, []),
        (PROFILE, []),
        (SEARCH, []),
    ],
    ids=lambda one: one.name if isinstance(one, Descriptor) else "",
)
def test_every_message_comes_back_unchanged(front: Front, descriptor: Descriptor, packed: list[Descriptor]) -> None:
    chance = random.Random(descriptor.name)
    front.mount(request={"method": method_with(descriptor)})
    for _ in range(25):
        message = some_message(descriptor, chance, packed=packed)
        given = to_json(message)
        came_back = through_the_form(front, given, packed)
        assert json.loads(came_back) == json.loads(given)
        assert wire(encode(descriptor, came_back)) == wire(encode(descriptor, given)) == wire(message)
        assert to_dict(encode(descriptor, came_back)) == json.loads(given) or "NaN" in given


@pytest.mark.parametrize(
    "given",
    [
        {"attributes": {"10": 1, "2": 2, "__proto__": 3, "": 4}},
        {"share": -0.0, "single": "NaN", "big": "-9223372036854775808"},
        {"role": 77, "roles": [77, "ROLE_ADMIN"]},
        {"mask": {"paths": ["camelCase", "x_1"]}},
        {"any_json": None, "free": {"a": {"b": [None, 1e22]}}},
        {"anything": {}, "address": {}, "choice": False, "nickname": "", "boxed": "0"},
        {"plain_text": "two\nlines\r\nand one"},
    ],
    ids=json.dumps,
)
def test_what_is_easily_lost_is_not(front: Front, given: dict[str, Any]) -> None:
    front.mount(request={"method": method_with(EVERYTHING)})
    came_back = through_the_form(front, json.dumps(given), [])
    assert json.loads(came_back) == given
    assert list(json.loads(came_back).get("attributes", {})) == list(given.get("attributes", {}))
    in_text = [json.dumps(one, sort_keys=True) for one in (json.loads(came_back), given)]
    assert in_text[0] == in_text[1]  # -0.0 and 0.0 are equal, and not the same


def test_a_form_that_lost_something_would_be_found(front: Front) -> None:
    front.page.evaluate("JSON.stringify = () => '\"lost\"'")
    front.mount(request={"method": {**method_with(EVERYTHING)}})
    came_back = through_the_form(front, '{"plain_text": "kept"}', [])
    assert "kept" not in came_back
