from __future__ import annotations

import pytest

from explorer.text import html_lines, html_table, printable


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain", "plain"),
        ("ünïcode 用户 😀", "ünïcode 用户 😀"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\u202eb", "a\\u202eb"),
        ("one\ntwo\tthree\r", "one two three "),
        ("\u2028", "\\u2028"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_a_terminal_or_reader_would_obey_is_escaped(raw: str, shown: str) -> None:
    assert printable(raw) == shown


def test_long_text_is_cut_and_says_so() -> None:
    assert printable("x" * 501) == "x" * 500 + "…"
    assert printable("x" * 500) == "x" * 500
    assert printable("abc", limit=2) == "ab…"


def test_lines_are_escaped_and_broken_between_words_whatever_the_notebook_says_of_outputs() -> None:
    drawn = html_lines(["<b>bold</b>", "Sign in"])
    assert "&lt;b&gt;bold&lt;/b&gt;\nSign in</pre>" in drawn
    assert "word-break:normal" in drawn  # Lab's own rule for a pre is break-all


def test_markup_is_left_alone_for_the_place_that_writes_markup() -> None:
    assert printable("<b>") == "<b>"


def test_a_table_holds_text_and_no_markup() -> None:
    table = html_table([("<b>", "a\x1b[1m"), ("'\"&", "x" * 1000)])
    assert table.count("<tr>") == 2
    assert table.count("<td ") == 4
    assert "&lt;b&gt;" in table
    assert "<b>" not in table
    assert "\x1b" not in table
    assert "&#x27;&quot;&amp;" in table
    assert "x" * 501 not in table
