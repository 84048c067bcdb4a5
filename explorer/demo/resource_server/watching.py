"""WatchUsers: events as they happen, and a sign of life in between."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator

import grpc

from explorer.demo.protos.directory_service_pb2 import Role, WatchUsersRequest, WatchUsersResponse
from explorer.demo.resource_server.announcements import Announcements
from explorer.demo.resource_server.instants import seconds_of
from explorer.demo.resource_server.people import Directory
from explorer.demo.resource_server.refusals import field_violations, too_many

__all__ = ["Watching"]

_SHORTEST, _LONGEST = 0.01, 60.0
_MOST_WATCHERS = 32
_TOO_MANY = too_many("watchers", f"{_MOST_WATCHERS} watch already, which is as many as may.", retry_after=5)


class Watching:
    """Watches the directory."""

    def __init__(self, directory: Directory, announcements: Announcements) -> None:
        self._directory = directory
        self._announcements = announcements

    def watch_users(self, request: WatchUsersRequest, context: grpc.ServicerContext) -> Iterator[WatchUsersResponse]:
        """A heartbeat at once, then every change, and a heartbeat whenever nothing happened for the interval."""
        problems = _problems(request)
        if problems:
            context.abort_with_status(field_violations(problems))
        if self._announcements.watchers >= _MOST_WATCHERS:
            context.abort_with_status(_TOO_MANY)
        interval = seconds_of(request.interval) if request.HasField("interval") else 1.0
        with self._announcements.subscription() as news:
            context.add_callback(lambda: news.put(None))  # wakes up the wait below when the client goes
            number = 0
            event: WatchUsersResponse | None = self._heartbeat()
            while event is not None and context.is_active():
                if _is_wanted(event, request):
                    number += 1
                    yield _numbered(event, number)
                    if request.HasField("maximum_events") and number >= request.maximum_events:
                        return
                try:
                    event = news.get(timeout=interval)
                except queue.Empty:
                    event = self._heartbeat()

    def _heartbeat(self) -> WatchUsersResponse:
        beat = WatchUsersResponse.Heartbeat(watchers=self._announcements.watchers, people=self._directory.count())
        return WatchUsersResponse(heartbeat=beat)


def _problems(request: WatchUsersRequest) -> list[tuple[str, str]]:
    problems = []
    if request.HasField("interval") and not _SHORTEST <= seconds_of(request.interval) <= _LONGEST:
        problems.append(("interval", f"must be between {_SHORTEST} s and {_LONGEST:.0f} s"))
    if request.HasField("maximum_events") and request.maximum_events < 1:
        problems.append(("maximum_events", "must be at least 1, or left out"))
    problems += [
        (f"roles[{index}]", f"must be one of {', '.join(Role.keys()[1:])}")
        for index, role in enumerate(request.roles)
        if role not in Role.values()[1:]
    ]
    return problems


def _is_wanted(event: WatchUsersResponse, request: WatchUsersRequest) -> bool:
    kind = event.WhichOneof("event")
    return kind == "heartbeat" or not request.roles or getattr(event, str(kind)).role in request.roles


def _numbered(event: WatchUsersResponse, number: int) -> WatchUsersResponse:
    numbered = WatchUsersResponse(number=number)  # every watcher counts for itself
    numbered.MergeFrom(event)
    numbered.time.FromNanoseconds(time.time_ns())
    return numbered
