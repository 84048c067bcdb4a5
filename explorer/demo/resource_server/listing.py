"""The directory's reading methods: a stream, a page, or one person."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import sqlite3
from collections.abc import Iterator

import grpc

from explorer.demo.protos.directory_service_pb2 import (
    Address,
    DirectoryUser,
    GetDirectoryUserRequest,
    ListUsersRequest,
    LookUpRequest,
    LookUpResponse,
    Role,
    SearchUsersRequest,
    SearchUsersResponse,
)
from explorer.demo.resource_server.instants import is_an_instant
from explorer.demo.resource_server.masks import keep_only, mask_problems
from explorer.demo.resource_server.people import Directory
from explorer.demo.resource_server.refusals import Refusal, field_violation, field_violations, no_such_resource

__all__ = ["ADDRESS_FIELDS", "Listing", "user_of"]

ADDRESS_FIELDS = ("street", "city", "country", "latitude", "longitude")

_AT_A_TIME = 200
_PAGE, _LARGEST_PAGE = 50, 1000
_ORDERS = {
    SearchUsersRequest.ORDER_UNSPECIFIED: "number",
    SearchUsersRequest.ORDER_NAME: "name, number",
    SearchUsersRequest.ORDER_NEWEST: "joined DESC, number",
}


class Listing:
    """Lists, finds and looks up people."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def list_users(self, request: ListUsersRequest, context: grpc.ServicerContext) -> Iterator[DirectoryUser]:
        """The people that match, INVALID_ARGUMENT where the request cannot mean anything.

        Each batch is a query of its own that begins after the last person sent, because the thread that goes on with a
        stream need not be the one that began it, and a connection belongs to its thread.
        """
        refusal = _refusal(request)
        if refusal is not None:
            context.abort_with_status(refusal)
        after, offset = 0, request.offset
        left = request.limit or None
        while left is None or left > 0:
            size = _AT_A_TIME if left is None else min(left, _AT_A_TIME)
            rows = _batch(self._directory.connection(), request, after=after, size=size, offset=offset)
            yield from map(user_of, rows)
            if len(rows) < size:
                return
            after, offset = rows[-1]["number"], 0
            left = None if left is None else left - len(rows)

    def search_users(self, request: SearchUsersRequest, context: grpc.ServicerContext) -> SearchUsersResponse:
        """A page of those that match (AIP-158)."""
        problems = _search_problems(request)
        offset = _offset(request)
        if offset is None:
            problems.append(("page_token", "must be the next_page_token of a page of this very search"))
        if problems or offset is None:
            context.abort_with_status(field_violations(problems))
        where, values = _search_conditions(request)
        connection, size = self._directory.connection(), request.page_size or _PAGE
        (total,) = connection.execute(f"SELECT count(*) FROM person WHERE {where}", values).fetchone()  # noqa: S608  fixed texts
        query = f"SELECT * FROM person WHERE {where} ORDER BY {_ORDERS[request.order]} LIMIT ? OFFSET ?"  # noqa: S608
        rows = connection.execute(query, [*values, size, offset]).fetchall()
        left = offset + len(rows) < total
        return SearchUsersResponse(
            users=map(user_of, rows),
            next_page_token=_page_token(request, offset + len(rows)) if left else "",
            total_size=total,
        )

    def get_directory_user(self, request: GetDirectoryUserRequest, context: grpc.ServicerContext) -> DirectoryUser:
        """One person, whole or in part."""
        problems = [
            (f"read_mask.paths[{index}]", problem)
            for index, problem in mask_problems(request.read_mask.paths, DirectoryUser)
        ]
        key = request.WhichOneof("key")
        if key is None:
            problems.append(("key", "must be one of id, number, nickname"))
        if problems or key is None:
            context.abort_with_status(field_violations(problems))
        value = getattr(request, key)
        row = self._directory.person(f"{key} = ?", value)
        if row is None:
            context.abort_with_status(no_such_resource("user", str(value)))
        user = user_of(row)
        return keep_only(user, request.read_mask.paths) if request.HasField("read_mask") else user

    def look_up(self, requests: Iterator[LookUpRequest], _: grpc.ServicerContext) -> Iterator[LookUpResponse]:
        """An answer to each question as it comes."""
        for index, request in enumerate(requests):
            key = request.WhichOneof("key")
            row = None if key is None else self._directory.person(f"{key} = ?", getattr(request, key))
            if row is not None:
                yield LookUpResponse(index=index, user=user_of(row))
            elif key is None:
                yield LookUpResponse(index=index, problem="The question has neither an id nor a nickname.")
            else:
                yield LookUpResponse(index=index, problem=f"There is no user of the {key} {getattr(request, key)!r}.")


def _refusal(request: ListUsersRequest) -> Refusal | None:
    for field in ("limit", "offset"):
        if getattr(request, field) < 0:
            return field_violation(field, "must not be negative")
    if request.role not in Role.values():
        return field_violation("role", f"must be one of {', '.join(Role.keys())}")
    return None


def _batch(
    connection: sqlite3.Connection, request: ListUsersRequest, *, after: int, size: int, offset: int
) -> list[sqlite3.Row]:
    conditions = ["number > ?"]
    values: list[object] = [after]
    if request.role:
        conditions.append("role = ?")
        values.append(request.role)
    if request.HasField("active"):
        conditions.append("active = ?")
        values.append(int(request.active))
    if request.name_prefix:
        conditions.append("substr(lower(name), 1, ?) = lower(?)")
        values += [len(request.name_prefix), request.name_prefix]
    query = f"SELECT * FROM person WHERE {' AND '.join(conditions)} ORDER BY number LIMIT ? OFFSET ?"  # noqa: S608  fixed texts
    return connection.execute(query, [*values, size, offset]).fetchall()


def _search_problems(request: SearchUsersRequest) -> list[tuple[str, str]]:
    problems = []
    if not 0 <= request.page_size <= _LARGEST_PAGE:
        problems.append(("page_size", f"must be between 0 and {_LARGEST_PAGE}"))
    problems += [
        (f"roles[{index}]", f"must be one of {', '.join(Role.keys()[1:])}")
        for index, role in enumerate(request.roles)
        if role not in Role.values()[1:]
    ]
    if len(request.cities) > 100:
        problems.append(("cities", "must not be more than 100"))
    if not is_an_instant(request.joined_since):
        problems.append(("joined_since", "must be between the years 1 and 9999"))
    if request.order not in _ORDERS:
        problems.append(("order", f"must be one of {', '.join(SearchUsersRequest.Order.keys())}"))
    return problems


def _search_conditions(request: SearchUsersRequest) -> tuple[str, list[object]]:
    conditions, values = ["1"], list[object]()
    if request.name_contains:
        conditions.append("instr(lower(name), lower(?))")
        values.append(request.name_contains)
    for column, wanted in (("role", sorted(set(request.roles))), ("city", sorted(set(request.cities)))):
        if wanted:
            conditions.append(f"{column} IN ({', '.join('?' * len(wanted))})")
            values += wanted
    if request.HasField("active"):
        conditions.append("active = ?")
        values.append(int(request.active.value))
    if request.HasField("minimum_age"):
        conditions.append("age >= ?")
        values.append(request.minimum_age.value)
    if request.HasField("joined_since"):
        conditions.append("joined >= ?")
        values.append(request.joined_since.seconds + bool(request.joined_since.nanos))
    return " AND ".join(conditions), values


def _search_mark(request: SearchUsersRequest) -> str:
    """Which search this is, whatever its page."""
    search = SearchUsersRequest()
    search.CopyFrom(request)
    search.ClearField("page_size")
    search.ClearField("page_token")
    return hashlib.sha256(search.SerializeToString(deterministic=True)).hexdigest()[:16]


def _page_token(request: SearchUsersRequest, offset: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([offset, _search_mark(request)]).encode()).decode()


def _offset(request: SearchUsersRequest) -> int | None:
    """Where the page begins; None where the token is no token of this search."""
    if not request.page_token:
        return 0
    try:
        offset, mark = json.loads(base64.urlsafe_b64decode(request.page_token.encode()))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        return None
    return offset if type(offset) is int and 0 <= offset < 1 << 31 and mark == _search_mark(request) else None


def user_of(row: sqlite3.Row) -> DirectoryUser:
    """A person as a message."""
    user = DirectoryUser(
        id=row["id"],
        name=row["name"],
        role=row["role"],
        tags=json.loads(row["tags"]),
        attributes=json.loads(row["attributes"]),
        nickname=row["nickname"],  # None leaves an optional field unset
        sign_in_count=row["sign_in_count"],
        age=row["age"],
        active=bool(row["active"]),
        score=row["score"],
    )
    user.joined.seconds = row["joined"]
    if row["city"] is not None:
        user.address.CopyFrom(Address(**{name: row[name] for name in ADDRESS_FIELDS}))
    return user
