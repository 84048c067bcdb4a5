"""A pool of descriptors that is nobody else's, and answers where protobuf's own raises."""

from __future__ import annotations

from google.protobuf import descriptor_pb2, descriptor_pool

from explorer.rpc.wellknown import add_known, seeded_pool

__all__ = ["PrivatePool"]


class PrivatePool:
    """Holds protobuf's own files from the first; ``pool`` is protobuf's."""

    def __init__(self) -> None:
        self.pool: descriptor_pool.DescriptorPool = seeded_pool()

    def refused(self, raw: bytes) -> str | None:
        """Bring a file in, whose imports are there; where it is refused, protobuf's words for why."""
        try:
            self.pool.AddSerializedFile(raw)
        except (TypeError, ValueError) as error:
            return str(error)
        return None

    def add_known(self, name: str) -> bool:
        """Bring in a file that is known here, and all that it imports; whether it is there now."""
        try:
            return add_known(self.pool, name)
        except (TypeError, ValueError):
            return False

    def has_file(self, name: str) -> bool:
        """Whether a file of that name is there."""
        try:
            self.pool.FindFileByName(name)
        except KeyError:
            return False
        return True

    def has_type(self, full_name: str) -> bool:
        """Whether a message or an enum of that name is there."""
        for find in (self.pool.FindMessageTypeByName, self.pool.FindEnumTypeByName):
            try:
                find(full_name)
            except KeyError:
                continue
            return True
        return False

    def file_of(self, kind: str, full_name: str) -> str | None:
        """The name of the file that declares it; None where nobody does."""
        try:
            if kind == "extension":
                return str(self.pool.FindExtensionByName(full_name).file.name)  # type: ignore[attr-defined]  # the stubs forgot it
            return str(self.pool.FindFileContainingSymbol(full_name).name)
        except KeyError:
            return None

    def proto(self, name: str) -> descriptor_pb2.FileDescriptorProto:
        """A file that is there, as data."""
        return descriptor_pb2.FileDescriptorProto.FromString(self.pool.FindFileByName(name).serialized_pb)
