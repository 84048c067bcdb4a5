"""Which way to sign in is tried where, and what becomes of a wrong guess."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fake_clock import FakeClock
from odd_server import OddServer, Reply, bearer, error, html

from explorer.errors import AccessDeniedError, ConfigurationError, OAuthConfigurationError
from explorer.oauth import AuthorizationServer, interactive, pasting, sign_in
from explorer.oauth.surroundings import browser_is_elsewhere
from explorer.oauth.ways import ways

HUB = {"JUPYTERHUB_SERVICE_PREFIX": "/user/ada/"}
BINDER = {"BINDER_REF_URL": "https://git.example/ada/lessons"}
SSH = {"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22", "DISPLAY": ":10"}
CODESPACES = {"CODESPACES": "true"}
CODE = {"authorization_endpoint": "https://login.example/authorize"}
DEVICE = {"device_authorization_endpoint": "https://login.example/device"}


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch):
    """The surroundings of a plain local notebook, wherever these tests run."""
    from explorer.oauth import surroundings

    for name in (*surroundings._HUB_VARIABLES, *surroundings._ELSEWHERE_VARIABLES, "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("endpoints", "environment", "expected"),
    [
        (CODE | DEVICE, {}, ("browser", "device", "paste")),
        (CODE, {}, ("browser", "paste")),
        (DEVICE, {}, ("device",)),
        (CODE | DEVICE, HUB, ("device", "paste")),
        (CODE | DEVICE, BINDER, ("device", "paste")),
        (CODE | DEVICE, SSH, ("device", "paste")),
        (CODE, SSH, ("paste",)),
        (CODE, HUB, ("paste",)),
        (CODE, CODESPACES, ("paste",)),
        (DEVICE, HUB, ("device",)),
    ],
)
def test_the_way_is_chosen_by_what_is_offered_and_where_the_kernel_runs(
    endpoints: dict[str, str], environment: dict[str, str], expected: tuple[str, ...]
):
    server = AuthorizationServer(issuer="https://login.example", token_endpoint="https://login.example/t", **endpoints)
    assert ways(server, environment) == expected


def test_a_server_for_machines_alone_is_said_to_be_one():
    server = AuthorizationServer(issuer="https://login.example", token_endpoint="https://login.example/t")
    with pytest.raises(OAuthConfigurationError, match=r"client_credentials\(\)"):
        ways(server, {})


@pytest.mark.parametrize("environment", [HUB, BINDER, SSH, CODESPACES, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}])
def test_a_kernel_elsewhere_is_known_by_its_variables(environment: dict[str, str]):
    assert browser_is_elsewhere(environment)
    assert not browser_is_elsewhere(dict.fromkeys(environment, "") | {"DISPLAY": ":0", "TERM": "xterm"})


def page_in(text: str) -> str:
    return next(word for word in text.split() if word.startswith("http"))


def callback(told: str, server: OddServer, **changed: str) -> str:
    """The address at which the browser ends, that nothing could load."""
    asked = {name: value for name, (value,) in parse_qs(urlsplit(page_in(told)).query).items()}
    answer = {"code": "the-code", "state": asked["state"], "iss": server.issuer} | changed
    return str(httpx.URL(asked["redirect_uri"], params=answer))


class Typist:
    """Sits at the masked prompt and gives one answer after the other; each may be made of what was told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: Callable[[str], str] | BaseException) -> None:
        self.told: list[str] = []
        self.prompts: list[str] = []
        self._answers = list(answers)
        monkeypatch.setattr("getpass.getpass", self._typed)

    def _typed(self, prompt: str = "", stream: object = None) -> str:
        self.prompts.append(prompt)
        answer = self._answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer(self.told[0])

    def show(self, text: str) -> None:
        self.told.append(text)


@pytest.mark.parametrize("environment", [{}, HUB])
def test_a_pasted_address_signs_in_and_pkce_is_still_checked(
    odd_server: OddServer, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    odd_server.publish(authorization_endpoint="https://login.example/authorize")
    typist = Typist(monkeypatch, lambda told: f"  {callback(told, odd_server)}\n")
    source = sign_in(odd_server.issuer, client_id="c", method="paste", show=typist.show, open_browser=False)
    assert source.token().access_token.reveal() == "an-access-token"
    (request,) = odd_server.asked("/token")
    asked = parse_qs(urlsplit(page_in(typist.told[0])).query)
    assert request.form["redirect_uri"] == asked["redirect_uri"][0]
    assert len(request.form["code_verifier"]) >= 43
    assert "copy all of it" in typist.told[0]
    assert "the-code" not in "".join(typist.told + typist.prompts)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda told, server: "",
        lambda told, server: "the-code",
        lambda told, server: callback(told, server, state="another"),
        lambda told, server: callback(told, server).replace("127.0.0.1", "192.0.2.7"),
        lambda told, server: callback(told, server).partition("&state")[0],
        lambda told, server: page_in(told),
        lambda told, server: callback(told, server) + "x" * 20_000,
    ],
)
def test_t3_what_is_not_the_answer_is_said_and_asked_for_again(
    odd_server: OddServer, monkeypatch: pytest.MonkeyPatch, wrong: Callable[[str, OddServer], str]
):
    asked_before: list[int] = []

    def right(told: str) -> str:
        asked_before.append(len(odd_server.asked("/token")))
        return callback(told, odd_server)

    typist = Typist(monkeypatch, lambda told: wrong(told, odd_server), right)
    sign_in(odd_server.issuer, client_id="c", method="paste", show=typist.show, open_browser=False).sign_out()
    assert asked_before == [0]
    assert len(odd_server.asked("/token")) == 1
    assert len(typist.told) == 2
    assert "the-code" not in "".join(typist.told)


def test_t5_a_pasted_answer_from_another_issuer_is_refused(odd_server: OddServer, monkeypatch: pytest.MonkeyPatch):
    typist = Typist(monkeypatch, lambda told: callback(told, odd_server, iss="https://mixed-up.example"))
    with pytest.raises(Exception, match="RFC 9207"):
        sign_in(odd_server.issuer, client_id="c", method="paste", show=typist.show, open_browser=False)
    assert odd_server.asked("/token") == []


def test_t4_a_pasted_denial_is_a_denial(odd_server: OddServer, monkeypatch: pytest.MonkeyPatch):
    typist = Typist(monkeypatch, lambda told: callback(told, odd_server, error="access_denied"))
    with pytest.raises(AccessDeniedError):
        sign_in(odd_server.issuer, client_id="c", method="paste", show=typist.show, open_browser=False)
    assert odd_server.asked("/token") == []


def test_wrong_addresses_are_not_asked_for_for_ever(odd_server: OddServer, monkeypatch: pytest.MonkeyPatch):
    typist = Typist(monkeypatch, *[lambda told: "x"] * 30)
    with pytest.raises(Exception, match="10 times"):
        sign_in(odd_server.issuer, client_id="c", method="paste", show=typist.show, open_browser=False)
    assert len(typist.prompts) == 10


@pytest.mark.parametrize("trouble", [NotImplementedError(), OSError("no terminal")])
def test_a_notebook_that_a_program_runs_is_told_of_the_steps(
    odd_server: OddServer, monkeypatch: pytest.MonkeyPatch, trouble: Exception
):
    typist = Typist(monkeypatch, trouble)
    with pytest.raises(ConfigurationError, match=r"flow\.paste"):
        sign_in(odd_server.issuer, client_id="c", method="paste", show=typist.show, open_browser=False)


def test_ctrl_c_at_the_prompt_ends_the_sign_in(odd_server: OddServer, monkeypatch: pytest.MonkeyPatch):
    typist = Typist(monkeypatch, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt) as caught:
        sign_in(odd_server.issuer, client_id="c", method="paste", show=typist.show, open_browser=False)
    assert len(caught.traceback) == 2


def never(_prompt: str = "", _stream: object = None) -> str:
    """A prompt at which nobody types; an interrupt alone ends it."""
    threading.Event().wait(60)
    raise AssertionError("nothing ended the prompt")


def test_the_prompt_ends_when_the_receiver_has_the_answer(odd_server: OddServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("getpass.getpass", never)

    told: list[str] = []

    def show(text: str) -> None:
        told.append(text)
        if len(told) == 1:
            threading.Thread(target=lambda: httpx.get(callback(text, odd_server), timeout=60)).start()

    source = sign_in(odd_server.issuer, client_id="c", method="paste", show=show, open_browser=False)
    assert source.state.phase == "fresh"
    assert "press Enter" in told[-1]


def test_the_prompt_ends_with_the_time(odd_server: OddServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("getpass.getpass", never)
    with pytest.raises(TimeoutError, match="Start the sign-in again"):
        sign_in(odd_server.issuer, client_id="c", method="paste", show=str, open_browser=False, timeout=0.2)


def test_without_a_terminal_nothing_is_typed_in_clear(monkeypatch: pytest.MonkeyPatch):
    def no_terminal(*_: object) -> int:
        raise OSError

    monkeypatch.setattr("os.open", no_terminal)
    monkeypatch.setattr("sys.stdin", None)
    assert not pasting.can_ask()
    monkeypatch.setattr("getpass.getpass", never)  # the twin: a kernel's own
    assert pasting.can_ask()


# A wrong guess


@pytest.mark.parametrize(
    "refusal", [error("unauthorized_client"), error("unsupported_grant_type"), error("invalid_request"), html(404)]
)
def test_a_device_endpoint_that_is_not_for_us_leads_to_the_next_way(
    odd_server: OddServer, monkeypatch: pytest.MonkeyPatch, refusal: Reply
):
    monkeypatch.setenv("SSH_CONNECTION", SSH["SSH_CONNECTION"])
    odd_server.answer("/device", refusal)
    typist = Typist(monkeypatch, lambda _: callback(typist.told[1], odd_server))
    sign_in(odd_server.issuer, client_id="c", show=typist.show, open_browser=False).sign_out()
    assert "the next way is tried: method='paste'" in typist.told[0]


@pytest.mark.parametrize("code", ["invalid_client", "invalid_scope"])
def test_what_is_wrong_in_every_way_is_raised_at_once(
    odd_server: OddServer, monkeypatch: pytest.MonkeyPatch, code: str
):
    monkeypatch.setenv("SSH_CONNECTION", SSH["SSH_CONNECTION"])
    odd_server.answer("/device", error(code))
    typist = Typist(monkeypatch)
    with pytest.raises(OAuthConfigurationError, match=code):
        sign_in(odd_server.issuer, client_id="c", show=typist.show, open_browser=False)
    assert typist.told == []


def test_a_way_that_was_asked_for_by_name_is_the_only_one(odd_server: OddServer):
    odd_server.answer("/device", error("unauthorized_client"))
    with pytest.raises(OAuthConfigurationError, match="unauthorized_client"):
        sign_in(odd_server.issuer, client_id="c", method="device", show=str, open_browser=False)


def test_a_client_that_may_not_use_the_code_grant_is_offered_a_device_code(
    odd_server: OddServer, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
):
    odd_server.answer(
        "/device", Reply({"device_code": "d", "user_code": "WDJB", "verification_uri": odd_server.origin})
    )
    told: list[str] = []

    def show(text: str) -> None:
        told.append(text)
        if len(told) == 1:
            httpx.get(callback(text, odd_server, error="unauthorized_client"), timeout=60)
        if len(told) == 3:
            threading.Thread(target=lambda: clock.advance(clock.until_somebody_waits(shorter_than=6))).start()

    odd_server.answer("/token", bearer("by-device"))
    source = sign_in(odd_server.issuer, client_id="c", show=show, open_browser=False, clock=clock)
    assert source.token().access_token.reveal() == "by-device"
    assert "the next way is tried: method='device'" in told[1]


def test_a_browser_that_cannot_come_back_is_told_of_the_other_ways_in_seconds(
    odd_server: OddServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(interactive, "_PATIENCE", 0.05)
    monkeypatch.setattr(interactive, "asked_elsewhere", lambda: False)  # a terminal; a notebook has a test of its own
    typist = Typist(monkeypatch, lambda told: callback(told, odd_server))
    sign_in(odd_server.issuer, client_id="c", show=typist.show, open_browser=False).sign_out()
    assert "copy the whole address" in typist.told[1]


def test_with_nobody_at_the_prompt_the_receiver_is_still_waited_for(
    odd_server: OddServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(interactive, "_PATIENCE", 0.05)
    monkeypatch.setattr(interactive, "asked_elsewhere", lambda: False)
    typist = Typist(monkeypatch, NotImplementedError())

    def show(text: str) -> None:
        typist.show(text)
        if len(typist.told) == 2:
            threading.Thread(target=lambda: httpx.get(callback(typist.told[0], odd_server), timeout=60)).start()

    sign_in(odd_server.issuer, client_id="c", show=show, open_browser=False).sign_out()


def test_a_browser_asked_for_by_name_is_left_in_peace_and_told(odd_server: OddServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(interactive, "_PATIENCE", 0.05)
    typist = Typist(monkeypatch)

    def show(text: str) -> None:
        typist.show(text)
        if len(typist.told) == 2:
            threading.Thread(target=lambda: httpx.get(callback(typist.told[0], odd_server), timeout=60)).start()

    sign_in(odd_server.issuer, client_id="c", method="browser", show=show, open_browser=False).sign_out()
    assert "method='device' or method='paste'" in typist.told[1]
    assert typist.prompts == []


@pytest.mark.parametrize("method", [None, "paste"])
def test_a_port_that_is_taken_leads_to_the_next_way(
    odd_server: OddServer, monkeypatch: pytest.MonkeyPatch, method: str | None
):
    odd_server.publish(device_authorization_endpoint=None)
    typist = Typist(monkeypatch, lambda _: callback(typist.told[-1], odd_server))
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        uri = f"http://localhost:{other.getsockname()[1]}/callback"
        settings = {"client_id": "c", "redirect_uri": uri, "show": typist.show, "open_browser": False}
        with pytest.raises(ConfigurationError, match="method='paste'"):
            sign_in(odd_server.issuer, method="browser", **settings)
        sign_in(odd_server.issuer, method=method, **settings).sign_out()
    assert odd_server.asked("/token")[0].form["redirect_uri"] == uri


def test_an_https_redirect_uri_is_pasted(odd_server: OddServer, monkeypatch: pytest.MonkeyPatch):
    odd_server.publish(device_authorization_endpoint=None)
    typist = Typist(monkeypatch, lambda told: callback(told, odd_server))
    settings = {"client_id": "c", "redirect_uri": "https://app.example/done", "show": typist.show}
    with pytest.raises(ConfigurationError, match=r"app\.example.*method='paste'"):
        sign_in(odd_server.issuer, method="browser", open_browser=False, **settings)
    typist.told.clear()
    sign_in(odd_server.issuer, open_browser=False, **settings).sign_out()
    assert odd_server.asked("/token")[0].form["redirect_uri"] == "https://app.example/done"
