"""The search for secrets finds what is planted, or its silence would mean nothing."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from canary import found

SECRET = "eyJ/canary+of~a-token=="


@pytest.mark.parametrize(
    "hidden",
    [
        SECRET,
        quote(SECRET, safe=""),
        json.dumps({"a": SECRET}),
        json.dumps(json.dumps({"a": [SECRET]})),
        *(base64.b64encode(("x" * n + SECRET + "yz").encode()).decode() for n in range(4)),
        *(base64.urlsafe_b64encode(("x" * n + SECRET + "yz").encode()).decode() for n in range(4)),
    ],
)
def test_a_planted_secret_is_found(hidden: str) -> None:
    assert found(["another-secret", SECRET], b"before " + hidden.encode() + b" after") == [1]


def test_nothing_is_found_where_nothing_is() -> None:
    assert found([SECRET], b"eyJ/canary+of~a-toke") == []
