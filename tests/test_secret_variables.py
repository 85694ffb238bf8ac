"""Secrets that come from files: what is wrong with a file is said, and the secret itself never."""

from __future__ import annotations

from pathlib import Path

import pytest

from fewshot.accounts import oidc
from fewshot.database import address as addresses
from fewshot.database import engine, place
from fewshot.errors import UsageError
from fewshot.secret_variables import secret_variable
from fewshot.session import turn_password
from fewshot.vault.key_file import KeyFile

NAME = "FEWSHOT_KEY"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (NAME, addresses.VARIABLE, addresses.PASSWORD, turn_password.VARIABLE):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("hush\n", encoding="utf-8")
    return path


def test_neither_is_none_and_an_empty_variable_is_empty() -> None:
    assert secret_variable(NAME, {}) is None
    assert secret_variable(NAME, {NAME: ""}) == ""
    assert secret_variable(NAME, {NAME: "a", f"{NAME}_FILE": " "}) == "a"


def test_both_are_refused_without_telling_the_secret(secret_file: Path) -> None:
    with pytest.raises(UsageError, match="both set") as caught:
        secret_variable(NAME, {NAME: "loud", f"{NAME}_FILE": str(secret_file)})
    assert "loud" not in str(caught.value) and "hush" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"  \n", b"hush\nmore\n", b"\xff\xfe\x00", b"x" * 5000])
def test_a_file_that_holds_something_else_is_refused(secret_file: Path, content: bytes) -> None:
    secret_file.write_bytes(content)
    with pytest.raises(UsageError, match="FEWSHOT_KEY_FILE") as caught:
        secret_variable(NAME, {f"{NAME}_FILE": str(secret_file)})
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("name", ["none", "."])
def test_a_file_that_is_not_there_or_is_a_folder_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        secret_variable(NAME, {f"{NAME}_FILE": str(tmp_path / name)})


@pytest.mark.parametrize("content", [b"hush", b"hush\n", b"hush\r\n", b"\xef\xbb\xbfhush\n"])
def test_one_line_is_the_secret(secret_file: Path, content: bytes) -> None:
    secret_file.write_bytes(content)
    assert secret_variable(NAME, {f"{NAME}_FILE": str(secret_file)}) == "hush"


def test_a_missing_file_stops_the_database_and_does_not_open_another_one(
    tmp_path: Path, fewshot_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a server whose secret was not mounted would begin a second, empty database."""
    monkeypatch.setenv("FEWSHOT_DATABASE_FILE", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="FEWSHOT_DATABASE_FILE"):
        engine.open_database()
    assert not (fewshot_home / "fewshot.db").exists()


def test_the_address_of_the_database_comes_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "address").write_text(f"sqlite:///{tmp_path / 'other.db'}\n")
    monkeypatch.setenv("FEWSHOT_DATABASE_FILE", str(tmp_path / "address"))
    assert place.default_file() == tmp_path / "other.db"
    assert engine.open_database().path == tmp_path / "other.db"


def test_the_password_of_the_database_is_put_into_its_address(
    secret_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_file.write_text("h:u/s@h%\n")
    monkeypatch.setenv("FEWSHOT_DATABASE", "postgresql+psycopg://fewshot@database/fewshot")
    monkeypatch.setenv("FEWSHOT_DATABASE_PASSWORD_FILE", str(secret_file))
    address = addresses.make_url(addresses.named())
    assert (address.username, address.password, address.host) == ("fewshot", "h:u/s@h%", "database")


@pytest.mark.parametrize(
    ("address", "words"),
    [("postgresql+psycopg://u:other@h/d", "holds a password"), ("sqlite:////tmp/x.db", "is a file")],
)
def test_a_password_that_belongs_nowhere_is_refused(address: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEWSHOT_DATABASE", address)
    monkeypatch.setenv("FEWSHOT_DATABASE_PASSWORD", "hush")
    with pytest.raises(UsageError, match=words) as caught:
        engine.open_database()
    assert "hush" not in str(caught.value) and "other@" not in str(caught.value)


def test_a_wrong_address_is_shown_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEWSHOT_DATABASE", "postgresql+psycopg://u:hu@sh@h:port/d")
    with pytest.raises(UsageError) as caught:
        engine.open_database()
    assert "hu@" not in str(caught.value) and "@sh" not in str(caught.value) and "***@" in str(caught.value)


def test_keys_that_were_made_with_a_secret_from_a_file_need_it(
    secret_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fewshot.errors import StoreError
    from fewshot.vault import FileKeys

    monkeypatch.setenv("FEWSHOT_KEY_FILE", str(secret_file))
    (name,) = FileKeys(tmp_path / "data").make(1)
    assert KeyFile(tmp_path / "data").record["secret"] is True
    monkeypatch.delenv("FEWSHOT_KEY_FILE")
    with pytest.raises(StoreError, match="only with FEWSHOT_KEY"):
        FileKeys(tmp_path / "data").key(name)
    monkeypatch.setenv("FEWSHOT_KEY", "hush")
    assert FileKeys(tmp_path / "data").key(name)


def test_the_password_of_the_turn_server_comes_from_a_file(secret_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEWSHOT_TURN_PASSWORD_FILE", str(secret_file))
    assert turn_password.from_environment() and turn_password.read() == "hush"


def test_the_secret_of_the_identity_provider_comes_from_a_file(secret_file: Path) -> None:
    names = {oidc.ISSUER: "https://login.example.org", oidc.CLIENT: "x", f"{oidc.SECRET}_FILE": str(secret_file)}
    found = oidc.from_environment(names)
    assert found is not None and found.secret == "hush"
