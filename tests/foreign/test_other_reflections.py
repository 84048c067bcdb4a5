"""The same shop behind reflection packages that others wrote for Node.js, each with gaps of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from grpc_tools import protoc
from node_servers import NODE_SERVERS
from proto_site import INCLUDE

import explorer
from explorer.session import Session

PROTOS = NODE_SERVERS / "protos"


@pytest.fixture(params=["grpc-node-server-reflection", "nice-grpc-server-reflection"])
def shop(request: pytest.FixtureRequest, node_server: Callable[..., int], tmp_path: Path) -> Iterator[Session]:
    if request.param == "grpc-node-server-reflection":
        port = node_server("shop.mjs", "wrapped")
    else:
        result = tmp_path / "shop.binpb"
        files = [str(path.relative_to(PROTOS)) for path in sorted(PROTOS.rglob("*.proto"))]
        arguments = [f"-I{PROTOS}", f"-I{INCLUDE}", "--include_imports", f"--descriptor_set_out={result}"]
        assert protoc.main(["protoc", *arguments, *files]) == 0
        port = node_server("nice.mjs", str(result))
    with explorer.connect(f"127.0.0.1:{port}", plaintext=True) as session:
        yield session


def test_services_with_and_without_a_package_are_whole_and_answer(shop: Session):
    assert {"Echo", "shop.v1.payments.Till"} <= set(shop.services)
    assert {"Say", "Pay"} <= set(shop.methods["method"])
    assert (dict(shop.broken), dict(shop.repaired)) == ({}, {})
    words = shop["Echo"].Say(text="hello", numbers=[2**53 + 1]).raise_for_status().message
    assert (words.text, list(words.numbers)) == ("hello", [2**53 + 1])
    paid = shop["Till"].Pay.options(metadata={"authorization": "anybody"})(amount={"currency": "EUR", "hundredths": 7})
    assert paid.raise_for_status().message.payment.amount.hundredths == 7
