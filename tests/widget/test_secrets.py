"""What a notebook would save of the widget: every synced trait of every part of it, live and closed."""

import base64
import gc
import json

import httpx
import pytest
from canary import found
from person import Person
from widget_ear import GET_USER, LIST_USERS, Ear

import explorer
from explorer.secret import Secret

LOOK_UP = "explorer.demo.v1.DirectoryService.LookUp"
METADATA_SECRET = "metadata-canary-0f1e2d3c"


def saved(widget):
    """The state as ipywidgets gives it to whoever saves a notebook, and what the cell's output holds."""
    parts = [widget, widget._frame, *widget._panels.values(), *(part.layout for part in widget._panels.values())]
    states = [part.get_state() for part in parts]
    outputs = widget._outputs()
    return json.dumps([states, outputs, repr(widget)], default=str).encode()


def living_secrets():
    """The values of all secrets that this process holds."""
    alive = [each.reveal() for each in gc.get_objects() if type(each) is Secret]
    return {value for value in alive if len(value) >= 16}


@pytest.fixture
def widget(demo, tmp_path):
    made = explorer.explore(demo, saved=tmp_path / "requests.json")
    yield made
    made.close()


def files_of(frame, folder):
    """What is written of rows that are taken out."""
    written = explorer.frames.to_csv(frame, folder / "rows.csv"), explorer.frames.to_parquet(frame, folder / "rows.pq")
    return [path.read_bytes() for path in written]


def test_t30_no_synced_trait_ever_holds_a_secret(widget, demo, tmp_path):
    ear = Ear(widget._model)
    secrets = set()
    pictures = [saved(widget)]
    ear.model.command({"command": "sign_in", "method": "browser"})
    url = ear.message("page")["url"]
    secrets |= living_secrets() | {url.partition("state=")[2].partition("&")[0]}
    pictures.append(saved(widget))
    with Person(demo) as person:
        callback = person.sign_in_at(url)
    secrets |= {callback.partition("code=")[2].partition("&")[0]}
    httpx.get(callback, trust_env=False, timeout=60)
    ear.open()
    ear.call(GET_USER, '{"user_id": "user123"}', metadata=[["x-api-key", METADATA_SECRET]])
    secrets |= living_secrets() | {METADATA_SECRET}
    pictures.append(saved(widget))
    for method in (LIST_USERS, LOOK_UP):
        metadata = [["x-raw-bin", base64.b64encode(METADATA_SECRET.encode()).decode()]]
        ear.model.command({"command": "send", "method": method, "request": "{}", "timeout": 30, "metadata": metadata})
        pictures.append(saved(widget))
        ear.model.command({"command": "half_close"})
        ear.until(lambda: not ear.model.state["busy"])
        pictures.append(saved(widget))
    ear.model.command({"command": "history", "open": True})
    number = ear.message("history")["calls"][-1]["number"]
    ear.model.command({"command": "save", "number": number, "name": "a call with a key"})
    ear.until(lambda: widget.saved.names)
    pictures += [
        json.dumps(ear.message("history")).encode(),
        widget.saved.path.read_bytes(),
        repr(widget.saved).encode(),
    ]
    pictures += [widget.history.to_csv().encode(), repr(widget.call).encode(), widget.call._repr_html_().encode()]
    pictures += [text.encode() for text in (widget.call.code, widget.call.stub_code, widget.call.grpcurl)]
    ear.model.command({"command": "table", "do": "open"})
    pictures += [json.dumps(ear.message("table")).encode(), saved(widget)]
    pictures += files_of(widget.shown, tmp_path)
    ear.model.command({"command": "sign_out"})
    ear.until_gate("sign in")
    widget.close()
    pictures.append(saved(widget))
    secrets = sorted(secret for secret in secrets if secret)
    assert len(secrets) >= 5  # verifier, state, code, access and refresh token, metadata
    for picture in pictures:
        assert found(secrets, picture) == []
    assert found(secrets, widget.code.encode()) == []
    assert found(secrets, widget.responses.to_csv().encode()) == []
    # ... and one that is planted is found.
    widget._panels["gate"].gate = {"kind": "wait", "title": secrets[0], "sentence": ""}
    assert found(secrets, saved(widget)) == [0]
    widget._panels["request"].flow = {"method": secrets[1]}
    assert found(secrets, saved(widget)) == [0, 1]


def test_a_reopened_notebook_says_what_is_not_live(widget):
    view, note = widget._outputs()
    assert "application/vnd.jupyter.widget-view+json" in view
    assert "not live" in note["text/html"]
    assert "not live" in widget._panels["tree"]._repr_mimebundle_()[0]["text/html"]


def test_metadata_of_an_answer_is_masked_unless_it_is_harmless():
    from explorer.widget.answers import metadata_of

    pairs = [("content-type", "application/grpc"), ("set-cookie", "a=b"), ("x-bin", b"\x00")]
    assert metadata_of(pairs) == [["content-type", "application/grpc"], ["set-cookie", None], ["x-bin", None]]
