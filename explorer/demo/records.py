"""What the authorization server remembers, in SQLite: in memory, gone with the process.

Codes, refresh tokens and session ids are kept as SHA-256 digests: a reader of the records cannot use them.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["AuthorizationCode", "DeviceCredential", "Records", "RefreshToken", "Session", "digest"]

_SCHEMA = """
CREATE TABLE family (id TEXT PRIMARY KEY, client_id TEXT, username TEXT, dead TEXT);
CREATE TABLE authorization_code (
    code TEXT PRIMARY KEY, family TEXT, client_id TEXT, username TEXT, redirect_uri TEXT, scope TEXT, audience TEXT,
    nonce TEXT, auth_time REAL, code_challenge TEXT, expiry REAL, used INTEGER DEFAULT 0);
CREATE TABLE refresh_token (
    token TEXT PRIMARY KEY, family TEXT, client_id TEXT, username TEXT, scope TEXT, audience TEXT, auth_time REAL,
    expiry REAL, used INTEGER DEFAULT 0);
CREATE TABLE device_credential (
    device_code TEXT PRIMARY KEY, user_code TEXT UNIQUE, client_id TEXT, scope TEXT, audience TEXT, expiry REAL,
    interval REAL, last_poll REAL, username TEXT, granted TEXT, outcome TEXT, auth_time REAL);
CREATE TABLE access_token (
    jti TEXT PRIMARY KEY, client_id TEXT, grant_type TEXT, subject TEXT, scope TEXT, issued_at REAL, expires_in REAL,
    expiry REAL);
CREATE TABLE client_assertion (jti TEXT PRIMARY KEY, expiry REAL);
CREATE TABLE session (id TEXT PRIMARY KEY, csrf_token TEXT, username TEXT, auth_time REAL);
"""


def digest(secret: str) -> str:
    """What is kept in place of ``secret``."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True)
class AuthorizationCode:
    """A code on its way to the token endpoint. ``expiry`` and ``auth_time`` in seconds of the demo's clock."""

    code: str
    family: str
    client_id: str
    username: str
    redirect_uri: str
    scope: str
    audience: str
    nonce: str | None
    auth_time: float
    code_challenge: str
    expiry: float
    used: int = 0

    code_challenge_method = "S256"

    def get_redirect_uri(self) -> str:
        """The URI the code was sent to (RFC 6749 §4.1.3)."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """The scopes the person granted."""
        return self.scope


@dataclass(frozen=True)
class RefreshToken:
    """One link of a family: each refresh uses one up and leaves the next."""

    token: str
    family: str
    client_id: str
    username: str
    scope: str
    audience: str
    auth_time: float
    expiry: float
    used: int = 0

    def check_client(self, client: object) -> bool:
        """Whether it was issued to this client."""
        return getattr(client, "client_id", None) == self.client_id

    def get_scope(self) -> str:
        """The scopes originally granted (RFC 6749 §6)."""
        return self.scope


@dataclass(frozen=True)
class DeviceCredential:
    """A device that waits for a person. ``outcome`` is None, then "allowed" or "denied", at last "used"."""

    device_code: str
    user_code: str
    client_id: str
    scope: str
    audience: str
    expiry: float
    interval: float
    last_poll: float | None = None
    username: str | None = None
    granted: str | None = None
    outcome: str | None = None
    auth_time: float | None = None

    def get_client_id(self) -> str:
        """The client the device code was given to."""
        return self.client_id

    def get_scope(self) -> str:
        """The scopes the person granted."""
        return self.granted or ""


@dataclass(frozen=True)
class Session:
    """A browser at the pages, signed in where ``username`` is not None."""

    id: str
    csrf_token: str
    username: str | None = None
    auth_time: float | None = None


class Records:
    """The tables above. Every method is one transaction; safe from any thread (one connection, one lock)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.executescript(_SCHEMA)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._connection:
            yield self._connection

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._connection.close()

    def _insert(self, table: str, row: object) -> None:
        values = vars(row)
        marks = ", ".join(f":{name}" for name in values)
        with self._transaction() as connection:  # names of tables and columns are this module's own
            connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", values)  # noqa: S608 - no value of anybody else is in it

    def _one(self, query: str, *values: object) -> sqlite3.Row | None:
        with self._transaction() as connection:
            row: sqlite3.Row | None = connection.execute(query, values).fetchone()
        return row

    # families

    def open_family(self, family: str, client_id: str, username: str) -> None:
        """Begin the line of refresh tokens that follows from one grant."""
        with self._transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO family VALUES (?, ?, ?, NULL)", (family, client_id, username))

    def family_is_alive(self, family: str) -> bool:
        """Whether the family was opened and not killed since."""
        return self._one("SELECT 1 FROM family WHERE id = ? AND dead IS NULL", family) is not None

    def kill_family(self, family: str, reason: str) -> bool:
        """End a family for good; whether it was alive."""
        with self._transaction() as connection:
            cursor = connection.execute("UPDATE family SET dead = ? WHERE id = ? AND dead IS NULL", (reason, family))
        return cursor.rowcount == 1

    def kill_families_of(self, client_id: str, reason: str) -> int:
        """End all living families of a client; how many."""
        with self._transaction() as connection:
            cursor = connection.execute(
                "UPDATE family SET dead = ? WHERE client_id = ? AND dead IS NULL", (reason, client_id)
            )
        return cursor.rowcount

    # authorization codes

    def save_code(self, code: AuthorizationCode) -> None:
        """Keep a code."""
        self._insert("authorization_code", code)

    def use_code(self, code: str, client_id: str) -> tuple[AuthorizationCode, bool] | None:
        """The code, and whether this is its first use; None where this client has no such code.

        One statement decides, so of two requests at once one is first.
        """
        with self._transaction() as connection:
            query = "UPDATE authorization_code SET used = 1 WHERE code = ? AND client_id = ? AND used = 0"
            first = connection.execute(query, (digest(code), client_id)).rowcount == 1
            row = connection.execute(
                "SELECT * FROM authorization_code WHERE code = ? AND client_id = ?", (digest(code), client_id)
            ).fetchone()
        return None if row is None else (AuthorizationCode(**dict(row)), first)

    # refresh tokens

    def save_refresh_token(self, token: RefreshToken) -> None:
        """Keep a refresh token."""
        self._insert("refresh_token", token)

    def refresh_token(self, token: str) -> RefreshToken | None:
        """What is known of a refresh token's value."""
        row = self._one("SELECT * FROM refresh_token WHERE token = ?", digest(token))
        return None if row is None else RefreshToken(**dict(row))

    def use_refresh_token(self, token: RefreshToken) -> bool:
        """Use a refresh token up; False where somebody else did before. One statement decides."""
        with self._transaction() as connection:
            cursor = connection.execute(
                "UPDATE refresh_token SET used = 1 WHERE token = ? AND used = 0", (token.token,)
            )
        return cursor.rowcount == 1

    # devices

    def save_device(self, device: DeviceCredential) -> None:
        """Keep a device authorization request."""
        self._insert("device_credential", device)

    def device(self, device_code: str) -> DeviceCredential | None:
        """The request with this device code."""
        row = self._one("SELECT * FROM device_credential WHERE device_code = ?", digest(device_code))
        return None if row is None else DeviceCredential(**dict(row))

    def waiting_device(self, user_code: str, now: float) -> DeviceCredential | None:
        """The request with this user code that still waits for a person."""
        query = "SELECT * FROM device_credential WHERE user_code = ? AND outcome IS NULL AND expiry > ?"
        row = self._one(query, user_code, now)
        return None if row is None else DeviceCredential(**dict(row))

    def settle_device(self, device: DeviceCredential, outcome: str, username: str, granted: str, now: float) -> bool:
        """A person said yes ("allowed") or no ("denied"); False where somebody had said so before."""
        query = """UPDATE device_credential SET outcome = ?, username = ?, granted = ?, auth_time = ?
                   WHERE device_code = ? AND outcome IS NULL"""
        with self._transaction() as connection:
            cursor = connection.execute(query, (outcome, username, granted, now, device.device_code))
        return cursor.rowcount == 1

    def use_device(self, device: DeviceCredential) -> bool:
        """Use up an allowed request; False where it was not, or no longer, allowed."""
        with self._transaction() as connection:
            cursor = connection.execute(
                "UPDATE device_credential SET outcome = 'used' WHERE device_code = ? AND outcome = 'allowed'",
                (device.device_code,),
            )
        return cursor.rowcount == 1

    def polled(self, device: DeviceCredential, now: float, interval: float) -> None:
        """Remember when a device last asked, and how long it now has to wait."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE device_credential SET last_poll = ?, interval = ? WHERE device_code = ?",
                (now, interval, device.device_code),
            )

    # client assertions

    def use_assertion(self, jti: str, expiry: float, now: float) -> bool:
        """Use a client's assertion up; False where it was used before. One statement decides."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM client_assertion WHERE expiry < ?", (now,))
            row = (digest(jti), expiry)
            return connection.execute("INSERT OR IGNORE INTO client_assertion VALUES (?, ?)", row).rowcount == 1

    # access tokens: a list of what was issued, never the tokens themselves

    def note_access_token(self, **facts: str | float) -> None:
        """Remember that an access token was issued."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO access_token VALUES "
                "(:jti, :client_id, :grant_type, :subject, :scope, :issued_at, :expires_in, :expiry)",
                facts,
            )

    def access_tokens(self) -> list[dict[str, str | float]]:
        """The access tokens issued so far, oldest first."""
        with self._transaction() as connection:
            return [dict(row) for row in connection.execute("SELECT * FROM access_token ORDER BY rowid")]

    # sessions

    def save_session(self, session: Session) -> None:
        """Keep a browser's session."""
        self._insert("session", session)

    def session(self, session_id: str) -> Session | None:
        """The session whose cookie holds this value."""
        row = self._one("SELECT * FROM session WHERE id = ?", digest(session_id))
        return None if row is None else Session(**dict(row))

    def end_session(self, session: Session) -> None:
        """Forget a session."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM session WHERE id = ?", (session.id,))
