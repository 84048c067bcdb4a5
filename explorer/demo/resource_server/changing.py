"""The directory's writing methods: one person changed, or many brought in."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from datetime import timedelta

import grpc

from explorer.demo.protos.directory_service_pb2 import (
    DirectoryUser,
    ImportUsersRequest,
    ImportUsersResponse,
    Role,
    UpdateUserRequest,
)
from explorer.demo.resource_server.announcements import Announcements
from explorer.demo.resource_server.listing import ADDRESS_FIELDS, user_of
from explorer.demo.resource_server.masks import copy_field, mask_problems, set_fields
from explorer.demo.resource_server.people import Directory, DirectoryFullError
from explorer.demo.resource_server.refusals import field_violations, no_such_resource, too_many

__all__ = ["Changing"]

_KEPT_BY_THE_DIRECTORY = ("id", "joined", "sign_in_count", "score")
_MOST_NAMED = 100
_FULL = too_many("changes", "This demo has taken all the changes it takes; start another one.")


class Changing:
    """Changes people and takes in new ones."""

    def __init__(self, directory: Directory, announcements: Announcements) -> None:
        self._directory = directory
        self._announcements = announcements

    def update_user(self, request: UpdateUserRequest, context: grpc.ServicerContext) -> DirectoryUser:
        """The person as changed; INVALID_ARGUMENT with every field that will not do (AIP-134)."""
        paths = list(request.update_mask.paths) or [name for name in set_fields(request.user) if name != "id"]
        problems = _mask_problems(paths) or _user_problems(request.user, paths)
        if not request.user.id:
            problems.insert(0, ("user.id", "must not be empty; user123 is one that exists"))
        if "role" in paths and not request.user.role:
            problems.append(("user.role", f"must be one of {', '.join(Role.keys()[1:])}"))
        if problems:
            context.abort_with_status(field_violations(problems))
        with self._directory.changing():
            row = self._directory.person("id = ?", request.user.id)
            if row is None:
                context.abort_with_status(no_such_resource("user", request.user.id))
            user = user_of(row)
            for path in paths:
                copy_field(path, request.user, user)
            if not request.validate_only:
                self._put(row["number"], user, context)
                self._announcements.updated(user)
        return user

    def import_users(
        self, requests: Iterator[ImportUsersRequest], context: grpc.ServicerContext
    ) -> ImportUsersResponse:
        """What became of each; one that will not do does not stop the rest."""
        answer, begun = ImportUsersResponse(), time.monotonic()
        for request in requests:
            problems = _new_user_problems(request.user)
            if len(answer.problems) < _MOST_NAMED:
                answer.problems.extend(
                    ImportUsersResponse.Problem(index=answer.received, field=field, description=sentence)
                    for field, sentence in problems[:10]
                )
            answer.received += 1
            if not problems and not request.validate_only:
                user_id = self._take_in(request.user, context)
                answer.imported += 1
                if len(answer.ids) < _MOST_NAMED:
                    answer.ids.append(user_id)
        answer.elapsed.FromTimedelta(timedelta(seconds=time.monotonic() - begun))
        return answer

    def _take_in(self, new: DirectoryUser, context: grpc.ServicerContext) -> str:
        user = DirectoryUser()
        user.CopyFrom(new)
        user.role = user.role or Role.ROLE_READER
        user.joined.GetCurrentTime()
        user.joined.nanos = 0
        user.id = self._put(None, user, context)
        self._announcements.created(user)
        return user.id

    def _put(self, number: int | None, user: DirectoryUser, context: grpc.ServicerContext) -> str:
        address = {name: getattr(user.address, name) if user.HasField("address") else None for name in ADDRESS_FIELDS}
        try:
            return self._directory.put(
                {
                    "number": number,
                    "name": user.name,
                    "role": user.role,
                    **address,
                    "tags": json.dumps(list(user.tags)),
                    "attributes": json.dumps(dict(user.attributes)),
                    "nickname": user.nickname if user.HasField("nickname") else None,
                    "joined": user.joined.seconds,
                    "sign_in_count": user.sign_in_count,
                    "age": user.age,
                    "active": int(user.active),
                    "score": user.score,
                }
            )
        except DirectoryFullError:
            context.abort_with_status(_FULL)
            raise  # for the type checker: the line before does not return


def _mask_problems(paths: list[str]) -> list[tuple[str, str]]:
    problems = [(f"update_mask.paths[{index}]", problem) for index, problem in mask_problems(paths, DirectoryUser)]
    problems += [
        (f"update_mask.paths[{index}]", f"{path} is set by the directory and cannot be changed")
        for index, path in enumerate(paths)
        if path.partition(".")[0] in _KEPT_BY_THE_DIRECTORY
    ]
    return problems if paths else [("update_mask", "names nothing, and user sets nothing but its id")]


def _new_user_problems(user: DirectoryUser) -> list[tuple[str, str]]:
    problems = [
        (f"user.{name}", "is given by the directory; leave it out")
        for name in set_fields(user)
        if name in _KEPT_BY_THE_DIRECTORY
    ]
    return problems + _user_problems(user, ["name", *set_fields(user)])


def _user_problems(user: DirectoryUser, paths: list[str]) -> list[tuple[str, str]]:
    """What is wrong with the fields of these paths."""
    checked = {path.partition(".")[0] for path in paths}
    return [
        (f"user.{field}", sentence)
        for field, sentence in _problems(user)
        if field.partition(".")[0].partition("[")[0] in checked
    ]


def _problems(user: DirectoryUser) -> Iterator[tuple[str, str]]:
    if not user.name.strip() or len(user.name) > 100:
        yield "name", "must have 1 to 100 characters"
    if user.role not in Role.values():
        yield "role", f"must be one of {', '.join(Role.keys())}"
    if not 0 <= user.age <= 150:
        yield "age", "must be between 0 and 150"
    if len(user.nickname) > 50:
        yield "nickname", "must not be longer than 50 characters"
    if len(user.tags) > 20:
        yield "tags", "must not be more than 20"
    for index, tag in enumerate(user.tags[:20]):
        if not 1 <= len(tag) <= 50:
            yield f"tags[{index}]", "must have 1 to 50 characters"
    if len(user.attributes) > 20 or any(len(name) + len(value) > 200 for name, value in user.attributes.items()):
        yield "attributes", "must not be more than 20, nor longer than 200 characters each"
    country, address = user.address.country, user.address
    if country and not (len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()):
        yield "address.country", "must be two capital letters, such as KE (ISO 3166-1)"
    for name, largest in (("latitude", 90.0), ("longitude", 180.0)):
        if not math.isfinite(getattr(address, name)) or abs(getattr(address, name)) > largest:
            yield f"address.{name}", f"must be between -{largest:.0f} and {largest:.0f}"
    if len(address.street) + len(address.city) > 200:
        yield "address", "must not be longer than 200 characters"
