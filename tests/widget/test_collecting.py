"""Call for each …: from a source in the notebook to rows that are kept, over real servers."""

from __future__ import annotations

import ast
import base64
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from grpc_servers import GrpcServer, Reflected
from person import Person
from schemas import SHOP, raw_files
from widget_ear import GET_USER, LIST_USERS, Ear

import explorer
from explorer.widget.model import Model
from explorer.widget.place import demo_place
from explorer.widget.running_view import LIVE_ROWS, time_left

LIST, GET = "shop.v1.Shop.List", "shop.v1.Shop.Get"
PATIENCE = 120.0  # seconds: only a test that fails waits so long
IDS = [f"user{number}" for number in range(1, 41)]


class Polar:
    """A table as Polars has one: it gives itself as Arrow's, and says what its columns are."""

    def __init__(self, ids: list[str]) -> None:
        self._table = pa.table({"id": ids})
        self.columns, self.dtypes, self.height = ["id"], ["String"], len(ids)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._table.__arrow_c_stream__(requested_schema)


@pytest.fixture
def names() -> dict[str, Any]:
    """What the notebook has named."""
    return {
        "ids": list(IDS),
        "frame": pd.DataFrame({"user_id": IDS, "colour": "red"}),
        "people": pd.DataFrame({"id": ["user1", "nobody"]}, index=[7, 9]),
        "series": pd.Series(IDS[:3]),
        "whole": [{"user_id": "user1"}, {"user_id": "user2"}],
        "text": "no source",
    }


@pytest.fixture
def ear(demo, names: dict[str, Any]) -> Iterator[Ear]:
    tokens = explorer.oauth.client_credentials(
        demo.issuer, client_id="service", client_secret="service-secret", scope="read:users"
    )
    with explorer.connect(demo.target, token_source=tokens, root_certificates=demo.root_certificates) as session:
        model = Model(session=session, names=lambda: names)
        try:
            heard = Ear(model)
            model.start()
            heard.open()
            yield heard
        finally:
            model.close()


def collect(ear: Ear, source: dict[str, Any], *, method: str = GET_USER, request: str = "{}", **more: Any) -> None:
    ear.forget()
    content = {"command": "collect", "method": method, "request": request, "timeout": 30, "metadata": []}
    ear.model.command({**content, "source": source, "settings": {"concurrency": "8"}, **more})


def ended(ear: Ear) -> dict[str, Any]:
    """The run as it is drawn at its end."""
    ear.until(lambda: not ear.model.state["collecting"] and ear.model.state["run"]["code"])
    return ear.model.state["run"]


def refused(ear: Ear) -> str:
    ear.until(lambda: any(name == "sources" and "problem" in value for name, value in ear.heard))
    ear.until(lambda: not ear.model.state["collecting"])
    return str(next(value["problem"]["sentence"] for name, value in ear.heard if name == "sources"))


def told(ear: Ear, **content: Any) -> dict[str, Any]:
    ear.forget()
    ear.model.command({"method": GET_USER, **content})
    return ear.message("sources")


def result(code: str, ear: Ear, **names: Any) -> pd.DataFrame:
    """What the text gives, run as a cell of the notebook that made the widget."""
    tree = ast.parse(code.split("explorer.explore\n")[1])
    last = tree.body.pop()
    assert isinstance(last, ast.Expr)
    known = {"session": ear.model.session, **names}
    exec(compile(tree, "cell", "exec"), known)
    frame: pd.DataFrame = eval(compile(ast.Expression(last.value), "cell", "eval"), known)
    return frame


def rows(ear: Ear) -> pd.DataFrame:
    return ear.model.calling.responses.frame()


def asked(demo) -> int:
    """How often GetUser was called, by the server's own count."""
    counted = demo.counters()["methods"].items()
    return sum(count for what, count in counted if what.startswith("/UserService/GetUser "))


# What is offered


def test_the_names_that_could_be_requests_are_offered_and_how_they_fit(ear: Ear, names: dict[str, Any]) -> None:
    seen = told(ear, command="sources")
    assert [(one["name"], one["kind"], one["rows"]) for one in seen["names"]] == [
        ("whole", "requests", 2),
        ("series", "Series", 3),
        ("frame", "DataFrame", 40),
        ("ids", "values", 40),
        ("people", "DataFrame", 2),
    ]
    names.update(arrow=pa.table(names["frame"]), reader=pa.table({"x": [1]}).to_reader(), polar=Polar(IDS))
    offered = {one["name"]: one for one in told(ear, command="sources")["names"]}
    assert [(offered[name]["kind"], offered[name]["rows"]) for name in ("arrow", "reader", "polar")] == [
        *(("table", 40), ("table", None), ("table", 40)),
    ]
    assert [(column["name"], column["dtype"]) for column in offered["polar"]["columns"]] == [("id", "String")]
    assert seen["fields"] == ["user_id"]
    [frame] = [one for one in seen["names"] if one["name"] == "frame"]
    assert [(column["name"], column["field"]) for column in frame["columns"]] == [
        ("user_id", "user_id"),
        ("colour", ""),
    ]
    assert "red" not in str(seen)


def test_a_file_is_looked_into_by_its_path_or_through_the_page(ear: Ear, tmp_path: Path) -> None:
    (tmp_path / "ids.csv").write_text("user_id,colour\nuser1,red\nuser2,red\n")
    by_path = told(ear, command="look_into", path=str(tmp_path / "ids.csv"))["file"]
    assert (by_path["rows"], [column["field"] for column in by_path["columns"]]) == (2, ["user_id", ""])
    data = base64.b64encode((tmp_path / "ids.csv").read_bytes()).decode()
    assert told(ear, command="look_into", name="ids.csv", data=data)["file"] == by_path
    assert "none.csv" in told(ear, command="look_into", path="none.csv")["file"]["problem"]
    broken = told(ear, command="look_into", name="mine.json", data=base64.b64encode(b"[").decode())["file"]["problem"]
    assert broken.startswith("mine.json is no json file")
    assert told(ear, command="look_into", path=" ")["file"]["problem"] == "Write the path of a file, or choose one."


# From click to rows


def test_a_frame_becomes_rows_and_a_line_of_history_and_the_python_that_does_the_same(ear: Ear, names: Any) -> None:
    collect(ear, {"kind": "name", "name": "frame", "columns": {"0": "user_id"}})
    run = ended(ear)
    assert (run["state"], run["badge"], run["tone"], run["fraction"]) == ("done", "done", "good", 1.0)
    assert run["facts"].startswith("40 requests")
    assert [column["name"] for column in run["table"]["columns"]] == [
        *("request.user_id", "id", "name", "status_code", "elapsed"),
    ]
    assert (len(run["table"]["rows"]), run["table"]["total"]) == (LIVE_ROWS, 40)
    assert run["table"]["columns"][-1]["dtype"] == "s"
    ear.until(lambda: ear.model.state["rows"] == 40)
    assert ear.model.calling.responses.table().schema.field("elapsed").metadata == {b"unit": b"s"}
    assert rows(ear)["id"].tolist() == IDS
    assert rows(ear)["method"].unique().tolist() == [GET_USER]
    assert ear.model.archive.frame()[["method", "requests", "status_code"]].values.tolist() == [[GET_USER, 40, "OK"]]
    assert ear.model.collecting.run.frame()["request.user_id"].tolist() == IDS
    assert run["code"] == ear.model.code
    assert run["code"].endswith('session["UserService.GetUser"].options(concurrency=8).collect(frame[["user_id"]])\n')
    again = result(run["code"], ear, **names)
    assert again["id"].tolist() == IDS


@pytest.mark.parametrize(
    ("source", "written", "count"),
    [
        ({"kind": "name", "name": "ids", "field": "user_id"}, "collect(user_id=ids)", 40),
        ({"kind": "name", "name": "series", "field": "user_id"}, "collect(user_id=series)", 3),
        ({"kind": "name", "name": "whole"}, "collect(whole)", 2),
        (
            {"kind": "name", "name": "people", "columns": {"0": "user_id"}},
            'collect(people.rename(columns={"id": "user_id"}))',
            2,
        ),
        (
            {"kind": "name", "name": "frame", "columns": {"0": "", "1": "user_id"}},
            'collect(frame[["colour"]].rename(columns={"colour": "user_id"}))',
            40,
        ),
        ({"kind": "name", "name": "arrow", "columns": {"0": "user_id"}}, "collect(arrow)", 3),
        (
            {"kind": "name", "name": "batch", "columns": {"1": "user_id"}},
            'collect(pa.table(batch).to_pandas(types_mapper=pd.ArrowDtype)[["id"]].rename(columns={"id": "user_id"}))',
            2,
        ),
        (
            {"kind": "name", "name": "polar", "columns": {"0": "user_id"}},
            'collect(pa.table(polar).to_pandas(types_mapper=pd.ArrowDtype).rename(columns={"id": "user_id"}))',
            2,
        ),
        ({"kind": "name", "name": "array", "field": "user_id"}, "collect(user_id=array)", 2),
        ({"kind": "lines", "text": "user1\n\n user2 \n", "field": "user_id"}, 'collect(user_id=["user1", "user2"])', 2),
    ],
    ids=lambda one: one.get("name", "lines") if isinstance(one, dict) else "",
)
def test_every_source_and_its_python_send_the_same(
    ear: Ear, names: Any, source: dict[str, Any], written: str, count: int
) -> None:
    frame = pd.DataFrame({"colour": ["red", "blue"], "id": IDS[:2]}, index=pd.Index([7, 9], name="key"))
    names.update(arrow=pa.table({"user_id": IDS[:3]}), batch=pa.RecordBatch.from_pandas(frame), polar=Polar(IDS[:2]))
    names.update(array=pa.array(IDS[:2]))
    collect(ear, source)
    code = ended(ear)["code"]
    ear.until(lambda: ear.model.state["rows"] == count)
    assert written in "".join(line.strip() for line in code.splitlines()).replace(",)", ")").replace(",}", "}")
    again = result(code, ear, **names)
    sent = rows(ear)["request.user_id"].tolist()
    assert again["request.user_id"].tolist() == sent
    assert source.get("name") != "batch" or again.index.to_frame()["key"].tolist() == [7, 9], "the index is kept"


def test_files_by_path_and_through_the_page(ear: Ear, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame({"user_id": IDS[:2]})
    frame.to_csv("ids.csv", index=False)
    frame.to_parquet("ids.parquet")
    frame.to_json("ids.jsonl", orient="records", lines=True)
    for name in ("ids.csv", "ids.parquet", "ids.jsonl"):
        data = base64.b64encode(Path(name).read_bytes()).decode()
        for source in ({"path": name}, {"name": name, "data": data}):
            collect(ear, {"kind": "file", **source})
            run = ended(ear)
            assert run["facts"].startswith("2 requests")
            assert len(result(run["code"], ear)) == 2
            ear.model.command({"command": "close_run"})
    assert len(rows(ear)) == 12


def test_more_lines_than_can_be_written_out_are_had_from_the_widget(ear: Ear) -> None:
    collect(ear, {"kind": "lines", "text": "\n".join(IDS * 3), "field": "user_id"})
    assert "collect(user_id=widget.lines)" in ended(ear)["code"]
    assert ear.model.collecting.lines == IDS * 3


def test_what_the_form_holds_goes_with_every_row_and_gives_way_to_a_column(ear: Ear, names: Any) -> None:
    names["pages"] = pd.DataFrame({"limit": [1, 2]})
    source = {"kind": "name", "name": "pages", "columns": {"0": "limit"}}
    collect(ear, source, method=LIST_USERS, request='{"offset": 7, "limit": 99}')
    run = ended(ear)
    assert run["code"].endswith("collect(pages, offset=7)\n")
    assert run["facts"].startswith("2 requests · 3 rows")
    ear.until(lambda: ear.model.state["rows"] == 3)
    assert rows(ear)[["request.offset", "request.limit"]].values.tolist() == [[7, 1], [7, 2], [7, 2]]


def test_an_error_is_a_row_and_counted(ear: Ear) -> None:
    collect(ear, {"kind": "name", "name": "people", "columns": {"0": "user_id"}})
    run = ended(ear)
    assert "1 error" in run["facts"]
    assert run["state"] == "done"
    assert "details" in [column["name"] for column in run["table"]["columns"]]
    ear.until(lambda: ear.model.state["rows"] == 2)
    assert rows(ear)["status_code"].tolist() == ["OK", "NOT_FOUND"]


def test_an_error_that_is_to_end_the_run_ends_it_with_a_sentence_and_the_rows(ear: Ear) -> None:
    settings = {"concurrency": "1", "errors": "raise"}
    collect(ear, {"kind": "name", "name": "people", "columns": {"0": "user_id"}}, settings=settings)
    run = ended(ear)
    assert (run["state"], run["badge"], run["tone"]) == ("failed", "failed", "bad")
    assert run["why"]["title"] == "The run ended before its time."
    assert "nobody" in run["why"]["sentence"][0]
    assert 'on_error="raise"' in run["code"]
    ear.until(lambda: ear.model.state["rows"] == 2)


def test_a_folder_and_a_rate_are_options_like_any(ear: Ear, tmp_path: Path) -> None:
    settings = {"concurrency": "4", "rate": "5000", "into": str(tmp_path / "users")}
    collect(ear, {"kind": "name", "name": "series", "field": "user_id"}, settings=settings)
    assert "rate=5000" in ended(ear)["code"]
    assert list((tmp_path / "users").glob("*.parquet"))


# What cannot be sent


@pytest.mark.parametrize(
    ("source", "more", "sentence"),
    [
        ({"kind": "name", "name": "gone"}, {}, "There is no gone any more"),
        ({"kind": "name", "name": "frame", "columns": {}}, {}, "No column of frame is sent"),
        ({"kind": "name", "name": "frame", "columns": {"7": "user_id"}}, {}, "has other columns by now"),
        ({"kind": "name", "name": "frame", "columns": {"0": "user_id", "1": "user_id"}}, {}, "Two columns"),
        ({"kind": "name", "name": "twice", "columns": {"0": "user_id"}}, {}, "has the column x more than once"),
        ({"kind": "name", "name": "ids"}, {}, "Choose which field of GetUserRequest"),
        ({"kind": "name", "name": "whole"}, {"request": '{"user_id": "x"}'}, "cannot go with whole requests"),
        ({"kind": "lines", "text": " \n", "field": "user_id"}, {}, "no line yet"),
        ({"kind": "file", "path": "none.csv"}, {}, "none.csv cannot be read"),
        ({"kind": "file", "name": "a.csv", "data": "bm8KMQo="}, {}, "no of a.csv is no field of GetUserRequest"),
        ({"kind": "file", "name": "a.csv", "data": "#"}, {}, "did not arrive whole"),
        (
            {"kind": "name", "name": "series", "field": "user_id"},
            {"settings": {"rate": "fast"}},
            "The rate is a number",
        ),
        (
            {"kind": "name", "name": "series", "field": "user_id"},
            {"settings": {"concurrency": "0"}},
            "concurrency is 1",
        ),
        ({"kind": "name", "name": "series", "field": "user_id"}, {"request": "{"}, "not JSON"),
        ({"kind": "name", "name": "numbers", "field": "user_id"}, {}, "Row 1"),
    ],
)
def test_what_cannot_be_sent_is_said_before_anything_is(
    ear: Ear, demo, names: Any, source: dict[str, Any], more: dict[str, Any], sentence: str
) -> None:
    names["numbers"] = ["user1", 7.5]
    names["twice"] = pd.DataFrame([["a", "b"]], columns=["x", "x"])
    before = asked(demo)
    collect(ear, source, **more)
    assert sentence in refused(ear)
    assert asked(demo) == before
    assert (ear.model.state["run"]["state"], ear.model.state["rows"]) == ("none", 0)


def test_a_list_in_the_form_is_one_value_for_all_rows(serve: Callable[..., GrpcServer]) -> None:
    from schemas import pool_of
    from widget_front import FORM

    from explorer.errors import RequestError
    from explorer.widget.sources import Source, with_form

    takes = pool_of(form=FORM).FindMessageTypeByName("test.Everything")
    with pytest.raises(RequestError, match="tags is a list of lists"):
        with_form(Source(), '{"tags": [["a"]]}', takes)
    assert with_form(Source(), '{"places": [{"city": "x"}]}', takes).columns["places"] == [{"city": "x"}]
    assert with_form(Source(), '{"tags": ["a", "b"], "plain_text": "x"}', takes).columns["tags"] == ["a", "b"]


@pytest.mark.parametrize(
    ("source", "sent"),
    [
        ({"kind": "lines", "field": "tags", "text": "a\n123\nnull\n"}, [["a"], ["123"], ["null"]]),
        ({"kind": "lines", "field": "tags", "text": '["a", "b"]\r\n[]\r\n[x\r\n'}, [["a", "b"], [], ["[x"]]),
        ({"kind": "lines", "field": "roles", "text": "ROLE_ADMIN\n"}, [[3]]),
        ({"kind": "lines", "field": "plain_text", "text": "a\u2028b\n"}, ["a\u2028b"]),
        ({"kind": "name", "field": "tags", "name": "texts"}, [["x"], ["y"]]),
        ({"kind": "name", "field": "tags", "name": "array"}, [["x"], ["y"]]),
        ({"kind": "name", "field": "tags", "name": "lists"}, [["x", "y"], ["z"]]),
        ({"kind": "name", "field": "plain_text", "name": "array"}, ["x", "y"]),
    ],
)
def test_a_line_and_a_value_is_a_request_each_also_where_the_field_takes_a_list(source: Any, sent: list[Any]) -> None:
    from google.protobuf.message_factory import GetMessageClass
    from schemas import pool_of
    from widget_front import FORM

    from explorer.frames import read_requests
    from explorer.texts.literals import written
    from explorer.widget.sources import source_of

    takes = pool_of(form=FORM).FindMessageTypeByName("test.Everything")
    names = {"texts": ["x", "y"], "array": np.array(["x", "y"]), "lists": [["x", "y"], ["z"]]}
    given = source_of(source, takes, names)
    again = {name: eval(written(value), names) for name, value in given.columns_written.items()}
    for columns in (given.columns, again):
        messages = [GetMessageClass(takes).FromString(each) for each in read_requests(takes, None, columns).data]
        values = [getattr(message, source["field"]) for message in messages]
        assert [value if isinstance(value, str) else list(value) for value in values] == sent


# While it goes on


class Shop:
    """A server that answers the first so many calls, and the rest only when it is let."""

    def __init__(self, serve: Callable[..., GrpcServer], answers: int) -> None:
        self.go, self.seen, self.lock = threading.Event(), 0, threading.Lock()
        self.waiting = threading.Semaphore(0)
        self.answers = answers
        served = Reflected(raw_files(shop=SHOP), ["shop.v1.Shop"])
        self.server = serve(reflection=served, unary={"/shop.v1.Shop/Get": self.get})

    def get(self, request: bytes, _context: grpc.ServicerContext) -> bytes:
        with self.lock:
            self.seen += 1
            waits = self.seen > self.answers
        if waits:
            self.waiting.release()
            self.go.wait(PATIENCE)
        return request


@pytest.fixture
def shop(serve: Callable[..., GrpcServer]) -> Iterator[Callable[..., tuple[Shop, Ear]]]:
    opened: list[tuple[Shop, explorer.Session, Model]] = []

    def make(answers: int) -> tuple[Shop, Ear]:
        here = Shop(serve, answers)
        session = explorer.connect(here.server.target, plaintext=True)
        model = Model(session=session, names=lambda: {"ids": [f"n{number}" for number in range(30)]})
        opened.append((here, session, model))
        ear = Ear(model)
        model.start()
        ear.open()
        return here, ear

    yield make
    for here, session, model in opened:
        here.go.set()
        model.close()
        session.close()


def begin(ear: Ear, at_once: int = 2) -> None:
    source = {"kind": "name", "name": "ids", "field": "id"}
    collect(ear, source, method=GET, settings={"concurrency": str(at_once)})


def test_it_is_drawn_while_it_goes_on_and_stopped_it_keeps_what_is_there(shop) -> None:
    here, ear = shop(10)
    begin(ear)
    ear.until(lambda: ear.model.state["run"]["facts"].startswith("10 of 30"))
    run = ear.model.state["run"]
    assert (run["state"], run["badge"]) == ("running", "running")
    assert run["fraction"] == pytest.approx(1 / 3, abs=0.001)
    assert (len(run["table"]["rows"]), run["table"]["total"]) == (LIVE_ROWS, 10)
    assert (ear.model.state["rows"], ear.model.state["coming"]) == (0, 10)
    assert ear.model.state["collecting"]
    ear.model.command({"command": "stop_run"})
    run = ended(ear)
    here.go.set()
    assert (run["state"], run["badge"], run["tone"]) == ("cancelled", "stopped", "late")
    assert run["facts"] == "10 of 30"
    assert {row[-2] for row in run["table"]["rows"]} == {"OK"}, "what was never asked is not drawn"
    ear.until(lambda: ear.model.state["rows"] == 30)
    assert ear.model.state["coming"] == 0
    assert rows(ear)["status_code"].value_counts().to_dict() == {"CANCELLED": 20, "OK": 10}
    ear.model.command({"command": "close_run"})
    assert ear.model.state["run"]["state"] == "none"


def test_how_a_run_ended_is_one_event_of_the_tokens_life_beside_the_calls(shop) -> None:
    here, ear = shop(10)
    begin(ear)
    ear.until(lambda: ear.model.state["run"]["facts"].startswith("10 of 30"))
    ear.model.command({"command": "stop_run"})
    ended(ear)
    here.go.set()
    assert ear.call(GET, '{"id": "a"}')["badge"] == "OK"
    begin(ear)
    ended(ear)
    ear.forget()
    ear.model.command({"command": "details", "open": True})
    events = ear.message("details")["events"]
    assert [event["kind"] for event in events] == ["call"] * 3
    stopped, called, done = events
    assert (stopped["sentence"], stopped["good"]) == ("Get: stopped, 10 of 30", False)
    assert called["sentence"].startswith("Get: OK, ")
    assert (done["sentence"].startswith("Get: done, 30 requests"), done["good"]) == (True, True)


def test_it_rests_and_goes_on(shop) -> None:
    here, ear = shop(10)
    begin(ear)
    ear.until(lambda: ear.model.state["run"]["facts"].startswith("10 of 30"))
    for _ in range(2):
        assert here.waiting.acquire(timeout=PATIENCE)
    ear.model.command({"command": "pause"})
    ear.until(lambda: ear.model.state["run"]["state"] == "paused")
    assert "/s" not in ear.model.state["run"]["facts"]
    here.go.set()
    ear.until(lambda: ear.model.collecting.run.progress.done >= 12)
    assert ear.model.collecting.run.progress.done == 12, "what was under way is answered, and nothing more is sent"
    ear.model.command({"command": "resume"})
    assert ended(ear)["state"] == "done"
    ear.until(lambda: ear.model.state["rows"] == 30)


def test_one_run_at_a_time_and_a_single_call_beside_it(shop) -> None:
    here, ear = shop(10)
    begin(ear)
    ear.until(lambda: ear.model.state["run"]["facts"].startswith("10 of 30"))
    first = ear.model.collecting.run
    begin(ear)
    here.go.set()
    ended(ear)
    assert ear.model.collecting.run is first
    assert ear.call(GET, '{"id": "a"}')["badge"] == "OK"
    assert ear.model.state["run"]["state"] == "none", "another answer is looked at now"


def test_few_redraws_however_fast_it_is(shop) -> None:
    from explorer.widget.collecting import _REDRAW_EVERY

    assert _REDRAW_EVERY >= 0.2
    _, ear = shop(10_000)
    begin(ear)
    ended(ear)
    drawn = [value for name, value in ear.heard if name == "run"]
    assert all(len(value["table"]["rows"]) <= LIVE_ROWS for value in drawn if value["table"])


def test_rows_that_cannot_be_read_are_a_sentence_and_no_button_stays_stuck(shop, monkeypatch) -> None:
    here, ear = shop(10)
    begin(ear)
    ear.until(lambda: ear.model.state["run"]["facts"].startswith("10 of 30"))

    def broken() -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(ear.model.collecting.run, "frame", broken)
    here.go.set()
    run = ended(ear)
    assert (run["state"], run["why"]["title"]) == ("failed", "The run cannot be shown.")
    assert "the disk is gone" in run["why"]["sentence"][0]
    assert ear.model.state["coming"] == 0
    assert not ear.model.state["collecting"]


def test_closing_the_widget_ends_the_run_and_no_thread_stays(shop) -> None:
    here, ear = shop(10)
    begin(ear)
    ear.until(lambda: ear.model.state["run"]["facts"].startswith("10 of 30"))
    run = ear.model.collecting.run
    ear.model.close()
    assert run.has_ended(PATIENCE)
    assert run.state == "cancelled"
    here.go.set()
    for thread in ear.model._worker._threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


# A person is needed in the middle


def sign_in(ear: Ear, demo, command: str = "sign_in") -> None:
    ear.forget()
    ear.model.command({"command": command, "method": "browser"})
    with Person(demo) as somebody:
        somebody.sign_in_at(ear.message("page")["url"], "ada", follow=True)
    ear.until(lambda: not ear.model.state["shut"] and ear.model.state["account"]["person"] == "ada")


def test_a_sign_in_in_the_middle_is_asked_for_and_the_run_goes_on(demo_factory) -> None:
    demo = demo_factory()
    model = Model(demo_place(demo), names=lambda: {"ids": IDS * 5})
    try:
        ear = Ear(model)
        model.start()
        sign_in(ear, demo)
        session = model.session
        settings = {"concurrency": "1", "rate": "40"}
        collect(ear, {"kind": "name", "name": "ids", "field": "user_id"}, settings=settings)
        ear.until(lambda: model.collecting.run is not None and model.collecting.run.progress.done > 0)
        model.command({"command": "pause"})  # so that it cannot end before the token does
        assert not model.collecting.run.has_ended()
        demo.kill_refresh_tokens("notebook")
        demo.advance(400)
        model.command({"command": "resume"})
        ear.until(lambda: model.state["run"]["state"] == "waiting")
        run = model.state["run"]
        assert run["badge"] == "waiting for a sign-in"
        assert run["why"]["title"] == "The token has ended."
        assert run["why"]["action"]["command"] == "sign_in_again"
        model.command({"command": run["why"]["action"]["command"]})
        assert ear.until_gate("sign in")["leave"]
        sign_in(ear, demo)
        assert model.session is session, "the run goes on over what it began with"
        ear.until(lambda: model.state["run"]["state"] == "running")
        run = ended(ear)
        assert (run["state"], run["fraction"]) == ("done", 1.0)
        ear.until(lambda: model.state["rows"] == 200)
        assert set(rows(ear)["status_code"]) == {"OK"}
        assert rows(ear)["id"].tolist() == IDS * 5
    finally:
        model.close()


def test_signing_out_ends_the_run_and_keeps_its_rows(demo_factory) -> None:
    demo = demo_factory()
    model = Model(demo_place(demo), names=lambda: {"ids": IDS * 50})
    try:
        ear = Ear(model)
        model.start()
        sign_in(ear, demo)
        settings = {"concurrency": "1", "rate": "40"}
        collect(ear, {"kind": "name", "name": "ids", "field": "user_id"}, settings=settings)
        ear.until(lambda: model.collecting.run is not None and model.collecting.run.progress.done > 0)
        model.command({"command": "sign_out"})
        run = ended(ear)
        assert run["state"] == "cancelled"
        ear.until_gate("sign in")
        ear.until(lambda: model.state["rows"] == 2000)
    finally:
        model.close()


def test_metadata_that_is_bound_is_sent_and_in_no_state(ear: Ear) -> None:
    collect(ear, {"kind": "name", "name": "series", "field": "user_id"}, metadata=[["x-api-key", "open sesame"]])
    run = ended(ear)
    assert 'os.environ["X_API_KEY"]' in run["code"]
    assert "open sesame" not in str(ear.heard)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (3.4, "3 s"), (89, "89 s"), (91, "2 min"), (3000, "50 min"), (7500, "2 h 5 min")],
)
def test_what_is_left_is_said_no_finer_than_it_is_known(seconds: float, words: str) -> None:
    assert time_left(seconds) == words
