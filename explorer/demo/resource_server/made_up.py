"""Made-up profiles and attachments: the same for the same person in every demo."""

from __future__ import annotations

import hashlib
import math
import random
import sqlite3
import struct
import zlib

from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import NULL_VALUE, Value
from google.protobuf.timestamp_pb2 import Timestamp

from explorer.demo.protos.directory_attachments_pb2 import Certificate, Note
from explorer.demo.protos.directory_service_pb2 import Address, Profile, Weekday

__all__ = ["UNHEARD_OF", "attachments_of", "packed", "profile_of", "unheard_of"]

UNHEARD_OF = "type.googleapis.com/elsewhere.v1.Hologram"
"""A type that no file here describes, as messages of other houses' types travel through a directory."""

_WEEK = (
    Weekday.WEEKDAY_MONDAY, Weekday.WEEKDAY_TUESDAY, Weekday.WEEKDAY_WEDNESDAY, Weekday.WEEKDAY_THURSDAY,
    Weekday.WEEKDAY_FRIDAY, Weekday.WEEKDAY_SATURDAY, Weekday.WEEKDAY_SUNDAY,
)  # fmt: skip
_YEAR = 365 * 86_400
_HOUR = 3600


def packed(message: Message) -> Any:
    """An Any of it."""
    parcel = Any()
    parcel.Pack(message)
    return parcel


def unheard_of() -> Any:
    """An Any that nobody here can open: field 1 a text, field 2 a number."""
    return Any(type_url=UNHEARD_OF, value=b"\x0a\x05light\x10\x2a")


def attachments_of(row: sqlite3.Row) -> list[Any]:
    """A certificate, notes with replies, a Duration, and something that nobody here can open."""
    chance = random.Random(f"attachments of {row['id']}")  # noqa: S311  made up, the same every time
    certificate = Certificate(course="First aid", points=chance.randint(1, 100), seal=chance.randbytes(16))
    certificate.passed.seconds = row["joined"] + chance.randrange(_YEAR)
    reply = Note(author_id="user7", text="So I have heard.", replies=[Note(author_id=row["id"], text="It is true.")])
    note = Note(author_id="user42", text=f"{row['name']} knows where the key is.", replies=[reply])
    return [packed(certificate), packed(note), packed(Duration(seconds=chance.randrange(_YEAR))), unheard_of()]


def profile_of(row: sqlite3.Row) -> Profile:
    """What this person would say; some leave a good deal out."""
    chance = random.Random(f"profile of {row['id']}")  # noqa: S311
    number, born = row["number"], row["joined"] - row["age"] * _YEAR
    profile = Profile(user_id=row["id"], photo=_photo(row["id"]), born=Timestamp(seconds=born))
    profile.working_day.seconds, profile.working_day.nanos = chance.choice((4, 6, 8)) * _HOUR, 500_000_000
    _add_contact(profile, row, chance)
    _add_employment(profile, chance, row["joined"])
    profile.figures.CopyFrom(_figures(number, chance))
    first = chance.randint(1, 4)
    profile.working_days.extend(_WEEK[first - 1 : first + 3])
    profile.lottery_numbers.extend(sorted(chance.sample(range(1, 50), 6)))
    profile.temperatures.extend(round(chance.uniform(36, 38), 1) for _ in range(3))
    profile.fingerprints.extend(chance.randbytes(4) for _ in range(2))
    profile.earlier_addresses.add(street=f"Old Road {chance.randint(1, 99)}", city="Bergen", country="NO")
    profile.absences.extend(Timestamp(seconds=row["joined"] + days * 86_400) for days in (30, 400))
    profile.phones.add(number=f"+44 1632 {chance.randrange(960_000, 961_000)}", takes_texts=False)
    profile.places["summer"].CopyFrom(Address(street="Shore 1", city="Skagen", country="DK", latitude=57.72))
    profile.rooms_by_floor.update({-1: "archive", 2: f"room {number % 40}"})
    profile.day_by_locker.update({2**64 - 1: Weekday.WEEKDAY_FRIDAY, number: Weekday.WEEKDAY_MONDAY})
    profile.notes["languages"].list_value.extend(["en", chance.choice(("de", "pt", "sw", "ja"))])
    profile.notes["left-handed"].bool_value = chance.random() < 0.1
    profile.breaks[True].seconds, profile.breaks[False].seconds = 1800, 900
    if chance.random() < 0.7 or row["name"] == "Ada Example":
        _add_optional(profile, chance)
    return profile


def _add_contact(profile: Profile, row: sqlite3.Row, chance: random.Random) -> None:
    kind = "email" if row["city"] is None else chance.choice(("email", "phone", "post"))
    if kind == "email":
        profile.email = f"{row['id']}@demo.example"
    elif kind == "phone":
        profile.phone.number = f"+44 1632 {chance.randrange(960_000, 961_000)}"
    else:
        profile.post.CopyFrom(Address(street=row["street"], city=row["city"], country=row["country"]))


def _add_employment(profile: Profile, chance: random.Random, since: int) -> None:
    employment = profile.employment
    employment.employer = chance.choice(("Atlas Ltd", "Borealis AS", "Cinder GmbH"))
    employment.contract.since.seconds = since
    employment.contract.notice.period.seconds = chance.choice((14, 30, 90)) * 86_400
    employment.contract.notice.in_writing = True
    employment.contract.earlier_notices.add().period.seconds = 7 * 86_400


def _figures(number: int, chance: random.Random) -> Profile.Figures:
    return Profile.Figures(
        utc_offset=chance.choice((-300, 0, 60, 345)),
        balance=chance.randint(-(2**60), 2**60),
        desk=chance.randrange(2**32),
        badge=2**63 + number,
        network_address=0x7F000001,
        device=chance.randrange(2**64),
        floor=chance.randint(-2, 40),
        last_seen=1_750_000_000_123_456_789 + number,
        height=chance.uniform(1.5, 2.0),
        fastest_mile=chance.choice((math.nan, math.inf, 301.5)),
        children=chance.randrange(4),
        steps=chance.randrange(2**53),
    )


def _add_optional(profile: Profile, chance: random.Random) -> None:
    """What many leave out: explicit emptiness, wrappers, and values of any shape."""
    profile.pronouns.value = ""
    profile.newsletter.value = False
    profile.shoe_size.value = chance.randint(35, 47)
    profile.loyalty_points.value = -(2**63)
    profile.lucky_number.value = 2**32 - 1
    profile.library_card.value = 2**64 - 1
    profile.coffee_per_day.value = 2.5
    profile.marathon_hours.value = chance.uniform(2.5, 6)
    profile.public_key.value = chance.randbytes(32)
    profile.preferences.update({"theme": "dark", "columns": ["id", "name"], "zoom": 1.25, "tips": None})
    profile.preferences.get_or_create_struct("grid")["shown"] = True
    profile.motto.CopyFrom(
        chance.choice((Value(string_value="Why not?"), Value(number_value=42), Value(null_value=NULL_VALUE)))
    )
    profile.playlist.extend(["Air", 9, True, None])
    profile.playlist.add_list().extend(["Gigue"])
    profile.badge.CopyFrom(packed(Certificate(course="Fire warden", points=chance.randint(1, 100))))
    profile.hidden.paths.extend(["born", "employment.contract.notice", "figures.balance"])
    profile.floor_preference = 0
    profile.website = "https://demo.example/~" + profile.user_id
    profile.signature = b""
    profile.day_off = Weekday.WEEKDAY_SUNDAY
    profile.rating = 0.0


def _photo(seed: str) -> bytes:
    """A PNG of 8 x 8 squares, mirrored, in one colour: a face, nearly."""
    digest = hashlib.sha256(seed.encode()).digest()
    rows = b"".join(b"\0" + bytes(_squares(digest[line])) for line in range(8))
    header = struct.pack(">IIBBBBB", 8, 8, 8, 3, 0, 0, 0)
    palette = b"\xf4\xf4\xf4" + digest[8:11]
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def _squares(bits: int) -> list[int]:
    half = [bits >> place & 1 for place in range(4)]
    return half + half[::-1]
