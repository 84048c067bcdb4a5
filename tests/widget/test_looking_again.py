"""A server that was deployed anew, looked at again from the widget: a real server whose services change."""

from __future__ import annotations

from collections.abc import Callable

import grpc
from grpc_servers import GrpcServer, Reflected
from schemas import SHOP, raw_files
from widget_ear import Ear

import explorer
from explorer.widget.model import Model

GET, BUY = "shop.v1.Shop.Get", "shop.v1.Shop.Buy"
ONE = "syntax='proto3'; message Q {} service One { rpc Do (Q) returns (Q); }"


def looked(ear: Ear) -> str:
    ear.forget()
    ear.model.command({"command": "rediscover"})
    ear.until(lambda: [value["busy"] for name, value in ear.heard if name == "looking"][-1:] == [False])
    assert not ear.model.state["shut"]
    return str(ear.model.state["looking"]["sentence"])


def test_look_again_takes_in_what_is_new_and_keeps_what_is_chosen(serve: Callable[..., GrpcServer]) -> None:
    served = Reflected(raw_files(shop=SHOP), ["shop.v1.Shop"])
    with explorer.connect(serve(reflection=served).target, plaintext=True) as session:
        model = Model(session=session)
        try:
            ear = Ear(model)
            model.start()
            ear.open()
            model.select(BUY)
            served.files = raw_files(shop=SHOP, one=ONE)
            served.services = ["shop.v1.Shop", "One", "gone.Broken"]
            assert looked(ear) == ""
            told = {name for name, _ in ear.heard} - {"health"}  # which comes when it comes
            assert told == {"looking", "place", "services"}, "the form is not drawn anew"
            assert model.state["selected"] == BUY
            names = [service["name"] for service in model.state["services"]]
            assert names == ["shop.v1.Shop", "One", "gone.Broken"]
            assert model.state["services"][2]["problem"]
            assert model.state["place"]["services"] == 3

            served.before = lambda _request, context: context.abort(grpc.StatusCode.PERMISSION_DENIED, "no")
            assert "does not allow" in looked(ear)
            assert [service["name"] for service in model.state["services"]] == names
            assert (model.state["selected"], model.state["method"]["name"]) == (BUY, BUY)

            served.before = None
            served.files = raw_files(shop=SHOP.replace("rpc Buy", "rpc Sell"))
            served.services = ["shop.v1.Shop"]
            assert looked(ear) == f"{BUY} is not served any more."
            assert model.state["selected"] == model.state["method"]["name"] == GET
        finally:
            model.close()
