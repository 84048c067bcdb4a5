"""The demo's services as protocol buffers, and what protoc made of them.

Made again, from the repository's root, by::

    python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. --grpc_python_out=. explorer/demo/protos/*.proto
"""
