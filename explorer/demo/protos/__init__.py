r"""The demo's services as protocol buffers, and what protoc made of them.

Made again, from the repository's root, by::

    python -m grpc_tools.protoc -Iexplorer/demo/protos --python_out=explorer/demo/protos \
        --pyi_out=explorer/demo/protos explorer/demo/protos/*.proto
    python -m grpc_tools.protoc -Iexplorer/demo/protos --include_imports --include_source_info \
        --descriptor_set_out=explorer/demo/protos/descriptor_set.binpb explorer/demo/protos/*.proto

Messages only: the generated service classes would tie the demo to one version of grpcio. The files keep their short
names, so that a stub that somebody makes of the same file can be loaded beside them.
"""
