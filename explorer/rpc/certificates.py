"""Certificates for TLS, from PEM as bytes, as text or in a file: whom to trust, and who we are.

Rule and source: RFC 7468 (PEM), RFC 8446 §4.4.2 (client certificates). A private key is a :class:`Secret` from the
moment it is read; no error and no frame of a traceback holds it.
"""

from __future__ import annotations

import functools
import os
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from explorer.errors import ConfigurationError
from explorer.secret import Sealed, Secret, sealed
from explorer.text import printable

__all__ = ["ClientCertificate", "ClientCertificateLike", "PemLike", "client_certificate", "root_pem", "system_roots"]

PemLike: TypeAlias = bytes | str | os.PathLike[str]
"""PEM itself, as bytes or text, or the path of a file that holds it."""

_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"
_LARGEST_FILE = 4 * 2**20  # bytes; a system's whole list of authorities has 0.3 million
_EXPECTED_ROOTS = "Expected are PEM certificates (-----BEGIN CERTIFICATE-----), or the path of a file that holds them."
_EXPECTED_PAIR = (
    "Expected is client_certificate=(certificate_chain, private_key), each as PEM or as the path of a PEM file, or one "
    "file that holds both."
)


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """Who we are to a server that asks: a chain of certificates, ours first, and the key to the first.

    Attributes:
        certificate_chain: PEM.
        private_key: PEM, not encrypted; never shown.

    """

    certificate_chain: bytes = field(repr=False)
    private_key: Secret


ClientCertificateLike: TypeAlias = ClientCertificate | tuple[PemLike, PemLike | Secret] | PemLike | Secret
"""``(certificate_chain, private_key)``, or one PEM that holds both."""


def root_pem(given: PemLike) -> bytes:
    """The certificate authorities to trust, as PEM that can be read.

    Raises:
        ConfigurationError: There is no such file, or no certificate in it.

    """
    pem, problem = _read(given)
    if problem:
        raise ConfigurationError(f"root_certificates: {problem} {_EXPECTED_ROOTS}")
    if _CERTIFICATE not in pem:
        what = "a certificate in DER, not in PEM" if pem[:1] == b"\x30" else "no PEM certificate"
        raise ConfigurationError(f"root_certificates hold {what}. {_EXPECTED_ROOTS}")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem.decode("ascii", "ignore"))
    except ssl.SSLError:
        raise ConfigurationError(
            f"root_certificates hold no certificate that can be read: what stands in the PEM is cut or altered. "
            f"{_EXPECTED_ROOTS}"
        ) from None
    return pem


def client_certificate(given: ClientCertificateLike | Sealed[Any]) -> ClientCertificate:
    """The certificate and its key, read and found to belong together.

    Raises:
        ConfigurationError: One of them cannot be read, the key is encrypted, or is another certificate's.

    """
    given = sealed(given)  # from here on no verbose traceback shows a key
    found, problem = _pair(given)
    if found is None:
        raise ConfigurationError(problem)
    return found


@functools.cache
def system_roots() -> bytes | None:
    """The system's certificate authorities, a company's own among them; None leaves it to grpcio's own list."""
    if "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH" in os.environ:  # grpcio reads that one itself
        return None
    for path in (ssl.get_default_verify_paths().cafile, "/etc/ssl/certs/ca-certificates.crt"):
        if path and Path(path).is_file():
            return Path(path).read_bytes()
    found = ssl.create_default_context().get_ca_certs(binary_form=True)
    return "".join(map(ssl.DER_cert_to_PEM_cert, found)).encode() or None


def _pair(given: Sealed[Any]) -> tuple[ClientCertificate | None, str]:
    """The pair, or what is wrong with it; raises nothing, so that no frame with the key in it is in a traceback."""
    parts = given.open()
    if isinstance(parts, ClientCertificate):
        return parts, ""
    if isinstance(parts, tuple | list):
        if len(parts) != 2:
            return None, f"client_certificate has {len(parts)} parts. {_EXPECTED_PAIR}"
        chain_given, key_given = parts
    else:
        chain_given = key_given = parts
    chain, problem = _read(chain_given.reveal() if isinstance(chain_given, Secret) else chain_given)
    if problem or _CERTIFICATE not in chain:
        return None, f"client_certificate: {problem or 'the chain holds no PEM certificate.'} {_EXPECTED_PAIR}"
    key, problem = _read(key_given.reveal() if isinstance(key_given, Secret) else key_given)
    if problem:  # its own words might repeat a key that was taken for a path
        return None, f"client_certificate: the private_key is neither PEM nor a file that can be read. {_EXPECTED_PAIR}"
    return _matched(chain, Secret(key.decode("ascii", "replace")), combined=chain_given is key_given)


def _matched(chain: bytes, key: Secret, *, combined: bool) -> tuple[ClientCertificate | None, str]:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        certificates = x509.load_pem_x509_certificates(chain)
    except ValueError:
        return None, f"client_certificate: the chain's PEM is cut or altered. {_EXPECTED_PAIR}"
    try:
        loaded = load_pem_private_key(key.reveal().encode(), password=None)
    except TypeError:
        return None, (
            "client_certificate: the private_key is encrypted, and gRPC asks for no passphrase. Decrypt it first, as "
            "with: openssl pkey -in key.pem -out plain-key.pem"
        )
    except (ValueError, UnsupportedAlgorithm):
        return None, f"client_certificate: the private_key is no PEM private key that can be read. {_EXPECTED_PAIR}"
    public = loaded.public_key()
    if certificates[0].public_key() != public:
        if any(each.public_key() == public for each in certificates):
            return None, "client_certificate: the chain's first certificate is not ours. Put the key's own one first."
        return None, (
            "client_certificate: the private_key does not belong to the certificate "
            f"{printable(certificates[0].subject.rfc4514_string(), 200)!r}. Give the key that it was issued for."
        )
    return ClientCertificate(_certificates_only(chain) if combined else chain, key), ""


def _certificates_only(pem: bytes) -> bytes:
    """The certificates of a PEM that holds a key, too: where a chain is shown or sent, no key may be in it."""
    end = b"-----END CERTIFICATE-----"
    parts = pem.split(_CERTIFICATE)[1:]
    return b"".join(_CERTIFICATE + part.partition(end)[0] + end + b"\n" for part in parts)


def _read(given: object) -> tuple[bytes, str]:
    """The bytes, or what is wrong: PEM is what has its marks, other text is a path."""
    if isinstance(given, bytes | bytearray):
        return bytes(given), ""
    if isinstance(given, str) and "-----BEGIN " in given:
        return given.encode("utf-8", "replace"), ""
    if not isinstance(given, str | os.PathLike) or not os.fspath(given):
        return b"", f"there is {'nothing' if given == '' else type(given).__name__} where PEM was due."
    path = Path(given).expanduser()
    try:
        if path.stat().st_size > _LARGEST_FILE:
            return b"", f"the file {_shown(path)!r} is too large to be PEM."
        return path.read_bytes(), ""
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no path"
        return b"", f"the file {_shown(path)!r} cannot be read ({why})."


def _shown(path: Path) -> str:
    return printable(path, 200)
