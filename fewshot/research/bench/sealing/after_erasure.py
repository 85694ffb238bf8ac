"""What of an erased student is left in files, and what of it opens, on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from fewshot.classroom.store import ClassStore
from fewshot.database.sealed_copy import plain_copy
from fewshot.research.bench.survival.jobs import CLASS, NETWORKS, PUPILS, RATE, frame, photos, set_up
from fewshot.research.bench.survival.openable import count_values, openable, readable, student_keys
from fewshot.research.bench.survival.postgres import missing, server
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder

Rows = list[dict[str, str]]

WHO = PUPILS[0]


def erasure_table(work: Path, seconds: int) -> Rows:
    """One row per kind of file, before and after a student is removed.

    Args:
        work: an empty folder.
        seconds: length of the lesson in which the student is.
    """
    (work / "data").mkdir()
    path = work / "data" / "fewshot.db"
    rows = _rows_of("SQLite", f"sqlite:///{path}", work / "old", {"database and journal": work / "data"}, seconds)
    if why := missing():
        return [*rows, {"database": "PostgreSQL", "files": f"not tried: it {why}", "good": "not tried"}]
    with server() as running:
        log = running.data / "pg_wal"
        tables = [place for place in running.data.iterdir() if place != log]
        places: dict[str, Path | Iterable[Path]] = {"tables' files": tables, "write-ahead log": log}
        return rows + _rows_of("PostgreSQL", running.fresh(), work / "old-server", places, seconds)


def _rows_of(
    name: str, url: str, old: Path, places: dict[str, Path] | dict[str, Path | Iterable[Path]], seconds: int
) -> Rows:
    lessons = LessonStore.at(url)
    set_up(lessons)
    store = ClassStore(lessons.database)
    for student in PUPILS:
        store.keep(CLASS, photos(student), {}, NETWORKS)
    with LessonRecorder.start(CLASS, PUPILS, title=f"{WHO} speaks", database=lessons.database) as kept:
        for index in range(seconds * RATE):
            kept.write(frame(index))
    vault = lessons.database.vault.keys
    key, keys = student_keys(lessons.database, CLASS)[WHO], set(vault.names())
    found: dict[str, list[Path]] = {
        what: [place] if isinstance(place, Path) else list(place) for what, place in places.items()
    }
    if lessons.database.path is not None:
        shutil.copytree(lessons.database.path.parent, old)
        found["copy of the folder from before"] = [old]
    backup = old.with_name(f"{old.name}-backup")
    backup.mkdir()
    found["content of a backup from before, decrypted"] = [plain_copy(lessons.database, backup)]
    _write_out(lessons)
    before = {what: openable(place, key, vault) for what, place in found.items()}
    marks = [WHO.encode(), *(photo.expression.astype("<f4").tobytes() for photo in photos(WHO))]
    known = {what: _count(marks, readable(place, vault)) for what, place in found.items()}
    store.remove_student(CLASS, WHO)
    _write_out(lessons)
    rows = []
    for what, place in found.items():
        left = count_values(place, key, keys)
        opens, marked = openable(place, key, vault), _count(marks, readable(place, vault))
        rows.append({
            "database": name,
            "files": what,
            "sealed values that open before": str(before[what]),
            "name and vectors that can be read before": f"{known[what]} of {len(marks)}",
            "sealed values that are left": str(left),
            "of them open": str(opens),
            "name and vectors that can be read after": f"{marked} of {len(marks)}",
            "good": "yes" if before[what] > 0 == opens == marked else "NO",
        })  # fmt: skip
    lessons.database.close()
    return rows


def _write_out(lessons: LessonStore) -> None:
    """Let a server write what it holds in memory to its files."""
    if lessons.database.path is None:
        with lessons.database.read() as session:
            session.connection().exec_driver_sql("CHECKPOINT")


def _count(marks: list[bytes], content: bytes) -> int:
    return sum(mark in content for mark in marks)
