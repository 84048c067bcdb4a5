"""What is given as a certificate or a key: read in each of its forms, and refused by name without a key in sight."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

import explorer
import explorer.rpc
from explorer.errors import ConfigurationError
from explorer.rpc import Connection, channel_options, secure_channel
from explorer.rpc.certificates import ClientCertificate, client_certificate, root_pem
from explorer.secret import Secret

GARBAGE = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.fixture(scope="module")
def person(authority: trustme.CA) -> trustme.LeafCert:
    return authority.issue_cert("ada@example.org")


@pytest.fixture(scope="module")
def chain(person: trustme.LeafCert) -> bytes:
    return b"".join(pem.bytes() for pem in person.cert_chain_pems)


@pytest.fixture(scope="module")
def key(person: trustme.LeafCert) -> bytes:
    return person.private_key_pem.bytes()


class TestRoots:
    def test_each_form_gives_the_same(self, roots: bytes, tmp_path: Path) -> None:
        path = tmp_path / "ca.pem"
        path.write_bytes(b"# ours\n" + roots)
        assert root_pem(roots) == root_pem(roots.decode()) == roots
        assert root_pem(path) == root_pem(str(path)) == b"# ours\n" + roots

    def test_a_path_may_begin_at_home(self, roots: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        (tmp_path / "ca.pem").write_bytes(roots)
        assert root_pem("~/ca.pem") == roots

    @pytest.mark.parametrize(
        ("given", "named"),
        [
            (b"", "no PEM certificate"),
            (b"no pem", "no PEM certificate"),
            (b"\x30\x82\x01\x0a", "in DER, not in PEM"),
            ("", "there is nothing where PEM was due"),
            (7, "there is int where PEM was due"),
            ("/no/such/ca.pem", "'/no/such/ca.pem' cannot be read (No such file or directory)"),
            ("/", "'/' cannot be read (Is a directory)"),
            ("no\x00pem", "cannot be read"),
            ("a" * 5000, "cannot be read"),
            (GARBAGE, "cut or altered"),
            ("-----BEGIN PRIVATE KEY-----\n", "no PEM certificate"),
        ],
    )
    def test_what_is_none_is_refused_before_anything_is_sent(self, given: Any, named: str) -> None:
        for attempt in (root_pem, lambda roots: Connection("localhost:1", root_certificates=roots)):
            with pytest.raises(ConfigurationError) as caught:
                attempt(given)
            assert named in str(caught.value)
            assert "root_certificates" in str(caught.value)
            assert "PEM" in str(caught.value)

    def test_a_giant_file_is_not_read(self, tmp_path: Path) -> None:
        path = tmp_path / "disk.img"
        with path.open("wb") as sparse:
            sparse.truncate(2**33)
        with pytest.raises(ConfigurationError, match="too large to be PEM"):
            root_pem(path)


class TestClientCertificate:
    def test_each_form_gives_the_same(self, chain: bytes, key: bytes, tmp_path: Path) -> None:
        chain_path, key_path, both_path = (tmp_path / name for name in ("chain.pem", "key.pem", "both.pem"))
        chain_path.write_bytes(chain)
        key_path.write_bytes(key)
        both_path.write_bytes(key + chain)
        expected = ClientCertificate(chain, Secret(key.decode()))
        for given in (
            (chain, key),
            (chain.decode(), key.decode()),
            (chain, Secret(key.decode())),
            (chain_path, key_path),
            (str(chain_path), str(key_path)),
            expected,
        ):
            assert client_certificate(given) == expected
        both = client_certificate(both_path)
        assert client_certificate((both_path, key_path)).private_key == expected.private_key
        assert b"PRIVATE KEY" not in both.certificate_chain
        assert root_pem(both.certificate_chain) == both.certificate_chain  # still certificates

    def test_it_shows_neither_part(self, chain: bytes, key: bytes) -> None:
        options = channel_options(client_certificate=(chain, key))
        shown = f"{options} {options!r} {options.client_certificate!r} {[options]}"
        assert "BEGIN" not in shown
        assert "Secret(…)" in shown

    @pytest.mark.parametrize("form", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8])
    def test_keys_of_each_kind_are_read(self, chain: bytes, key: bytes, form: PrivateFormat) -> None:
        loaded = load_pem_private_key(key, password=None)
        again = loaded.private_bytes(Encoding.PEM, form, NoEncryption())
        assert client_certificate((chain, again)).certificate_chain == chain


def _encrypted(key: bytes) -> bytes:
    loaded = load_pem_private_key(key, password=None)
    return loaded.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open sesame"))


class TestRefusals:
    """Each names what is wrong; the key is in no sentence and in no frame of ours."""

    @pytest.fixture
    def wrong(self, authority: trustme.CA, chain: bytes, key: bytes, tmp_path: Path) -> dict[str, Any]:
        other = trustme.CA().issue_cert("bob@example.org")
        key_path = tmp_path / "key.pem"
        key_path.write_bytes(_encrypted(key))
        body = key.decode().split("\n")
        return {
            "is encrypted, and gRPC asks for no passphrase": (chain, _encrypted(key)),
            "is encrypted": (chain, key_path),
            "does not belong to the certificate": (chain, other.private_key_pem.bytes()),
            "Put the key's own one first": (authority.cert_pem.bytes() + chain, key),
            "the chain's PEM is cut or altered": (GARBAGE, key),
            "no PEM private key that can be read": (chain, "\n".join([body[0], *body[3:]])),
            "private_key is neither PEM nor a file": (chain, "".join(body[1:-2])),  # without its first and last line
            "neither PEM nor a file that": (chain, tmp_path / "no-key.pem"),
            "the chain holds no PEM certificate": (key, key),
            "no-chain.pem": (tmp_path / "no-chain.pem", key),
            "has 3 parts": (chain, key, "passphrase"),
            "has 1 parts": (key,),
            "the chain holds no PEM": key,
            "there is int where PEM": 7,
        }

    def test_each_is_named_and_no_key_shown(self, wrong: dict[str, Any], key: bytes) -> None:
        parts = [line for line in key.decode().split("\n") if line and "-----" not in line]
        for named, given in wrong.items():
            for attempt in (
                lambda given=given: client_certificate(given),
                lambda given=given: Connection("localhost:1", client_certificate=given),
                lambda given=given: secure_channel("localhost:1", client_certificate=given),
                lambda given=given: explorer.connect("localhost:1", client_certificate=given),
            ):
                with pytest.raises(ConfigurationError) as caught:
                    attempt()
                assert named in str(caught.value)
                text = str(caught.value) + _ours(caught.value)
                assert not any(part in text for part in parts), named
                assert "passphrase'" not in text

    def test_whatever_else_is_refused_the_key_is_out_of_sight(self, chain: bytes, key: bytes) -> None:
        line = key.decode().split("\n")[1]
        for wrong in (
            {"target": "two words"},
            {"target": "http://localhost:1"},
            {"server_name": "two words"},
            {"metadata": {"two words": "x"}},
            {"root_certificates": b""},
            {"user_agent": "\n"},
            {"token_source": "no source"},
        ):
            for attempt in (Connection, secure_channel, explorer.connect):
                settings: dict[str, Any] = {"target": "localhost:1", "client_certificate": (chain, key), **wrong}
                if attempt is secure_channel and settings.pop("metadata", None):
                    continue
                with pytest.raises(ConfigurationError) as caught:
                    attempt(**settings)
                assert line not in _ours(caught.value), wrong


def _ours(problem: BaseException) -> str:
    """Every local variable of our own frames, as a verbose traceback prints them."""
    ours = Path(explorer.rpc.__file__).parents[1]
    stack = traceback.TracebackException.from_exception(problem, capture_locals=True).stack
    shown = [str(frame.locals) for frame in stack if Path(frame.filename).is_relative_to(ours)]
    assert shown
    return "".join(shown)
