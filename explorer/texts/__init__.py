"""A call as text that makes it again: Python with this library, Python with a generated stub, or a grpcurl command.

None of them holds a token, nor a value of metadata that may be a secret: these are read when the text is run, from the
session or from the environment.
"""

from explorer.texts.asked import Asked, Hidden, Server, asked_of, hidden_metadata
from explorer.texts.grpcurl import grpcurl_text
from explorer.texts.library import collecting_text, library_text
from explorer.texts.stub import stub_text

__all__ = [
    "Asked",
    "Hidden",
    "Server",
    "asked_of",
    "collecting_text",
    "grpcurl_text",
    "hidden_metadata",
    "library_text",
    "stub_text",
]
