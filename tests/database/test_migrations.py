import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from old_store import make_old_store
from sqlalchemy import create_engine, inspect, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from fewshot.database import Database, lesson_tables, open_database
from fewshot.database.tables import Base
from fewshot.database.upgrade import HEAD, MIGRATIONS
from fewshot.errors import StoreError

ROOT = Path(__file__).resolve().parents[2]


def test_the_newest_migration_is_the_one_that_is_named() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


@pytest.mark.parametrize("url", ["sqlite://", None])
def test_migrations_make_what_the_tables_say(url: str | None) -> None:
    database = open_database(url)
    assert lesson_tables.LessonRow.__tablename__ in Base.metadata.tables
    with database.read() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


@pytest.mark.parametrize("dialect", [postgresql.dialect(), sqlite.dialect()])
def test_every_table_can_be_made_elsewhere(dialect: object) -> None:
    made = [str(CreateTable(table).compile(dialect=dialect)) for table in Base.metadata.sorted_tables]
    made += [
        str(CreateIndex(index).compile(dialect=dialect)) for t in Base.metadata.tables.values() for index in t.indexes
    ]
    assert len(made) > 14


def test_opening_again_changes_nothing(fewshot_home: Path) -> None:
    path = open_database().path
    before = path.read_bytes()
    assert Database(f"sqlite:///{path}").path == path
    assert path.read_bytes() == before


@pytest.mark.parametrize("version", ["9000", "9999"])
def test_a_database_of_a_newer_program_is_refused(version: str) -> None:
    path = open_database().path
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [version])
    connection.close()
    with pytest.raises(StoreError, match=rf"newer fewshot \(version {version}.*pip install --upgrade"):
        Database(f"sqlite:///{path}")


def test_lessons_of_an_earlier_version_lose_the_secrets_of_their_addresses(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    make_old_store(path, "0001")
    with sqlite3.connect(path) as connection:
        for source in ("rtsp://u:pa/S3CRET@cam/x?k=S3CRET", "anna@home#1.mp4"):
            connection.execute(
                "INSERT INTO lessons (title, source, network, sample, aggregate, started, seconds, heartbeat, owner, "
                "labels) VALUES ('', ?, '', 0, 0, '2026-01-01', 0, '2026-01-01', '', '[]')",
                [source],
            )
    connection.close()
    database = Database(f"sqlite:///{path}")
    with database.read() as session:
        lessons = session.scalars(select(lesson_tables.LessonRow).order_by(lesson_tables.LessonRow.id))
        assert [lesson.source for lesson in lessons] == ["rtsp://***@cam/x?***", "anna@home#1.mp4"]
    database.forget_deleted()
    assert b"S3CRET" not in b"".join(part.read_bytes() for part in path.parent.glob(f"{path.name}*"))


OPENER = """
import sys
sys.stdin.readline()
from fewshot.database import open_database
from fewshot.session.lessons import LessonStore
print(LessonStore(open_database(sys.argv[1])).create(title="x"))
"""


def test_programs_that_start_at_once_migrate_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPENER, f"sqlite:///{tmp_path / 'x.db'}"]
    pipe = subprocess.PIPE
    programs = [subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=ROOT) for _ in range(2)]
    done = [program.communicate("go\n") for program in programs]
    assert sorted(out.strip() for out, _ in done) == ["1", "2"], done


def test_threads_that_open_databases_at_once() -> None:
    with ThreadPoolExecutor(4) as pool:
        databases = list(pool.map(Database, ["sqlite://"] * 8))
    for database in databases:
        with database.read() as session:
            assert session.connection().exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == HEAD


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_new_database_is_as_all_migrations_make_it(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A new one is made in one step, because the migrations take several times as long."""
    if kind == "sqlite":
        old, new = (f"sqlite:///{tmp_path / name}.db" for name in ("old", "new"))
    else:
        old, new = (str(request.getfixturevalue("postgres").fresh()) for _ in range(2))
    engine = create_engine(old)
    with engine.connect() as connection, connection.begin():
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    Database(new)
    assert told(old) == told(new)


def told(url: str) -> dict[str, object]:
    """Tables, columns, keys, indexes and first rows; SQLite's own words about numbers that are not used again."""
    engine = create_engine(url)
    found: dict[str, object] = {}
    with engine.connect() as connection:
        look = inspect(connection)
        for name in sorted(look.get_table_names()):
            found[name] = [
                sorted((c["name"], str(c["type"]), c["nullable"]) for c in look.get_columns(name)),
                look.get_pk_constraint(name),
                sorted(map(str, look.get_foreign_keys(name))),
                sorted(map(str, look.get_unique_constraints(name))),
                sorted(map(str, look.get_indexes(name))),
                connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar(),
            ]
        found["owners "] = [
            tuple(row)[:4] for row in connection.execute(text("SELECT id, name, folded, role FROM owners"))
        ]
        found["head "] = connection.execute(text("SELECT id, number, hash, key, signature FROM audit_head")).all()
        found["version "] = connection.execute(text("SELECT version_num FROM alembic_version")).all()
        if url.startswith("sqlite"):
            made = connection.execute(text("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'")).scalars()
            found["numbers "] = sorted(made)
    engine.dispose()
    return found
