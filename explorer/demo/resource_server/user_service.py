"""UserService: the seed."""

from __future__ import annotations

import grpc

from explorer.demo.protos.user_service_pb2 import GetUserRequest, User
from explorer.demo.resource_server.people import Directory
from explorer.demo.resource_server.refusals import field_violation, no_such_resource

__all__ = ["UserService"]

_LONGEST_ID = 200


class UserService:
    """Looks people up by their id."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def handler(self) -> grpc.GenericRpcHandler:
        """The service under its name, for a server."""
        get_user = grpc.unary_unary_rpc_method_handler(
            self.get_user, request_deserializer=GetUserRequest.FromString, response_serializer=User.SerializeToString
        )
        return grpc.method_handlers_generic_handler("UserService", {"GetUser": get_user})

    def get_user(self, request: GetUserRequest, context: grpc.ServicerContext) -> User:
        """The user of this id, INVALID_ARGUMENT where none is given, NOT_FOUND where there is none."""
        user_id = request.user_id
        if not user_id:
            context.abort_with_status(field_violation("user_id", "must not be empty; user123 is one that exists"))
        if len(user_id) > _LONGEST_ID:
            context.abort_with_status(field_violation("user_id", f"must not be longer than {_LONGEST_ID} characters"))
        query = "SELECT id, name FROM person WHERE id = ?"
        row = self._directory.connection().execute(query, (user_id,)).fetchone()
        if row is None:
            context.abort_with_status(no_such_resource("user", user_id))
        return User(id=row["id"], name=row["name"])
