"""The HTTP proxy that gRPC's core would take to a target, so that an error can say who it was that answered.

Rule and source: gRPC core's own reading of the environment: ``grpc_proxy``, then ``https_proxy``, then ``http_proxy``,
names in lower case, ``http://`` addresses only; ``no_grpc_proxy``, else ``no_proxy``, lists ends of host names and
networks that are reached without one. The channel arguments ``grpc.http_proxy`` and ``grpc.enable_http_proxy`` go
before all of it. A proxy's user and password never leave this module.
"""

from __future__ import annotations

import ipaddress
import os
import urllib.parse
from collections.abc import Mapping
from typing import Any

from explorer.rpc.targets import Target

__all__ = ["proxy_for"]

_NAMES = ("grpc_proxy", "https_proxy", "http_proxy")
_EXCEPTIONS = ("no_grpc_proxy", "no_proxy")


def proxy_for(target: Target, arguments: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> str | None:
    """The proxy between us and the target, as ``host:port``; None where there is none, as always on this machine.

    Args:
        target: Where to.
        arguments: The channel's.
        environment: Where proxies are named; None for this process's own.

    """
    given = os.environ if environment is None else environment
    if target.unix or not arguments.get("grpc.enable_http_proxy", 1):
        return None
    address = arguments.get("grpc.http_proxy")
    if address is None:
        address = next((given[name] for name in _NAMES if name in given), "")
    parts = urllib.parse.urlsplit(str(address))
    if parts.scheme != "http" or not parts.hostname:
        return None
    listed = next((given[name] for name in _EXCEPTIONS if name in given), "")
    if any(_covers(entry.strip(), target.host) for entry in listed.split(",") if entry.strip()):
        return None
    return parts.netloc.rpartition("@")[2]


def _covers(entry: str, host: str) -> bool:
    if host.lower().endswith(entry.lower()):
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
