"""The interceptor that stands in front of every method: token first, then scope, then the method itself."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, TypeAlias

import grpc

from explorer.demo.counting import Counts
from explorer.demo.resource_server.refusals import Refusal, error_info
from explorer.demo.resource_server.token_validator import KeysUnavailableError, TokenRejectedError, TokenValidator

__all__ = ["AuthorizationInterceptor", "ReflectionAccess"]

ReflectionAccess = Literal["open", "protected", "off"]

_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"  # generic for the type checker alone

_READ_USERS = "read:users"
_WRITE_USERS = "write:users"
_WRITING = frozenset(
    f"/explorer.demo.v1.DirectoryService/{method}" for method in ("UpdateUser", "UpdateProfile", "ImportUsers")
)
_OPEN = ("/grpc.health.v1.Health/",)
_REFLECTION = ("/grpc.reflection.v1.ServerReflection/", "/grpc.reflection.v1alpha.ServerReflection/")


class AuthorizationInterceptor(grpc.ServerInterceptor):
    """UNAUTHENTICATED for the token, PERMISSION_DENIED for the scope (contract T19); counts how every call ended.

    Health is open to all; reflection as ``reflection`` says, where "protected" asks for a valid token and no scope.
    """

    def __init__(self, validator: TokenValidator, counts: Counts, *, reflection: ReflectionAccess) -> None:
        self._validator = validator
        self._counts = counts
        self.reflection: ReflectionAccess = reflection

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], _Handler | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> _Handler | None:
        """Judge a call by its metadata alone, before its first message is read."""
        path = handler_call_details.method
        refusal = self._judge(path, handler_call_details.invocation_metadata or ())
        if refusal is not None:
            self._count(path, refusal.code)
            return grpc.stream_stream_rpc_method_handler(lambda _, context: context.abort_with_status(refusal))
        handler = continuation(handler_call_details)
        if handler is None:
            self._count(path, grpc.StatusCode.UNIMPLEMENTED)
            return None
        return self._counted(path, handler)

    def _judge(self, path: str, metadata: Any) -> Refusal | None:
        if path.startswith(_OPEN):
            return None
        scopes: frozenset[str] = frozenset({_WRITE_USERS if path in _WRITING else _READ_USERS})
        if path.startswith(_REFLECTION):
            if self.reflection == "off":
                return Refusal.of(grpc.StatusCode.UNIMPLEMENTED, "This server does not offer reflection.")
            if self.reflection == "open":
                return None
            scopes = frozenset()
        return self._judge_token([value for key, value in metadata if key == "authorization"], scopes)

    def _judge_token(self, values: list[str | bytes], scopes: frozenset[str]) -> Refusal | None:
        try:
            token = self._validator.validate(self._validator.bearer(values))
        except TokenRejectedError as error:
            return error_info(grpc.StatusCode.UNAUTHENTICATED, error.reason, error.sentence)
        except KeysUnavailableError:
            return error_info(
                grpc.StatusCode.UNAVAILABLE, "KEYS_UNAVAILABLE", "The issuer's keys cannot be had now; try again."
            )
        missing = scopes - token.scopes
        if missing:
            scope = " ".join(sorted(missing))
            return error_info(
                grpc.StatusCode.PERMISSION_DENIED,
                "SCOPE_MISSING",
                f"The token is valid, but it lacks the scope {scope}.",
                {"scope": scope},
            )
        return None

    def _count(self, path: str, code: grpc.StatusCode) -> None:
        self._counts.add("rpc", code.name)
        self._counts.add("methods", f"{path} {code.name}")

    def _counted(self, path: str, handler: _Handler) -> _Handler:
        """The same handler, its end counted: before the client can know of it, or when the client has gone."""

        def single(behaviour: Callable[..., Any]) -> Callable[..., Any]:
            def call(request: Any, context: grpc.ServicerContext) -> Any:
                try:
                    answer = behaviour(request, context)
                except Exception:
                    self._count(path, _code(context) or grpc.StatusCode.UNKNOWN)
                    raise
                self._count(path, _code(context) or grpc.StatusCode.OK)
                return answer

            return _in_the_same_threads(call, behaviour)

        def told(behaviour: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(behaviour)  # grpc reads off it that it answers by a callback, and holds no thread
            def call(request: Any, context: grpc.ServicerContext, send: Callable[[Any], None]) -> Any:
                context.add_callback(lambda: self._count(path, _code(context) or grpc.StatusCode.CANCELLED))
                return behaviour(request, context, send)

            return call

        def several(behaviour: Callable[..., Any]) -> Callable[..., Any]:
            if getattr(behaviour, "experimental_non_blocking", False):
                return told(behaviour)

            def call(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
                once = _Once(lambda code: self._count(path, code))
                context.add_callback(lambda: once(grpc.StatusCode.CANCELLED))  # too late for one that ended by itself
                try:
                    yield from behaviour(request, context)
                except Exception:
                    once(_code(context) or grpc.StatusCode.UNKNOWN)
                    raise
                once(_code(context) or grpc.StatusCode.OK)

            return _in_the_same_threads(call, behaviour)

        coders: Mapping[str, Any] = {
            "request_deserializer": handler.request_deserializer,
            "response_serializer": handler.response_serializer,
        }
        if handler.unary_unary:
            return grpc.unary_unary_rpc_method_handler(single(handler.unary_unary), **coders)
        if handler.unary_stream:
            return grpc.unary_stream_rpc_method_handler(several(handler.unary_stream), **coders)
        if handler.stream_unary:
            return grpc.stream_unary_rpc_method_handler(single(handler.stream_unary), **coders)
        if handler.stream_stream:
            return grpc.stream_stream_rpc_method_handler(several(handler.stream_stream), **coders)
        raise TypeError("a handler without a behaviour")


def _in_the_same_threads(call: Callable[..., Any], behaviour: Callable[..., Any]) -> Callable[..., Any]:
    """``call``, to be run by the pool that ``behaviour`` asks for; what else grpc reads there is not for a wrapper."""
    call.experimental_thread_pool = getattr(behaviour, "experimental_thread_pool", None)  # type: ignore[attr-defined]  # grpc's own name for it
    return call


class _Once:
    """Calls through the first time, and never again."""

    def __init__(self, function: Callable[[grpc.StatusCode], None]) -> None:
        self._left = [function]

    def __call__(self, code: grpc.StatusCode) -> None:
        with contextlib.suppress(IndexError):  # pop decides in one step who is first
            self._left.pop()(code)


def _code(context: grpc.ServicerContext) -> grpc.StatusCode | None:
    code = context.code()  # type: ignore[attr-defined]  # the type stubs lack it; grpc keeps either its own enum or the bare number
    return code if isinstance(code, grpc.StatusCode) else None
