"""Ten thousand made-up people, the same ones in every demo, in SQLite."""

from __future__ import annotations

import json
import random
import sqlite3
import threading
from collections.abc import Mapping

__all__ = ["MOST_CHANGES", "NUMBER_OF_PEOPLE", "TEAMS", "Directory", "DirectoryFullError"]

NUMBER_OF_PEOPLE = 10_000
MOST_CHANGES = 20_000
"""Changes are kept in memory, and a demo may be left running."""

_SCHEMA = """
CREATE TABLE person (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE, name TEXT, role INTEGER, street TEXT, city TEXT, country TEXT,
    latitude REAL, longitude REAL, tags TEXT, attributes TEXT, nickname TEXT, joined INTEGER, sign_in_count INTEGER,
    age INTEGER, active INTEGER, score REAL);
CREATE INDEX person_by_role ON person (role, number);
"""
_COLUMNS = (
    "number", "id", "name", "role", "street", "city", "country", "latitude", "longitude", "tags", "attributes",
    "nickname", "joined", "sign_in_count", "age", "active", "score",
)  # fmt: skip
_INSERT = f"INSERT OR REPLACE INTO person VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608  marks only

_GIVEN_NAMES_TEXT = """
Amara Bruno Chiara Dario Elif Farid Greta Hana Ivo Jun Kaya Lars Mina Noor Oskar Priya Quinn Rosa Sven Tala Umar Vera
Wim Xenia Yara Zoë Ángel Björk Çağla Đorđe Łucja Śivā
"""
_FAMILY_NAMES_TEXT = """
Abe Berg Costa Dahl Evans Fabre Grau Haas Ito Jansen Kovač Lund Moreau Novák Okafor Petrov Quist Rossi Sato Tran Ueda
Varga Weber Xu Yilmaz Zhang
"""
_GIVEN_NAMES, _FAMILY_NAMES = _GIVEN_NAMES_TEXT.split(), _FAMILY_NAMES_TEXT.split()
_PLACES = (
    ("Lisbon", "PT", 38.72, -9.14), ("Oslo", "NO", 59.91, 10.75), ("Nairobi", "KE", -1.29, 36.82),
    ("Kyoto", "JP", 35.01, 135.77), ("Lima", "PE", -12.05, -77.04), ("Zürich", "CH", 47.37, 8.54),
    ("Hanoi", "VN", 21.03, 105.85), ("Halifax", "CA", 44.65, -63.57), ("Wellington", "NZ", -41.29, 174.78),
)  # fmt: skip
_STREETS = ("Harbour Road", "Mill Lane", "Station Street", "Garden Way", "Castle Hill")
_TAGS = ("chess", "cycling", "choir", "gardening", "go", "hiking", "knitting", "radio", "sailing")
TEAMS = ("atlas", "borealis", "cinder", "delta")
_FIRST_DAY = 1_420_070_400  # 2015-01-01, in seconds
_TEN_YEARS = 10 * 365 * 86_400
_ADA = 123


def _row(number: int, chance: random.Random) -> tuple[object, ...]:
    city, country, latitude, longitude = chance.choice(_PLACES)
    given, family = chance.choice(_GIVEN_NAMES), chance.choice(_FAMILY_NAMES)
    has_address = chance.random() < 0.95 or number == _ADA
    nickname = given[:3].lower() if chance.random() < 0.3 else None
    return (
        number,
        f"user{number}",
        "Ada Example" if number == _ADA else f"{given} {family}",
        3 if number == _ADA else chance.choices((1, 2, 3), (80, 17, 3))[0],
        f"{chance.choice(_STREETS)} {chance.randint(1, 120)}" if has_address else None,
        city if has_address else None,
        country if has_address else None,
        round(latitude + chance.uniform(-0.1, 0.1), 5) if has_address else None,
        round(longitude + chance.uniform(-0.1, 0.1), 5) if has_address else None,
        json.dumps(chance.sample(_TAGS, chance.randint(0, 3))),
        json.dumps({"team": chance.choice(TEAMS), "desk": f"{chance.randint(1, 9)}{chance.choice('ABC')}"}),
        nickname,
        _FIRST_DAY + chance.randrange(_TEN_YEARS),
        chance.randrange(5_000),
        chance.randint(18, 90),
        int(chance.random() < 0.9 or number == _ADA),
        chance.random(),
    )


class DirectoryFullError(Exception):
    """The directory takes no more changes."""


class Directory:
    """Reads and changes people. Safe from any thread: each has a connection and a copy of its own (some 2 MB).

    Copies, because in-memory databases shared among connections lock whole tables, and files outlive a killed process.
    Changes are kept in one list, in order; a thread does those to its copy that it has not done yet before it reads.
    """

    def __init__(self, number_of_people: int = NUMBER_OF_PEOPLE) -> None:
        chance = random.Random(123)  # noqa: S311  made-up people, the same every time
        with sqlite3.connect(":memory:") as connection:
            connection.executescript(_SCHEMA)
            rows = (_row(number, chance) for number in range(1, number_of_people + 1))
            connection.executemany(_INSERT, rows)
            connection.commit()
            self._image = connection.serialize()
        connection.close()
        self._local = threading.local()
        self._changes: list[tuple[object, ...]] = []
        self._lock = threading.RLock()
        self._last_number = number_of_people

    def connection(self) -> sqlite3.Connection:
        """The connection of the thread that asks, with all changes made so far."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(":memory:")
            connection.deserialize(self._image)
            connection.row_factory = sqlite3.Row
            self._local.connection, self._local.done = connection, 0
        if self._local.done < len(self._changes):
            missed = self._changes[self._local.done :]
            connection.executemany(_INSERT, missed)
            self._local.done += len(missed)
        return connection

    def person(self, condition: str, value: object) -> sqlite3.Row | None:
        """The first person for whom a condition of this program's own holds, such as ``id = ?``."""
        query = f"SELECT * FROM person WHERE {condition} ORDER BY number LIMIT 1"  # noqa: S608  fixed texts
        row: sqlite3.Row | None = self.connection().execute(query, (value,)).fetchone()
        return row

    def count(self) -> int:
        """How many people there are."""
        return self._last_number

    def changing(self) -> threading.RLock:
        """Held by whoever reads a person in order to change them, so that no change is lost."""
        return self._lock

    def put(self, values: Mapping[str, object]) -> str:
        """Put somebody in place of whoever has this number, or as somebody new where ``number`` is None; the id.

        :raises DirectoryFullError: after MOST_CHANGES changes.
        """
        with self._lock:
            if len(self._changes) >= MOST_CHANGES:
                raise DirectoryFullError
            number = values["number"]
            if number is None:
                number = self._last_number = self._last_number + 1
            values = {**values, "number": number, "id": f"user{number}"}
            self._changes.append(tuple(values[name] for name in _COLUMNS))
            return str(values["id"])
