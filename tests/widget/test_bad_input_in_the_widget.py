"""What goes wrong, as the widget says it: a sentence with the value and the next step, a button, and nothing lost.

The twin of ``test_bad_input.py``, which has the same things said in Python.
"""

from __future__ import annotations

import socket

import pytest
from grpc_servers import Gate, GrpcServer, Reflected
from person import Person
from widget_ear import GET_USER, LIST_USERS, Ear

import explorer
from explorer.demo.protos import user_service_pb2
from explorer.widget.model import Model
from explorer.widget.place import Place, demo_place
from explorer.widget.sign_in import Grant

WATCH = "grpc.health.v1.Health.Watch"


@pytest.fixture
def models():
    made = []

    def make(place: Place) -> Ear:
        made.append(Model(place))
        made[-1].start()
        return Ear(made[-1])

    yield make
    for model in made:
        model.close()


@pytest.fixture
def free_port():
    """Nobody listens there, and nobody else gets it meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def plaintext_server():
    server = GrpcServer(reflection=Reflected({}, []))
    yield server
    server.stop()


def refused_at_the_door(ear: Ear, *says: str) -> None:
    """One sentence or two, and the button that tries again."""
    gate = ear.until_gate("retry")
    assert "\n" not in gate["sentence"]
    for words in says:
        assert words in gate["sentence"]
    assert gate["again"] == "Try again"
    ear.forget()
    ear.model.command({"command": "connect"})
    ear.until(lambda: [value["kind"] for name, value in ear.heard if name == "gate"][-2:] == ["wait", "retry"])


def no_sign_in(ear: Ear, way: str, *says: str) -> None:
    """The same of a sign-in that cannot be: the buttons are there again, and begin another."""
    for _ in ("once", "and again"):
        ear.forget()
        ear.model.command({"command": "sign_in", "method": way})
        gate = ear.until(lambda: ear.model.state["gate"].get("sentence"))["gate"]
        assert gate["kind"] == "sign in"
        assert "\n" not in gate["sentence"]
        for words in says:
            assert words in gate["sentence"]


def said(answer) -> str:
    return "".join(part if isinstance(part, str) else part["wire"] for part in answer["why"]["sentence"])


def test_wrong_address(models, free_port):
    ear = models(Place(target=f"localhost:{free_port}"))
    refused_at_the_door(ear, f"localhost:{free_port}", "Start the server, or correct the address")


def test_an_address_that_is_none(models):
    refused_at_the_door(models(Place(target="local host:1")), "'local host:1'", "Expected host:port")


def test_tls_to_plaintext(models, plaintext_server):
    source = explorer.tokens.StaticTokenSource("token")
    ear = models(Place(target=plaintext_server.target, token_source=source))
    refused_at_the_door(ear, plaintext_server.target, "not in TLS", "http://")
    assert plaintext_server.calls == []


def test_plaintext_that_nobody_asked_for_is_said(models, plaintext_server):
    ear = models(Place(target=plaintext_server.target))
    place = ear.until(lambda: ear.model.state["place"]["security"] == "plaintext")["place"]
    assert f"{plaintext_server.target} does not speak TLS" in place["notice"]
    asked = models(Place(target=f"http://{plaintext_server.target}"))  # the twin
    assert asked.until(lambda: asked.model.state["place"]["security"] == "local")["place"]["notice"] == ""


def test_plaintext_to_tls(models, demo):
    refused_at_the_door(models(Place(target=f"http://{demo.target}")), demo.target, "speak TLS", "http://) away")


def test_nobody_is_asked_to_sign_in_where_a_token_could_not_be_sent(models, demo):
    grant = Grant(issuer=demo.issuer, client_id="notebook", scope="read:users")
    for target, says in (
        ("http://example.com:80", "The token would travel in clear to example.com:80; nothing was sent. Use TLS"),
        ("local host:1", "'local host:1' is not a target"),
    ):
        ear = models(Place(target=target, grant=grant))
        assert says in ear.until_gate("retry")["sentence"]
        assert ear.model.state["place"]["security"] == ""


def test_before_there_is_a_connection_nothing_is_said_of_how_it_is_secured(models, demo, free_port):
    grant = Grant(issuer=demo.issuer, client_id="notebook", scope="read:users")
    ear = models(Place(target=f"localhost:{free_port}", grant=grant))
    ear.until_gate("sign in")
    assert ear.model.state["place"]["target"] == f"localhost:{free_port}"
    assert ear.model.state["place"]["security"] == ""


def test_unknown_certificate_authority(models, demo):
    refused_at_the_door(models(Place(target=demo.target)), demo.target, "root_certificates")


def test_reflection_off(models, demo_factory):
    demo = demo_factory(reflection="off")
    ear = models(Place(target=demo.target, root_certificates=demo.root_certificates))
    refused_at_the_door(ear, demo.target, "reflection", "Turn it on")
    demo.set_reflection("open")
    ear.model.command({"command": "connect"})
    ear.open()


@pytest.mark.parametrize("way", ["browser", "device"])
def test_wrong_issuer(models, demo, free_port, way):
    other = demo.issuer.replace("127.0.0.1", "localhost")
    for issuer, *says in ((other, other, demo.issuer), (f"http://127.0.0.1:{free_port}", f"127.0.0.1:{free_port}")):
        place = Place(
            target=demo.target, root_certificates=demo.root_certificates, grant=Grant(issuer, "notebook", "read:users")
        )
        no_sign_in(models(place), way, *says)


def test_expired_code_and_closed_consent(models, demo_factory):
    """One after the other on one widget, which takes a good sign-in after both."""
    demo = demo_factory(device_interval=0.1)
    ear = models(demo_place(demo))
    ear.model.command({"command": "sign_in", "method": "device"})
    device = ear.message("device")
    demo.advance(3600)
    gate = ear.until(lambda: ear.model.state["gate"].get("sentence"))["gate"]
    assert gate["kind"] == "sign in"
    assert "expired_token" in gate["sentence"]
    assert "start the sign-in again" in gate["sentence"]
    assert device["user_code"] not in str(gate)

    ear.forget()
    ear.model.command({"command": "sign_in", "method": "browser"})
    with Person(demo) as ada:
        ada.sign_in_at(ear.message("page")["url"], allow=False, follow=True)
    gate = ear.until(lambda: ear.model.state["gate"].get("sentence"))["gate"]
    assert gate["kind"] == "sign in"
    assert "access_denied" in gate["sentence"]
    assert "sign in again" in gate["sentence"]
    assert signed_in(ear, demo).call(GET_USER, '{"user_id": "user123"}')["badge"] == "OK"


def signed_in(ear: Ear, demo) -> Ear:
    ear.forget()
    ear.model.command({"command": "sign_in", "method": "browser"})
    with Person(demo) as ada:
        ada.sign_in_at(ear.message("page")["url"], follow=True)
    ear.open()
    return ear


def test_unknown_user_id_and_a_field_of_the_wrong_type(models, demo):
    ear = signed_in(models(demo_place(demo)), demo)
    answer = ear.call(GET_USER, '{"user_id": "nobody"}')
    assert said(answer) == "There is no user 'nobody'. Check the names and ids in the request."
    answer = ear.call(GET_USER, '{"user_id": 5}')
    assert "user_id is 5; expected text" in said(answer)
    assert ear.call(GET_USER, '{"user_id": "user123"}')["badge"] == "OK"
    assert len(ear.model.calling.responses.frame()) == 2, "what was not sent is no row, and cost none"


def test_server_gone_in_mid_call_costs_nothing_already_collected(models, demo_factory):
    demo = demo_factory()
    ear = signed_in(models(demo_place(demo)), demo)
    ear.call(GET_USER, '{"user_id": "user123"}')
    ear.model.command({"command": "call", "method": WATCH, "request": "{}", "timeout": 30})
    ear.until(lambda: ear.model.state["answer"]["table"])
    demo.stop_grpc()
    answer = ear.answered()
    assert answer["badge"] == "UNAVAILABLE"
    for words in (demo.target, "went away before the call was over", "Call again once it is back."):
        assert said(answer).count(words) == 1
    assert answer["table"]["total"] == 1, "what came before is drawn"
    kept = ear.model.calling.responses.frame()
    assert kept["status_code"].tolist() == ["OK", "OK", "UNAVAILABLE"], "and kept"
    assert kept["name"].tolist()[0] == "Ada Example"
    answer = ear.call(GET_USER, '{"user_id": "user123"}', timeout=2)
    assert demo.target in said(answer)
    assert "Start the server" in said(answer)
    demo.start_grpc()
    assert ear.call(LIST_USERS, '{"limit": 2}')["badge"] == "OK"
    assert len(ear.model.calling.responses.frame()) == 5


def test_calls_that_were_stopped_and_never_answered_hold_up_no_other(models):
    gate = Gate()
    file = user_service_pb2.DESCRIPTOR

    def get_user(request: bytes, context) -> bytes:
        if b"hang" in request:
            gate.wait()
        return request

    server = GrpcServer(
        unary={"/UserService/GetUser": get_user},
        reflection=Reflected({file.name: file.serialized_pb}, ["UserService"]),
    )
    ear = models(Place(target=server.target))
    ear.open()
    for _ in range(6):
        gate.entered.clear()
        ear.forget()
        ear.model.command({"command": "call", "method": GET_USER, "request": '{"user_id": "hang"}', "timeout": 600})
        assert gate.entered.wait(60)
        ear.model.command({"command": "stop"})
        assert ear.answered()["badge"] == "CANCELLED"
    assert ear.call(GET_USER, '{"user_id": "user1"}')["badge"] == "OK"
    gate.open()
    assert ear.model.state["rows"] == 7
    server.stop()


def test_what_cannot_even_be_asked_does_not_hold_the_button(models, demo):
    ear = signed_in(models(demo_place(demo)), demo)
    with pytest.raises(ValueError, match="unpack"):
        ear.model.command({"command": "call", "method": GET_USER, "request": "{}", "metadata": ["odd"]})
    assert not ear.model.state["busy"]
    assert ear.call(GET_USER, '{"user_id": "user123"}')["badge"] == "OK"
