"""A second program that holds a read transaction, and the marks of a student that can be read in the files."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fewshot.research.bench.survival.openable import count_values, readable
from fewshot.vault import FileKeys

READER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN")
connection.execute("SELECT count(*) FROM students").fetchall()
print("reading", flush=True)
sys.stdin.readline()
"""


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Another program reads the database during the block, and ends with it."""
    program = subprocess.Popen(
        [sys.executable, "-c", READER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert program.stdout is not None and program.stdout.readline() == "reading\n"
        yield
    finally:
        program.communicate("end\n", timeout=30)


def files_of(path: Path) -> list[Path]:
    """The database, its journal and the journal's index."""
    return [path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")]


def found(marks: list[bytes], path: Path) -> int:
    """How many marks can be read in the files, by whoever has the keys that are there now."""
    content = readable(filter(Path.exists, files_of(path)), FileKeys(path.parent))
    return sum(mark in content for mark in marks)


def bytes_found(key: str, path: Path) -> int:
    """How many values that this key sealed, alone or with another one, are in the files, whether it is there or not."""
    return count_values(filter(Path.exists, files_of(path)), key, FileKeys(path.parent).names())
