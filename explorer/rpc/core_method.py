"""One method at the door of gRPC's core on which grpcio's own stubs stand, and which it promises to nobody.

Whoever comes in here has another way, for a grpcio that is not as this one (1.85) is.
"""

from __future__ import annotations

from typing import Any

import grpc

from explorer.rpc.metadata import Metadata, RequestMetadata

__all__ = ["STOPPED", "CoreMethod"]

STOPPED = "The run was stopped."
"""What the status says of a call that was cancelled with all the others."""

_ENCODINGS = {
    grpc.Compression.NoCompression: "identity",
    grpc.Compression.Deflate: "deflate",
    grpc.Compression.Gzip: "gzip",
}


class CoreMethod:
    """A method of a channel, and the operations that ask it.

    Raises:
        ImportError, AttributeError, TypeError: The installed grpcio has another door.

    """

    def __init__(
        self, channel: grpc.Channel, path: str, compression: grpc.Compression | None, *, wait_for_ready: bool
    ) -> None:
        from grpc._cython import cygrpc  # type: ignore[attr-defined]  # the stubs know nothing of it

        self.core: Any = cygrpc
        self.channel: Any = channel._channel  # type: ignore[attr-defined]  # noqa: SLF001 - see above: no other door
        self.path = path.encode()
        ready = cygrpc.InitialMetadataFlags
        self._flags = ready.wait_for_ready_explicitly_set | (ready.wait_for_ready if wait_for_ready else 0)
        name = cygrpc.GRPC_COMPRESSION_REQUEST_ALGORITHM_MD_KEY
        self._compression = () if compression is None else ((name, _ENCODINGS[compression]),)
        self.asking(b"", RequestMetadata())  # raises where they take something else

    def asking(self, request: bytes, metadata: Metadata) -> tuple[Any, ...]:
        """The operations that send one request and nothing after it."""
        core = self.core
        if self._compression:
            metadata = RequestMetadata((*metadata, *self._compression))
        return (
            core.SendInitialMetadataOperation(metadata, self._flags),
            core.SendMessageOperation(request, 0),
            core.SendCloseFromClientOperation(0),
        )
