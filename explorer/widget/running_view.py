"""A run of many calls as it is drawn: how far, how fast, the latest rows, and how it ended. Plain values, no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from explorer.errors import ExplorerError, SignInRequiredError
from explorer.frames.runs import ENDED, INTERRUPTED
from explorer.text import printable
from explorer.widget import answers
from explorer.widget.asking import Ask
from explorer.widget.reasons import why_not_sent

if TYPE_CHECKING:
    from explorer.frames import DataFrame, Run

__all__ = ["LIVE_ROWS", "NO_RUN", "broken_view", "ended_view", "live_view", "time_left"]

LIVE_ROWS = 8
"""Rows that are drawn, while they come and at the end."""

NO_RUN: dict[str, Any] = {
    "state": "none",
    "badge": "",
    "tone": "",
    "method": "",
    "facts": "",
    "said": "",
    "fraction": None,
    "table": None,
    "why": None,
    "code": "",
}
_WAITING = "Only a person can get another one. The run goes on once somebody has signed in."


def live_view(run: Run, ask: Ask) -> dict[str, Any]:
    """A run that goes on, rests, or waits for a person."""
    state, now = run.state, run.progress
    waits = state == "waiting for a sign-in"
    moving = state == "running"
    facts = [_of(now.done, now.total)]
    if moving and now.done and now.rate >= 1:
        facts.append(_per_second(now.rate))
    if moving and now.remaining is not None and now.done < (now.total or 0):
        facts.append(f"{time_left(now.remaining)} left")
    if now.errors:
        facts.append(answers.plural(now.errors, "error"))
    return {
        **NO_RUN,
        "state": "waiting" if waits else state if state in {"running", "paused"} else "running",
        "badge": state if waits or state == "paused" else "running",
        "tone": "late" if waits else "",
        "method": ask.method,
        "facts": " · ".join(facts),
        "said": _of(now.done, now.total),
        "fraction": _fraction(now.done, now.total),
        "table": _table(run.latest(LIVE_ROWS), run.tally.rows),
        "why": _waiting(ask) if waits else None,
    }


def ended_view(run: Run, frame: DataFrame, ask: Ask, code: str) -> dict[str, Any]:
    """A run that is over; ``frame`` is all of its rows."""
    now = run.progress
    came = frame[~frame["details"].isin([INTERRUPTED, ENDED])]
    unanswered = len(frame) - len(came)
    badge, tone = {"cancelled": ("stopped", "late"), "failed": ("failed", "bad")}.get(run.state, ("done", "good"))
    facts = [_of(now.done, now.total) if unanswered else answers.plural(now.done, "request")]
    if now.done != len(came):
        facts.append(answers.plural(len(came), "row"))
    if now.rate >= 1 and not unanswered:
        facts.append(_per_second(now.rate))
    if now.errors:
        facts.append(answers.plural(now.errors, "error"))
    return {
        **NO_RUN,
        "state": run.state,
        "badge": badge,
        "tone": tone,
        "method": ask.method,
        "facts": " · ".join(facts),
        "said": _of(now.done, now.total),
        "fraction": _fraction(now.done, now.total),
        "table": _table(came.iloc[-LIVE_ROWS:], len(came)),
        "why": _failure(run, ask),
        "code": code,
    }


def broken_view(error: ExplorerError, ask: Ask, code: str) -> dict[str, Any]:
    """A run whose rows cannot be drawn; they are in ``widget.run``."""
    why = {**why_not_sent(error, may_sign_in=ask.may_sign_in), "title": "The run cannot be shown."}
    return {
        **NO_RUN,
        "state": "failed",
        "badge": "failed",
        "tone": "bad",
        "method": ask.method,
        "why": why,
        "code": code,
    }


def time_left(seconds: float) -> str:
    """How long it will take, no finer than can be known."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _of(done: int, total: int | None) -> str:
    return f"{done:,} of {total:,}" if total is not None else f"{done:,}"


def _per_second(rate: float) -> str:
    return f"{round(rate, -2):,.0f}/s" if rate >= 1000 else f"{rate:.0f}/s"


def _fraction(done: int, total: int | None) -> float | None:
    return None if total is None else round(done / total, 4) if total else 1.0


def _table(frame: DataFrame, total: int) -> dict[str, Any] | None:
    """The rows as they are drawn: seconds to four digits, and no column of details where there are none."""
    if not len(frame):
        return None
    shown = frame.drop(columns="details") if frame["details"].isna().all() else frame
    table = answers.table_of(shown, total)
    for at, column in enumerate(table["columns"]):
        if column["name"] in {"status_code", "details"}:
            column["dtype"] = ""
        if column["name"] == "elapsed":
            column["dtype"] = "s"
            for row in table["rows"]:
                row[at] = None if row[at] is None else f"{float(row[at]):.4f}"
    return table


def _waiting(ask: Ask) -> dict[str, Any]:
    why = why_not_sent(SignInRequiredError(_WAITING), may_sign_in=ask.may_sign_in, advice=ask.in_python)
    return {**why, "title": "The token has ended."}


def _failure(run: Run, ask: Ask) -> dict[str, Any] | None:
    error = run.error
    if error is None:
        return None
    if not isinstance(error, ExplorerError):
        error = ExplorerError(f"{type(error).__name__}: {printable(error)}")
    why = why_not_sent(error, may_sign_in=ask.may_sign_in, advice=ask.in_python)
    return {**why, "title": "The run ended before its time."}
