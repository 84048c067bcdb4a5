"""The form of a request five messages deep with 200 fields in each, drawn in Chromium with all of them open."""

import contextlib
import shutil
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

from benchmarks.figure import CountedFigure, CountedPeer, CountedSide, Tally, World
from explorer.widget import assets
from explorer.widget.form import types_of

WIDE, DEEP = 200, 5
RUNS = 3
STATIC = Path(__file__).parents[2] / "explorer" / "widget" / "static"
PAGE = (Path(__file__).parents[2] / "tests" / "widget" / "stub.html").read_text()
KINDS = (Field.TYPE_STRING, Field.TYPE_INT64, Field.TYPE_BOOL, Field.TYPE_DOUBLE, Field.TYPE_BYTES)
BARE = """
    const names = Array.from({length: %d}, (_, at) => `field_${at}`);
    document.querySelector('.ge-request').replaceChildren(...names.map((name) => {
      const label = document.createElement('label');
      label.append(name, document.createElement('input'));
      return label;
    }));
"""


@contextlib.contextmanager
def world() -> Iterator[World]:
    """The method that takes such a message, and a request that opens all of it."""
    file = descriptor_pb2.FileDescriptorProto(name="wide.proto", package="wide", syntax="proto3")
    for level in range(DEEP):
        message = file.message_type.add(name=f"Level{level}")
        for number in range(1, WIDE + (level + 1 == DEEP)):
            kind = KINDS[number % len(KINDS)]
            label = Field.LABEL_REPEATED if number % 7 == 0 else Field.LABEL_OPTIONAL
            message.field.add(name=f"field_{number}", number=number, type=kind, label=label)
        if level + 1 < DEEP:
            inner, label = f".wide.Level{level + 1}", Field.LABEL_OPTIONAL
            message.field.add(name="next", number=WIDE, type=Field.TYPE_MESSAGE, type_name=inner, label=label)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    root = pool.FindMessageTypeByName("wide.Level0")
    names = {f"{side}_{part}": "wide.Level0" for side in ("request", "response") for part in ("type", "full_name")}
    method = {"name": "wide.Service.Take", "label": "Take", "problem": "", "help": "", "timeout": 30, **names}
    opened = '{"next":' * (DEEP - 1) + "{}" + "}" * (DEEP - 1)
    yield {"method": {**method, "types": types_of(root, {}, at_once=WIDE * DEEP)}, "request": opened}


def drawing(world: World, how: Callable[[Any], object]) -> Iterator[Callable[[], Tally]]:
    """Milliseconds of the page's own thread, so that a busy machine changes little: the median of some pages."""
    from playwright.sync_api import sync_playwright  # every figure's process reads this file

    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        esm = assets.module("request")
        css = "".join((STATIC / f"{name}.css").read_text() for name in ("explorer", "request", "form"))

        def once() -> float:
            page = chromium.new_page(viewport={"width": 1280, "height": 900})
            page.set_content(PAGE)
            state = {"method": world["method"], "busy": False, "problems": {}}
            page.evaluate("(panels) => mount_all(panels, false)", {"request": {"esm": esm, "css": css, "state": state}})
            page.get_by_role("tab", name="JSON").click()
            page.get_by_label("request as JSON").fill(world["request"])
            session = page.context.new_cdp_session(page)
            session.send("Performance.enable", {"timeDomain": "threadTicks"})
            before = spent(session)
            how(page)
            taken = spent(session) - before
            fields = page.locator(".ge-request input").count()
            assert fields >= WIDE * DEEP * 0.8, fields
            page.close()
            return taken * 1000

        once()
        yield lambda: Tally(round(statistics.median(once() for _ in range(RUNS))), 0)
        chromium.close()


def spent(session: Any) -> float:
    """Seconds that the page's thread has worked so far."""
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"])


def side(script: str) -> CountedSide:
    """One that draws by this script, and is done when everything has its place."""
    laid_out = f"() => {{ {script}; document.body.offsetHeight; }}"
    return contextlib.contextmanager(lambda world: drawing(world, lambda page: page.evaluate(laid_out)))


FIGURE = CountedFigure(
    "wide-form",
    "milliseconds of Chromium's thread to draw a form of messages five deep with 200 fields in each, all open",
    world,
    side("document.querySelector('[role=tab]').click()"),
    (CountedPeer("as many bare inputs and labels", side(BARE % (WIDE * DEEP))),),
    at_most=300,
)
