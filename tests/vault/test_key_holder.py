"""Several computers with one database: one holds the keys, and the others ask it."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="needs the extra serve")

import requests
import uvicorn
from sealed_class import NAMES, fill
from typer.testing import CliRunner

from fewshot.api.key_holder import KeyHolder, serve_keys
from fewshot.api.rates import Rates
from fewshot.classroom.store import ClassStore
from fewshot.cli import app
from fewshot.database import Database
from fewshot.database.engine import keys_beside
from fewshot.errors import UsageError
from fewshot.research.bench.survival.postgres import Server
from fewshot.vault import FileKeys, HeldKeys, KeyGone, KeysUnusable

TOKEN = "0123456789abcdef" * 2


@contextmanager
def holder(folder: Path, **options: Any) -> Iterator[str]:
    """A key holder on a free port of this computer; gives its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    application = KeyHolder(FileKeys(folder), TOKEN, Rates(refused="5 per minute")).application()
    server = uvicorn.Server(uvicorn.Config(application, log_level="error", **options))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        scheme = "https" if options else "http"
        yield f"{scheme}://localhost:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()


@pytest.fixture
def url(fewshot_home: Path) -> Iterator[str]:
    with holder(fewshot_home / "held") as url:
        yield url


def test_it_is_a_key_store_as_the_file_is(url: str, fewshot_home: Path) -> None:
    keys = HeldKeys(url + "/", TOKEN)
    assert (keys.store, keys.exists, keys.names()) == ("", False, set())
    made = keys.make(3)
    assert keys.names() == set(made) and keys.exists
    there = FileKeys(fewshot_home / "held")
    assert {name: keys.key(name) for name in made} == {name: there.key(name) for name in made}
    assert keys.store == there.store != ""
    assert keys.drop([*made[:2], "ab" * 8]) == 2
    assert keys.names() == {made[2]}
    for name in made[:2]:
        with pytest.raises(KeyGone):
            keys.key(name)


def test_a_key_that_another_computer_dropped_is_forgotten(url: str) -> None:
    first, second = HeldKeys(url, TOKEN), HeldKeys(url, TOKEN)
    [name, other] = first.make(2)
    assert second.key(name) == first.key(name)
    generation = second.generation
    first.drop([name])
    second.refresh()  # as at the beginning of every transaction
    assert second.generation > generation
    with pytest.raises(KeyGone):
        second.key(name)
    assert second.key(other) == first.key(other)


def test_a_class_is_kept_and_erased_with_held_keys(url: str, tmp_path: Path, fewshot_home: Path) -> None:
    """Two computers: what one erases, the other cannot read any more, nor can a copy of the database from before."""
    database = Database(f"sqlite:///{tmp_path / 'school.db'}", HeldKeys(url, TOKEN))
    elsewhere = Database(f"sqlite:///{tmp_path / 'school.db'}", HeldKeys(url, TOKEN))
    fill(database).close()
    assert sorted(ClassStore(elsewhere).roster("physics").students) == sorted(NAMES)
    assert not (tmp_path / "keys.json").exists(), "no key may lie beside the database"
    before = (tmp_path / "school.db").read_bytes()
    ClassStore(elsewhere).remove_student("physics", NAMES[0])
    assert sorted(ClassStore(database).roster("physics").students) == sorted(NAMES[1:])
    database.close(), elsewhere.close()
    (tmp_path / "copy.db").write_bytes(before)
    with pytest.raises(KeyGone):
        ClassStore(Database(f"sqlite:///{tmp_path / 'copy.db'}", HeldKeys(url, TOKEN))).roster("physics")


@pytest.mark.parametrize("token", ["", "Bearer", "x" * 32, TOKEN[:-1], TOKEN + "0", "\u00e9" * 32])
def test_nobody_else_gets_anything(url: str, token: str, caplog: pytest.LogCaptureFixture) -> None:
    HeldKeys(url, TOKEN).make(1)
    header = {"authorization": f"Bearer {token}".encode()}
    asked = [("GET", "state"), ("GET", "names"), ("POST", "open"), ("POST", "make"), ("POST", "drop")]
    for method, path in asked:
        answer = requests.request(method, f"{url}/{path}", headers=header, data=b"{", timeout=20)
        assert (answer.status_code, list(answer.json())) == (401, ["error"])
    assert requests.get(f"{url}/state", headers=header, timeout=20).status_code == 429  # six in a minute
    assert token not in caplog.text or not token


def test_guessing_locks_the_address_out_even_with_the_right_token(url: str) -> None:
    for number in range(5):
        with pytest.raises(KeysUnusable, match="refuses the token"):
            HeldKeys(url, f"{number}" * 32).refresh()
    with pytest.raises(KeysUnusable, match="refuses the token"):
        HeldKeys(url, TOKEN).refresh()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("open", b"", 422), ("open", b"[]", 422), ("open", b"[" * 100_000, 422), ("open", b'{"names": "ab"}', 422),
        ("open", b'{"names": [7]}', 422), ("open", b'{"names": ["../keys"]}', 422), ("drop", b'{"names": [""]}', 422),
        ("make", b'{"count": 0}', 422), ("make", b'{"count": 1e9}', 422), ("make", b'{"count": true}', 422),
        ("make", b'{"count": 100000}', 422), ("drop", b" " * (4 * 2**20 + 1), 413),
        ("state", b"", 405), ("x", b"", 404),
    ],
)  # fmt: skip
def test_odd_requests_change_nothing(url: str, path: str, body: bytes, status: int) -> None:
    keys = HeldKeys(url, TOKEN)
    made = keys.make(1)
    header = {"authorization": f"Bearer {TOKEN}"}
    assert requests.post(f"{url}/{path}", headers=header, data=body, timeout=30).status_code == status
    assert keys.names() == set(made)


def test_a_holder_that_is_away_is_an_error_in_words(fewshot_home: Path) -> None:
    with holder(fewshot_home / "held") as url:
        keys = HeldKeys(url, TOKEN)
        [name] = keys.make(1)
        known = keys.key(name)
    for ask in (keys.refresh, keys.names, lambda: keys.make(1), lambda: keys.drop([name])):
        with pytest.raises(KeysUnusable, match=r"held by http://localhost:\d+ .*does not answer"):
            ask()
    assert keys.key(name) == known  # a moment of a lesson is still read


def test_keys_that_the_holder_cannot_open(url: str, fewshot_home: Path) -> None:
    keys = HeldKeys(url, TOKEN)
    keys.make(1)
    (fewshot_home / "held" / "keys.json").write_text("{", encoding="utf-8")
    with pytest.raises(KeysUnusable, match="503"):
        keys.make(1)


@pytest.mark.parametrize(
    "url",
    ["http://keys.example.org", "http://10.0.0.7:8470", "ftp://localhost", "localhost:8470", "https://a:b@x", "https://x/y",
     "https://", "https://x?token=1", "http://[::1", "http://127.0.0.1.example.org"],
)  # fmt: skip
def test_keys_never_travel_without_tls_or_to_what_is_no_address(url: str) -> None:
    with pytest.raises(UsageError):
        HeldKeys(url, TOKEN)


@pytest.mark.parametrize("token", ["", "short", " " * 40, "\u00fc" * 40, "a\n" * 20])
def test_a_token_must_be_a_secret(token: str, tmp_path: Path) -> None:
    for begin in (lambda: HeldKeys("http://localhost:1", token), lambda: KeyHolder(FileKeys(tmp_path), token)):
        with pytest.raises(UsageError, match="FEWSHOT_KEY_HOLDER_TOKEN"):
            begin()


def test_other_computers_reach_it_only_with_tls(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="without TLS"):
        serve_keys(tmp_path, "0.0.0.0", 1, TOKEN)
    with pytest.raises(UsageError, match="both"):
        serve_keys(tmp_path, "127.0.0.1", 1, TOKEN, tmp_path / "certificate.pem")
    with pytest.raises(UsageError, match="no file"):
        serve_keys(tmp_path, "0.0.0.0", 1, TOKEN, tmp_path / "certificate.pem", tmp_path / "key.pem")


def test_through_tls_only_a_certificate_that_is_trusted_counts(tmp_path: Path) -> None:
    certificate, private = _certificate(tmp_path)
    with holder(tmp_path / "held", ssl_certfile=certificate, ssl_keyfile=private) as url:
        assert len(HeldKeys(url, TOKEN, str(certificate)).make(2)) == 2
        with pytest.raises(KeysUnusable, match="certificate is not trusted"):
            HeldKeys(url, TOKEN).refresh()


def test_commands_use_the_holder_for_a_database_on_a_server(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FEWSHOT_KEY_HOLDER", url)
    monkeypatch.setenv("FEWSHOT_KEY_HOLDER_TOKEN", TOKEN)
    assert isinstance(keys_beside(tmp_path / "fewshot.db"), FileKeys)  # the keys of a file lie beside it
    held = keys_beside(None)
    assert isinstance(held, HeldKeys) and held.url == url
    held.make(1)
    for refused in (held.rotate, lambda: held.export(tmp_path / "x", ""), lambda: held.take_from(tmp_path / "x", "")):
        with pytest.raises(UsageError, match="on the computer where fewshot key serve runs"):
            refused()
    monkeypatch.setenv("FEWSHOT_KEY_HOLDER_TOKEN", "short")
    with pytest.raises(UsageError, match="at least 32"):
        keys_beside(None)


def test_two_computers_with_one_postgresql(
    url: str, postgres: Server, monkeypatch: pytest.MonkeyPatch, fewshot_home: Path
) -> None:
    monkeypatch.setenv("FEWSHOT_KEY_HOLDER", url)
    monkeypatch.setenv("FEWSHOT_KEY_HOLDER_TOKEN", TOKEN)
    address = postgres.fresh()
    first, second = Database(address), Database(address)
    fill(first).close()
    assert sorted(ClassStore(second).roster("physics").students) == sorted(NAMES)
    ClassStore(second).remove_student("physics", NAMES[1])
    assert sorted(ClassStore(first).roster("physics").students) == sorted([NAMES[0], NAMES[2]])
    assert not list(fewshot_home.glob("keys.json"))
    first.close(), second.close()


def test_the_command_needs_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FEWSHOT_KEY_HOLDER_TOKEN", raising=False)
    done = CliRunner().invoke(app, ["key", "serve"])
    assert done.exit_code != 0 and "FEWSHOT_KEY_HOLDER_TOKEN" in done.output


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost that vouches for itself, and its private key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    private, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    named = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1)).add_extension(named, critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(private, hashes.SHA256())
    )  # fmt: skip
    certificate, key = folder / "certificate.pem", folder / "private.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate, key
