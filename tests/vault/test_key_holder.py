"""Several computers with one database: one holds the keys, and the others ask it."""

from __future__ import annotations

import http.server
import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="needs the extra serve")

import requests
import uvicorn
from sealed_class import NAMES, fill
from typer.testing import CliRunner

from fewshot.access.safety import Safety
from fewshot.api.key_holder import KeyHolder, serve_keys
from fewshot.api.rates import Rates
from fewshot.backup.manage import manage
from fewshot.classroom.store import ClassStore
from fewshot.cli import app
from fewshot.commands import doctor
from fewshot.database import Database, open_database
from fewshot.database.place import keys_beside
from fewshot.database.words import ErasurePending
from fewshot.errors import StoreError, UsageError
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


def test_a_backup_of_a_database_whose_keys_are_held(
    url: str, postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fewshot_home: Path
) -> None:
    """It opens only where the key holder answers, and what was erased since has no key."""
    monkeypatch.setattr("fewshot.backup.on_server.LEAVING", 0.2)
    monkeypatch.setenv("FEWSHOT_KEY_HOLDER", url)
    monkeypatch.setenv("FEWSHOT_KEY_HOLDER_TOKEN", TOKEN)
    monkeypatch.setenv("FEWSHOT_DATABASE", postgres.fresh())
    fill(open_database()).close()
    secret = tmp_path / "passphrase"
    secret.write_text("correct horse battery", encoding="utf-8")
    words = ["--passphrase-file", str(secret)]
    run = CliRunner().invoke
    assert run(app, ["backup", str(tmp_path / "b"), *words]).exit_code == 0
    with pytest.raises(UsageError, match="key holder"):
        manage(open_database(), tmp_path)
    ClassStore().remove_student("physics", NAMES[0])
    again = run(app, ["restore", str(tmp_path / "b"), *words, "--yes"])
    assert again.exit_code == 0, again.output
    assert sorted(ClassStore().roster("physics").students) == sorted(NAMES[1:])
    monkeypatch.setenv("FEWSHOT_DATABASE", postgres.fresh())
    again = run(app, ["restore", str(tmp_path / "b"), *words, "--yes"])
    assert again.exit_code == 0, "the list of what was erased lies in the program's folder"
    assert sorted(ClassStore().roster("physics").students) == sorted(NAMES[1:])
    assert (fewshot_home / "erased.json").exists()


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


def test_guessing_stops_no_lesson_at_the_same_address(url: str) -> None:
    """Whoever shares an address with the computers of the installation must not be able to lock them out."""
    for number in range(8):
        wrong = {"authorization": f"Bearer {TOKEN[:-1]}{number}"}
        answer = requests.get(f"{url}/state", headers=wrong, timeout=20)
        assert answer.status_code == (401 if number < 5 else 429)
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


@contextmanager
def answering(*bodies: bytes | None) -> Iterator[tuple[str, list[str]]]:
    """A server that is no key holder; gives its address and the paths that were asked for.

    Args:
        bodies: one for each request, the last one for all that follow; None closes the connection without an answer.
    """
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = bodies[min(len(asked), len(bodies) - 1)]
            asked.append(self.path)
            if body is None:
                self.close_connection = True
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join(20)


_STATE = b'{"store": "a", "generation": 1'


@pytest.mark.parametrize(
    "body",
    [b"[]", b"7", b"<html>", b"\xff", b"{}", b'{"store": 1, "generation": "x"}', b'{"store": "a", "generation": 1e400}',
     _STATE + b"}", _STATE + b', "keys": [], "names": 7, "dropped": "x"}',
     _STATE + b', "keys": {"ab": "zz"}, "names": []}', _STATE + b', "keys": {"ab": "00"}, "names": [7, 7, 7]}'],
)  # fmt: skip
def test_what_is_no_key_holder_is_named_and_not_a_damaged_database(body: bytes, tmp_path: Path) -> None:
    with answering(body) as (url, _):
        for ask in (lambda keys: keys.make(1), lambda keys: keys.key("ab"), lambda keys: keys.drop(["ab"])):
            with pytest.raises(KeysUnusable, match="what answers there is no key holder"):
                ask(HeldKeys(url, TOKEN))
        if not body.startswith(_STATE):
            with pytest.raises(KeysUnusable, match="no key holder"):
                fill(Database(f"sqlite:///{tmp_path / 'school.db'}", HeldKeys(url, TOKEN)))


def test_a_connection_that_the_holder_has_closed_is_opened_again() -> None:
    with answering(None, _STATE + b"}") as (url, asked):
        HeldKeys(url, TOKEN).refresh()
        assert asked == ["/state", "/state"]
    with answering(None) as (url, asked):
        with pytest.raises(KeysUnusable, match="does not answer"):
            HeldKeys(url, TOKEN).refresh()
        assert len(asked) == 2


def test_threads_do_not_wait_for_a_dead_holder_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    keys, asked, all_wait = HeldKeys("http://127.0.0.1:9", TOKEN), list[int](), threading.Event()

    def dead(*_: Any, **__: Any) -> Any:
        asked.append(1)
        assert all_wait.wait(20)
        raise requests.ReadTimeout

    monkeypatch.setattr(keys._web, "request", dead)
    turn, waiting = keys._turn, threading.Semaphore(0)

    class Turn:
        def __enter__(self) -> None:
            waiting.release()
            turn.acquire()

        def __exit__(self, *_: Any) -> None:
            turn.release()

    keys._turn = Turn()  # type: ignore[assignment]
    faults: list[BaseException] = []

    def ask() -> None:
        try:
            keys.refresh()
        except KeysUnusable as error:
            faults.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert all(waiting.acquire(timeout=20) for _ in threads)
    all_wait.set()
    for thread in threads:
        thread.join(20)
    assert (len(faults), len(asked)) == (4, 1)


def test_a_key_that_is_dropped_while_it_is_fetched_is_not_remembered(url: str) -> None:
    keys, other = HeldKeys(url, TOKEN), HeldKeys(url, TOKEN)
    [name, _] = other.make(2)
    keys.refresh()
    take_over = keys._take_over

    def dropped_now(answer: dict[str, Any]) -> None:
        take_over(answer)
        if "keys" in answer and not threads:
            other.drop([name])
            refresh = threading.Thread(target=keys.refresh)  # a transaction of another thread begins
            refresh.start()
            refresh.join(1)  # it may have to wait until the key is remembered
            threads.append(refresh)

    threads: list[threading.Thread] = []
    keys._take_over = dropped_now  # type: ignore[method-assign]
    keys.key(name)
    threads[0].join(20)
    with pytest.raises(KeyGone):
        keys.key(name)


def test_a_certificate_that_is_no_file_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(KeysUnusable, match="the file in FEWSHOT_KEY_HOLDER_CERTIFICATE cannot be used"):
        HeldKeys("https://127.0.0.1:9", TOKEN, str(tmp_path / "missing.pem")).refresh()


def test_nothing_is_written_or_erased_with_the_holder_of_another_installation(tmp_path: Path, url: str) -> None:
    file = f"sqlite:///{tmp_path / 'school.db'}"
    mine = Database(file, HeldKeys(url, TOKEN))
    fill(mine).close()
    with holder(tmp_path / "empty") as empty, holder(tmp_path / "other") as other:
        HeldKeys(other, TOKEN).make(1)
        for wrong in (empty, other):
            elsewhere = ClassStore(Database(file, HeldKeys(wrong, TOKEN)))
            with pytest.raises(StoreError):
                elsewhere.create("latin")
            with pytest.raises(StoreError):
                elsewhere.delete("physics")
            with pytest.raises(KeysUnusable, match="not those that"), elsewhere.database.erase():
                pass
            elsewhere.database.close()
    assert ClassStore(mine).names() == ["physics"]
    mine.close()


def test_keys_are_dropped_later_if_the_holder_is_away_at_the_end_of_an_erasure(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = HeldKeys(url, TOKEN)
    database = Database(f"sqlite:///{tmp_path / 'school.db'}", keys)
    fill(database).close()
    count = len(keys.names())
    with monkeypatch.context() as patch:
        patch.setattr(keys, "drop", lambda _names: keys._fail("it does not answer"))
        with pytest.raises(ErasurePending, match="keys could not be dropped yet"):
            ClassStore(database).remove_student("physics", NAMES[0])
        database._drop_again = 0.0
        database.finish_erasing()  # the holder is still away
    assert len(keys.names()) > count
    database._drop_again = 0.0
    database.finish_erasing()  # as the next page of the app does
    assert len(keys.names()) == count - 1
    database.close()


@pytest.mark.parametrize(
    "url",
    ["http://keys.example.org", "http://10.0.0.7:8470", "ftp://localhost", "localhost:8470", "https://a:b@x", "https://x/y",
     "https://", "https://x?token=1", "http://[::1", "http://127.0.0.1.example.org"],
)  # fmt: skip
def test_keys_never_travel_without_tls_or_to_what_is_no_address(url: str) -> None:
    with pytest.raises(UsageError):
        HeldKeys(url, TOKEN)


@pytest.mark.parametrize("token", ["", "short", " " * 40, "\u00fc" * 40, "a\n" * 20, "x" * 40, "abcabca" * 6])
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


def test_a_holder_that_is_away_is_no_unfinished_erasure_where_nothing_was_erased(
    fewshot_home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = f"sqlite:///{tmp_path / 'school.db'}"
    with holder(fewshot_home / "held") as url:
        fill(Database(file, HeldKeys(url, TOKEN))).close()
    caplog.clear()
    with suppress(KeysUnusable):
        Database(file, HeldKeys(url, TOKEN)).close()
    assert "could not be dropped" not in caplog.text


def test_doctor_notices_a_holder_that_has_not_the_keys(
    url: str, monkeypatch: pytest.MonkeyPatch, fewshot_home: Path, tmp_path: Path
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'school.db'}", HeldKeys(url, TOKEN))
    fill(database).close()
    with holder(tmp_path / "empty") as empty:
        monkeypatch.setattr(Safety, "here", classmethod(lambda cls: cls(database, HeldKeys(empty, TOKEN))))
        found = doctor._encryption()
    assert found.state == "problem" and "not those that" in str(found)
    database.close()


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
