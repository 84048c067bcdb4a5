"""A grpcio whose door to core is another than the one that is known."""

from __future__ import annotations

from typing import Any

import pytest

from explorer.rpc.core_method import CoreMethod


def shut_the_door_to_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on what is public has to do, for as long as the patches stand."""

    def other_door(*_arguments: Any, **_options: Any) -> None:
        raise AttributeError("_channel")

    monkeypatch.setattr(CoreMethod, "__init__", other_door)
