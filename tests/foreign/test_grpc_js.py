"""A shop served by grpc-js with its own reflection package: all kinds of method, packages that need each other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme
from token_sources import Scripted, a_token

import explorer
from explorer.errors import ConnectionFailedError, RequestError, UnknownNameError
from explorer.opening import PlaintextWarning
from explorer.rpc import ProtoFiles, Reflection
from explorer.session import Session

METHODS = {
    ("shop.v1.payments.Till", "Pay"): "unary",
    ("shop.v1.Catalog", "GetProduct"): "unary",
    ("shop.v1.Catalog", "ListProducts"): "server stream",
    ("shop.v1.Catalog", "WatchPrices"): "server stream",
    ("shop.v1.Orders", "Place"): "client stream",
    ("shop.v1.Orders", "Haggle"): "bidi",
    ("Echo", "Say"): "unary",
}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def tls_port(node_server: Callable[..., int], authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> int:
    folder: Path = tmp_path_factory.mktemp("shop")
    leaf = authority.issue_cert("localhost", "127.0.0.1")
    leaf.cert_chain_pems[0].write_to_path(str(folder / "certificate.pem"))
    leaf.private_key_pem.write_to_path(str(folder / "key.pem"))
    return node_server("shop.mjs", "own", str(folder / "certificate.pem"), str(folder / "key.pem"))


@pytest.fixture(scope="module")
def plain_port(node_server: Callable[..., int]) -> int:
    return node_server("shop.mjs", "own")


@pytest.fixture(scope="module")
def shop(tls_port: int, authority: trustme.CA) -> Iterator[Session]:
    with explorer.connect(f"localhost:{tls_port}", root_certificates=authority.cert_pem.bytes()) as session:
        yield session


def test_every_service_is_found_and_whole_also_where_packages_need_each_other(shop: Session):
    assert set(shop.services) == {service for service, _ in METHODS}
    rows = shop.methods.set_index(["service", "method"])
    assert rows["kind"].to_dict() == METHODS
    assert (dict(shop.broken), dict(shop.repaired)) == ({}, {})
    assert rows.loc[("shop.v1.Orders", "Place"), "request"] == "shop.v1.Item"


def test_a_product_has_all_its_fields(shop: Session):
    call = shop["Catalog"].GetProduct(sku="sku3", fields="price,stock")
    product = call.raise_for_status().message
    assert (product.sku, product.price.hundredths, product.months) == ("sku3", 250, 24)
    assert product.stock.value == 2**64 - 1
    assert not product.HasField("kilograms")
    assert product.parts[0].parts[0].sku == "screw"
    assert product.prices_abroad["NO"].hundredths == 3300
    assert list(product.labels["sizes"]) == [42]
    assert product.picture == b"\x89P\x03"
    assert ("shop-mood", "glad") in call.initial_metadata


def test_a_refusal_is_an_outcome_with_its_metadata(shop: Session):
    call = shop["Catalog"].GetProduct(sku="none")
    assert (call.status.code, call.status.details) == ("NOT_FOUND", "no none")
    assert ("shop-mood", "sorry") in call.trailing_metadata


def test_a_wrong_field_is_named_and_nothing_sent(shop: Session):
    with pytest.raises(RequestError, match="sku"):
        shop["Catalog"].GetProduct(sku=5)
    with pytest.raises(UnknownNameError, match="Catalog"):
        shop["Catalogue"]


def test_a_stream_becomes_a_table(shop: Session):
    call = shop["Catalog"].ListProducts()
    assert (call.status.code, len(call)) == ("OK", 500)
    frame = shop["Catalog"].ListProducts.options(progress=False).collect()
    assert frame["sku"].tolist() == [f"sku{number}" for number in range(500)]
    assert frame["price.hundredths"].tolist() == [number * 100 - 50 for number in range(500)]
    assert frame["kilograms"].isna().sum() == 167
    assert set(frame["warranty"]) == {"months", "words"}


def test_many_requests_become_a_table_in_which_a_refusal_stops_nothing(shop: Session):
    skus = ["sku1", "none", "sku2"]
    frame = shop["Catalog"].GetProduct.options(progress=False).collect(sku=skus)
    assert frame["status_code"].tolist() == ["OK", "NOT_FOUND", "OK"]
    assert frame["request.sku"].tolist() == skus


def test_a_stream_of_requests_is_answered_at_its_end(shop: Session):
    wish = {"@type": "type.googleapis.com/shop.v1.Product", "sku": "a wish"}
    call = shop["Orders"].Place([{"sku": "sku1", "count": 2}, {"sku": "sku2", "wish": wish}])
    order = call.raise_for_status().message
    assert [(item.sku, item.count) for item in order.items] == [("sku1", 2), ("sku2", 0)]
    assert order.payment.amount.hundredths == 200
    assert order.payment.WhichOneof("way") == "card"
    assert (order.placed.seconds, order.delivery.seconds) == (1_700_000_000, 86_400)
    assert order.items[1].wish.type_url.endswith("shop.v1.Product")


def test_details_that_are_no_status_are_told_and_kept(shop: Session):
    call = shop["Orders"].Place([])
    assert (call.status.code, call.status.details) == ("FAILED_PRECONDITION", "an empty basket")
    assert call.status.unreadable_details == b"\xff\xfe\x00\x08"


def test_a_conversation_goes_message_by_message(shop: Session):
    with shop["Orders"].Haggle.start() as running:
        answers = iter(running)
        said = []
        for sku in ("sku1", "none"):
            running.send(sku=sku)
            said.append(next(answers))
        running.done_writing()
        call = running.wait()
    assert [answer.WhichOneof("answer") for answer in said] == ["product", "refusal"]
    assert (call.status.code, call.sent, len(call)) == ("OK", 2, 2)


def test_a_stream_without_end_is_stopped(shop: Session):
    running = shop["Catalog"].WatchPrices.start()
    seen = [price.hundredths for price, _ in zip(running, range(5), strict=False)]
    running.cancel()
    call = running.wait()
    assert seen == [0, 1, 2, 3, 4]
    assert call.status.code == "CANCELLED"
    assert len(call) >= 5


def test_a_service_of_no_package_and_numbers_beyond_javascripts(shop: Session):
    words = shop["Echo"].Say(text="<b>ü</b>", numbers=[2**63 - 1, -(2**63)]).message
    assert (words.text, list(words.numbers)) == ("<b>ü</b>", [2**63 - 1, -(2**63)])


def test_calls_at_once_from_many_threads(shop: Session):
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda number=number: answers.append(shop["Echo"].Say(text=str(number)).message.text))
        for number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers, key=int) == [str(number) for number in range(20)]


def test_its_protos_bring_the_comments_that_reflection_lacks(tls_port: int, authority: trustme.CA):
    protos = Path(__file__).parent / "node_servers" / "protos"
    filled = [Reflection, ProtoFiles(protos)]
    certificates = authority.cert_pem.bytes()
    with explorer.connect(f"localhost:{tls_port}", root_certificates=certificates, descriptors=filled) as session:
        rows = session.methods.set_index(["service", "method"])
        assert rows.loc[("shop.v1.Catalog", "WatchPrices"), "comment"] == "Never ends by itself."
        assert session["Catalog"].GetProduct(sku="sku1").ok


def test_with_a_token_it_goes_over_tls_alone(tls_port: int, plain_port: int, authority: trustme.CA):
    source = Scripted(a_token("a-secret-token"))
    with pytest.raises(ConnectionFailedError, match="not in TLS"):
        explorer.connect(f"localhost:{plain_port}", token_source=source)
    assert source.asked == []
    with explorer.connect(
        f"localhost:{tls_port}", token_source=source, root_certificates=authority.cert_pem.bytes()
    ) as session:
        receipt = session["Till"].Pay(amount={"currency": "EUR", "hundredths": 5}, cash=True)
        assert receipt.message.number == 9_007_199_254_740_993
        assert "a-secret-token" not in repr(receipt) + receipt.code


def test_without_a_token_it_is_asked_for(shop: Session):
    assert shop["Till"].Pay(cash=True).status.code == "UNAUTHENTICATED"


def test_plaintext_on_this_machine_is_found_out_and_said(plain_port: int):
    with pytest.warns(PlaintextWarning, match="plaintext"):
        session = explorer.connect(f"localhost:{plain_port}")
    with session:
        assert session.security == "plaintext"
        assert session["Echo"].Say(text="hi").message.text == "hi"
    with explorer.connect(f"localhost:{plain_port}", plaintext=True) as session:
        assert "Echo" in session.services


def test_who_does_not_know_its_authority_gets_a_sentence(tls_port: int):
    with pytest.raises(ConnectionFailedError, match="certificate"):
        explorer.connect(f"localhost:{tls_port}")
