"""DirectoryService: every method under its name, and where it runs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent import futures
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty

from explorer.demo.protos import directory_service_pb2 as messages
from explorer.demo.resource_server.announcements import Announcements
from explorer.demo.resource_server.changing import Changing
from explorer.demo.resource_server.listing import Listing
from explorer.demo.resource_server.made_up import attachments_of
from explorer.demo.resource_server.organization import organization
from explorer.demo.resource_server.people import Directory
from explorer.demo.resource_server.profiles import Profiles
from explorer.demo.resource_server.refusals import no_such_resource
from explorer.demo.resource_server.rehearsal import rehearse_status
from explorer.demo.resource_server.watching import Watching

__all__ = ["DirectoryService"]

_NAME = "explorer.demo.v1.DirectoryService"
_WAITING_CALLS = 64
_KINDS: dict[str, Callable[..., Any]] = {
    "unary": grpc.unary_unary_rpc_method_handler,
    "server stream": grpc.unary_stream_rpc_method_handler,
    "client stream": grpc.stream_unary_rpc_method_handler,
    "bidirectional": grpc.stream_stream_rpc_method_handler,
}


class DirectoryService:
    """The people of the directory: listed, looked up, changed, brought in and watched."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        announcements = Announcements()
        self._listing = Listing(directory)
        self._changing = Changing(directory, announcements)
        self._watching = Watching(directory, announcements)
        self._profiles = Profiles(directory)

    def handler(self) -> grpc.GenericRpcHandler:
        """The service under its name, for a server."""
        waiting = futures.ThreadPoolExecutor(_WAITING_CALLS, thread_name_prefix="waiting")
        user = messages.DirectoryUser
        return grpc.method_handlers_generic_handler(
            _NAME,
            {
                "ListUsers": _method("server stream", self._listing.list_users, messages.ListUsersRequest, user),
                "GetDirectoryUser": _method(
                    "unary", self._listing.get_directory_user, messages.GetDirectoryUserRequest, user
                ),
                "SearchUsers": _method(
                    "unary", self._listing.search_users, messages.SearchUsersRequest, messages.SearchUsersResponse
                ),
                "UpdateUser": _method("unary", self._changing.update_user, messages.UpdateUserRequest, user),
                "ImportUsers": _method(
                    "client stream",
                    self._changing.import_users,
                    messages.ImportUsersRequest,
                    messages.ImportUsersResponse,
                    waiting,
                ),
                "LookUp": _method(
                    "bidirectional", self._listing.look_up, messages.LookUpRequest, messages.LookUpResponse, waiting
                ),
                "WatchUsers": _method(
                    "server stream",
                    self._watching.watch_users,
                    messages.WatchUsersRequest,
                    messages.WatchUsersResponse,
                    waiting,
                ),
                "GetOrganization": _method(
                    "unary", self._get_organization, messages.GetOrganizationRequest, messages.Organization
                ),
                "GetProfile": _method(
                    "unary", self._profiles.get_profile, messages.GetProfileRequest, messages.Profile
                ),
                "UpdateProfile": _method(
                    "unary", self._profiles.update_profile, messages.UpdateProfileRequest, messages.Profile
                ),
                "GetAttachments": _method(
                    "unary", self._get_attachments, messages.GetAttachmentsRequest, messages.GetAttachmentsResponse
                ),
                "RehearseStatus": _method("unary", rehearse_status, messages.RehearseStatusRequest, Empty, waiting),
            },
        )

    def _get_organization(
        self, request: messages.GetOrganizationRequest, context: grpc.ServicerContext
    ) -> messages.Organization:
        return organization(self._directory, request, context)

    def _get_attachments(
        self, request: messages.GetAttachmentsRequest, context: grpc.ServicerContext
    ) -> messages.GetAttachmentsResponse:
        row = self._directory.person("id = ?", request.user_id)
        if row is None:
            context.abort_with_status(no_such_resource("user", request.user_id))
        attachments = attachments_of(row)
        answer = messages.GetAttachmentsResponse(attachments=attachments)
        for attachment in attachments:
            answer.newest[attachment.type_url.rpartition(".")[2]].CopyFrom(attachment)
        return answer


def _method(
    kind: str,
    behaviour: Callable[..., Any],
    request: Any,
    response: Any,
    threads: futures.ThreadPoolExecutor | None = None,
) -> Any:
    """A handler; with ``threads``, one whose calls wait there and not in the threads of everybody else."""

    def call(argument: Any, context: grpc.ServicerContext) -> Any:
        return behaviour(argument, context)

    call.experimental_thread_pool = threads  # type: ignore[attr-defined]  # grpc's own name for it
    return _KINDS[kind](call, request_deserializer=request.FromString, response_serializer=response.SerializeToString)
