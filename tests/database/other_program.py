"""A second program that holds a read transaction, and the marks that a student leaves in the files."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


def bytes_of(path: Path) -> bytes:
    """The database, its journal and the journal's index."""
    parts = [path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")]
    return b"".join(part.read_bytes() for part in parts if part.exists())


def found(marks: list[bytes], path: Path) -> int:
    """How many marks are in the files."""
    content = bytes_of(path)
    return sum(mark in content for mark in marks)
