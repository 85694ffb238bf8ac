"""What a PostgreSQL server is told about waiting, and what a user is told when it is away."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from fewshot.database import Database
from fewshot.database.server import options_for
from fewshot.errors import StoreError


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("sqlite:///x.db", set()),
        ("postgresql+pg8000://host/x", set()),
        ("postgresql+psycopg://host/x", {"connect_timeout", "tcp_user_timeout", "client_encoding", "options"}),
        ("postgresql+psycopg2://host/x?connect_timeout=3", {"tcp_user_timeout", "client_encoding", "options"}),
        ("postgresql+psycopg://host/x?options=-c%20a%3Db", {"connect_timeout", "tcp_user_timeout", "client_encoding"}),
    ],
)
def test_what_the_address_says_is_kept(url: str, names: set[str]) -> None:
    assert set(options_for(make_url(url))) == names


def test_no_program_waits_for_ever(postgres: object) -> None:
    database = Database(postgres.fresh())  # type: ignore[attr-defined]
    with database.read() as session:
        for name in ("lock_timeout", "idle_in_transaction_session_timeout"):
            assert session.scalar(text(f"SHOW {name}")) not in ("0", None)


def test_a_server_that_is_away_is_named_as_one() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError, match="Check that its server runs") as caught:
        Database("postgresql+psycopg://teacher:secret@127.0.0.1:1/x")
    assert "secret" not in str(caught.value) and "folder" not in caught.value.text
