"""How a call ended, where gRPC's own core wrote the words: put so that a person knows what happened and what to do."""

from __future__ import annotations

import re

import grpc

__all__ = ["CALL_AGAIN", "MORE_TIME", "NONE_OF_TWO", "NO_VALUE", "TWO_VALUES", "ending_of"]

CALL_AGAIN = "Call again once it is back."
MORE_TIME = "Allow the call more time (its timeout, in seconds), or ask for less."

NO_VALUE = (
    "no value received: the server said OK, but sent no complete message. Its answer may have been cut on the way, or "
    "its code is at fault."
)

_SENT_MORE = "two values received: the method answers with one message, and the server sent more."
_AT_FAULT = "server's code is at fault, or its schema is another than the one that is known here."

TWO_VALUES = f"{_SENT_MORE} The first is kept; the {_AT_FAULT}"

NONE_OF_TWO = f"{_SENT_MORE} None is kept; the {_AT_FAULT}"

_GONE = re.compile(
    r"Socket closed|GOAWAY|Connection reset|Broken pipe|recvmsg|RST_STREAM|Stream removed|keepalive|endpoint|"
    r"Connection closed|Channel closed|^Cancelling all calls$",  # the last: a server that is being stopped
    re.IGNORECASE,
)
_NO_STATUS = re.compile(r"END_STREAM flag received|Stream removed|trailers", re.IGNORECASE)
_TOO_LARGE = re.compile(
    r"(?P<server>SERVER: |grpc: )?(?P<way>received|sent|trying to send) message larger than max "
    r"\((?P<size>\d+) vs\. (?P<most>\d+)\)",  # core has SERVER or CLIENT before it, a server in Go has grpc
    re.IGNORECASE,
)
_LIMITS = {
    ("ours", "received"): "a message of {size} bytes came, and {most} are allowed. Connect with a larger "
    "max_receive_message_length.",
    ("ours", "sent"): "the request has {size} bytes, and {most} are allowed, so it was not sent. Connect with a larger "
    "max_send_message_length.",
    ("the server's", "received"): "the request has {size} bytes, and the server takes {most} at most. Send less at a "
    "time, or raise the server's own limit.",
    (
        "the server's",
        "sent",
    ): "the answer has {size} bytes, and the server sends {most} at most. Ask for less at a time, "
    "or raise the server's own limit.",
}
_UNPACKED_TOO_LARGE = "Decompressed message larger than max"  # core says neither whose limit it was nor how large
_TOO_MUCH_METADATA = re.compile(r"received (?:initial |trailing )?metadata size exceeds \w+ limit", re.IGNORECASE)
_OURS = "Stream removed"  # what core says where it was this side that would not read on


def ending_of(code: grpc.StatusCode, details: str, *, target: str, timeout: float) -> str:
    """Core's words made plain; a server's own words come back as they are.

    Args:
        code: The call's status code.
        details: The call's status text.
        target: Who was called.
        timeout: Seconds that the call had.

    """
    if code is grpc.StatusCode.UNAVAILABLE and _GONE.search(details):
        return f"{target} went away before the call was over; whether the server acted on it is not known. {CALL_AGAIN}"
    if code is grpc.StatusCode.UNKNOWN and _NO_STATUS.search(details):
        return (
            f"{target} ended the call without a status, so whether all of its answer came is not known. Its code, or a "
            "proxy between, is at fault."
        )
    if code is grpc.StatusCode.DEADLINE_EXCEEDED and "Deadline Exceeded" in details:
        return f"no end within {timeout:g} s. {MORE_TIME}"
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return _too_much(details)
    if code is grpc.StatusCode.CANCELLED and "Locally cancelled" in details:
        return "The call was stopped here, before the server had ended it."
    if code is grpc.StatusCode.CANCELLED and "Channel closed" in details:
        return "The connection was closed here while the call was under way."
    return details


def _too_much(details: str) -> str:
    """Which limit it was, and whose, where it was one of gRPC's own."""
    if match := _TOO_LARGE.search(details):
        whose = "the server's" if match["server"] else "ours"
        way = "received" if match["way"].lower() == "received" else "sent"
        return _LIMITS[whose, way].format(**match.groupdict())
    if _UNPACKED_TOO_LARGE in details:
        return (
            "a compressed message unpacks to more than may be received. Where it is the answer, and meant to be so "
            "large, connect with a larger max_receive_message_length."
        )
    if _TOO_MUCH_METADATA.search(details) and _OURS in details:
        return (
            "the server sent more metadata than is taken here. Where that is meant, connect with "
            'options=[("grpc.max_metadata_size", n), ("grpc.absolute_max_metadata_size", n)], n in bytes.'
        )
    if _TOO_MUCH_METADATA.search(details):
        return "more metadata was sent than the server takes. Send less, or raise the server's own limit."
    return details
