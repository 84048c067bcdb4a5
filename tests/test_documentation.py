"""Help, signatures and pictures of services and methods, made from descriptors and comments."""

from __future__ import annotations

import inspect
import io
import pydoc
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from typing import Any

import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from schemas import pool_of

from explorer.circumstances import Circumstances
from explorer.documentation import method_documentation
from explorer.methods import Method
from explorer.rpc import Connection
from explorer.services import Service

TEXT = """
syntax = "proto3";
package zoo;
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
service Zoo {
  rpc Feed (Meal) returns (Animal) { option idempotency_level = IDEMPOTENT; }
  rpc Watch (stream Meal) returns (stream Animal) { option deprecated = true; }
  rpc Nothing (Empty) returns (Empty);
}
enum Food { FOOD_UNSPECIFIED = 0; HAY = 1; }
message Empty {}
message Meal {
  string animal_id = 1; Food food = 2; optional int32 grams = 3; google.protobuf.Timestamp at = 4;
  oneof by { string keeper = 5; Machine machine = 6; }
  map<string, Part> parts = 7; repeated bytes pictures = 8; google.protobuf.Int32Value helpings = 9 [deprecated = true];
  string class = 10; string request = 11; Animal animal = 12;
}
message Machine { string model = 1; Motor motor = 2; }
message Motor { int32 watts = 1; }
message Part { float kilograms = 1; }
message Animal { string name = 1; Animal mother = 2; }
"""
COMMENTS = {
    "zoo.Zoo": " All animals.\n Handle with care.",
    "zoo.Zoo.Feed": " Feeds <b>one</b>.\n Twice is once.\x1b[31m",
    "zoo.Meal.animal_id": " Who\n  eats. \x1b[2J\u202e<script>",
    "zoo.Food.HAY": "Dry grass.",
    "zoo.Machine": "Feeds by itself.",
}


@pytest.fixture(scope="module")
def pool() -> DescriptorPool:
    return pool_of(zoo=TEXT)


@pytest.fixture
def zoo(pool: DescriptorPool) -> Iterator[Service]:
    with Connection("localhost:1", plaintext=True) as connection:
        yield Service(pool.FindServiceByName("zoo.Zoo"), Circumstances(connection, comments=COMMENTS))


def test_the_help_of_a_method_is_all_that_is_known_of_it(zoo: Service) -> None:
    said = io.StringIO()
    with redirect_stdout(said):
        pydoc.Helper(output=said)(zoo.Feed)
    text = said.getvalue()
    for line in (
        "Feeds <b>one</b>.",
        "Twice is once.\\x1b[31m",
        "unary: zoo.Meal → zoo.Animal  Safe to repeat.",
        "animal_id: string  Who eats. \\x1b[2J\\u202e<script>",
        "food: zoo.Food (FOOD_UNSPECIFIED, HAY)",
        "grams: int32 (optional)",
        'at: google.protobuf.Timestamp (datetime with its zone, or "2026-01-31T12:00:00Z")',
        "parts: map<string, zoo.Part>",
        "pictures: repeated bytes (bytes, or base64 text)",
        "helpings: google.protobuf.Int32Value (or None; deprecated)",
        "by: at most one of keeper, machine",
        "zoo.Machine:  Feeds by itself.",
        "motor: zoo.Motor",
        "zoo.Part:",
        "HAY = 1  Dry grass.",
        "mother: zoo.Animal",
    ):
        assert line in text, line
    assert "zoo.Motor:" not in text, "one level down, no more"
    assert "watts" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_streams_and_nothing_are_said(zoo: Service) -> None:
    assert "bidi: stream of zoo.Meal → stream of zoo.Animal  Deprecated." in str(zoo.Watch.__doc__)
    assert str(zoo.Nothing.__doc__).endswith("Takes nothing.\n\nGives nothing.")


def test_the_help_of_a_service_lists_its_methods(zoo: Service) -> None:
    text = str(zoo.__doc__)
    assert text.startswith("All animals.")
    assert "    Feed: unary, Meal → Animal  Feeds <b>one</b>. …" in text
    assert "    Watch: bidi, Meal → Animal" in text


def test_the_classes_have_help_of_their_own() -> None:
    assert str(Method.__doc__).startswith("One method:")
    assert str(Service.__doc__).startswith("One service;")
    assert "request" in inspect.signature(Method.__call__).parameters
    assert "circumstances" in inspect.signature(Method).parameters


def test_keywords_complete(zoo: Service) -> None:
    signature = inspect.signature(zoo.Feed)
    keywords = [name for name, each in signature.parameters.items() if each.kind is each.KEYWORD_ONLY]
    assert keywords[:6] == ["animal_id", "food", "grams", "at", "keeper", "machine"]
    assert "class" not in keywords
    assert "grams: int32 = None" in str(signature)


def test_ipython_completes_them(zoo: Service) -> None:
    from IPython.core.completer import IPCompleter, provisionalcompleter

    completer: Any = IPCompleter(None, {"feed": zoo.Feed}, {})
    completer.use_jedi = False
    with provisionalcompleter():
        found = {each.text for each in completer.completions("feed(ani", 8)}
    assert {"animal_id=", "animal="} <= found


def test_a_picture_escapes_what_a_server_says(zoo: Service) -> None:
    for shown in (zoo.Feed._repr_html_(), zoo._repr_html_()):
        assert "<script>" not in shown
        assert "<b>one</b>" not in shown
        assert "\x1b" not in shown
        assert "\u202e" not in shown
    assert "&lt;script&gt;" in zoo.Feed._repr_html_()
    assert ">grams</td>" in zoo.Feed._repr_html_()
    assert "zoo.Zoo" in zoo._repr_html_()


def test_very_large_types_are_cut(pool: Callable[..., Any]) -> None:
    fields = "".join(f"string f{n} = {n};" for n in range(1, 1001))
    values = "".join(f"V{n} = {n};" for n in range(1000))
    large = pool_of(
        large=f"""
        syntax = "proto3";
        enum E {{ {values} }}
        message M {{ {fields} E e = 1001; }}
        message N {{ E e = 1; M m = 2; }}
        service S {{ rpc Get (N) returns (M); }}
    """
    )
    text = method_documentation(large.FindServiceByName("S").methods_by_name["Get"], {})
    assert "… and 751 more" in text
    assert "… and 970 more" in text
    assert "e: E (V0, V1, V2, V3, V4 …)" in text
    assert len(text) < 30_000
