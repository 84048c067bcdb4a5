"""The wing that speaks gRPC: channels, call credentials, descriptors, messages and calls.

It knows nothing of OAuth2 but :class:`explorer.tokens.TokenSource`. Importing it asks gRPC's core for errors alone
(``GRPC_VERBOSITY=ERROR``, unless it is set): what the core logs of connections and forks is noise in a notebook, and
all that matters of it comes as an error of ours.
"""

import os

os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # read when the core is first imported, so before what follows

from explorer.rpc.call_credentials import call_credentials
from explorer.rpc.cancellation import Cancellation
from explorer.rpc.canonical import to_dict, to_json
from explorer.rpc.channel import secure_channel
from explorer.rpc.channel_options import ChannelOptions, channel_options
from explorer.rpc.connection import Connection
from explorer.rpc.descriptor_set import DescriptorSet
from explorer.rpc.descriptors import DescriptorSource, MethodKind, method_kind, method_path, safe_to_repeat
from explorer.rpc.health import HealthStatus, check_health
from explorer.rpc.health_watch import Health, HealthWatch
from explorer.rpc.invocation import Answer, invoke
from explorer.rpc.messages import encode
from explorer.rpc.proto_files import ProtoFiles
from explorer.rpc.reflection import Reflection
from explorer.rpc.request_stream import RequestStream
from explorer.rpc.status import Status, status_of
from explorer.rpc.streaming import StreamAnswer, stream
from explorer.rpc.targets import Target, parse_target

__all__ = [
    "Answer",
    "Cancellation",
    "ChannelOptions",
    "Connection",
    "DescriptorSet",
    "DescriptorSource",
    "Health",
    "HealthStatus",
    "HealthWatch",
    "MethodKind",
    "ProtoFiles",
    "Reflection",
    "RequestStream",
    "Status",
    "StreamAnswer",
    "Target",
    "call_credentials",
    "channel_options",
    "check_health",
    "encode",
    "invoke",
    "method_kind",
    "method_path",
    "parse_target",
    "safe_to_repeat",
    "secure_channel",
    "status_of",
    "stream",
    "to_dict",
    "to_json",
]
