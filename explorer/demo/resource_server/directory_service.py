"""DirectoryService: richer rows, streamed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

import grpc

from explorer.demo.protos.directory_service_pb2 import Address, DirectoryUser, ListUsersRequest, Role
from explorer.demo.resource_server.people import Directory
from explorer.demo.resource_server.refusals import Refusal, field_violation

__all__ = ["DirectoryService"]

_AT_A_TIME = 200


class DirectoryService:
    """Lists the people of the directory."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def handler(self) -> grpc.GenericRpcHandler:
        """The service under its name, for a server."""
        list_users = grpc.unary_stream_rpc_method_handler(
            self.list_users,
            request_deserializer=ListUsersRequest.FromString,
            response_serializer=DirectoryUser.SerializeToString,
        )
        return grpc.method_handlers_generic_handler("explorer.demo.v1.DirectoryService", {"ListUsers": list_users})

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
            yield from map(_user, rows)
            if len(rows) < size:
                return
            after, offset = rows[-1]["number"], 0
            left = None if left is None else left - len(rows)


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


def _user(row: sqlite3.Row) -> DirectoryUser:
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
        names = ("street", "city", "country", "latitude", "longitude")
        user.address.CopyFrom(Address(**{name: row[name] for name in names}))
    return user
