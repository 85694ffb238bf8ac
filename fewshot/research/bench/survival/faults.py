"""Faults of disks, clocks, servers and users while a lesson runs or students are enrolled, each with its result."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import cv2
import numpy as np

from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.errors import FewshotError, StoreError
from fewshot.live.sinks.jsonl import JsonLines
from fewshot.live.sinks.table import COLUMNS, CsvTable
from fewshot.research.bench.survival.children import (
    PATIENCE,
    begin_child,
    in_child,
    lift_limit,
    limit_files,
    wait_for,
    write_protect,
)
from fewshot.research.bench.survival.jobs import CLASS, NETWORKS, PHOTOS, PUPILS, RATE, frame, photos, set_up
from fewshot.research.bench.survival.postgres import Server, missing, server
from fewshot.session import recorder
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder

Row = dict[str, str]


def row(fault: str, expected: str, seen: str, good: bool) -> Row:
    """One row of the table."""
    return {"fault": fault, "expected": expected, "seen": seen, "good": "yes" if good else "NO"}


def fault_table(work: Path, _count: int = 0, _seed: int = 0) -> list[Row]:
    """All faults, on SQLite and, where it is said, on PostgreSQL."""
    rows: list[Row] = []
    kinds = (full_lesson, full_enrollment, full_export, read_only, clock_back, deleted_class, stopped)
    for number, fault in enumerate(kinds):
        folder = work / str(number)
        folder.mkdir()
        rows += [{key: words.replace(f"{folder}/", "") for key, words in one.items()} for one in fault(folder)]
    rows += same_student(f"sqlite:///{work / 'same.db'}", "SQLite")
    if why := missing():
        return [*rows, {"fault": "PostgreSQL", "expected": "", "seen": f"not tried: it {why}", "good": "not tried"}]
    with ExitStack() as stack:
        running = stack.enter_context(server())
        rows += same_student(running.fresh(), "PostgreSQL")
        rows += restarted(running)
    return rows


def store_in(folder: Path) -> str:
    """The address of a database with a class."""
    url = f"sqlite:///{folder / 'x.db'}"
    lessons = LessonStore.at(url)
    set_up(lessons)
    lessons.database.close()
    return url


def seconds_of(url: str, lesson: int) -> list[int]:
    """Frames in every stored second of a lesson."""
    return [int(count) for count in LessonStore.at(url).load(lesson).frames_per_second]


def full_lesson(folder: Path) -> Iterator[Row]:
    """The disk is full while a lesson is written."""
    fault, url = "disk full while a lesson is written", store_in(folder)

    def lasting() -> str:
        kept = LessonRecorder(*begun(url), PUPILS, threaded=False)
        feed(kept, 0, 10)
        kept.flush()
        limit_files(1)
        feed(kept, 10, 20)
        try:
            kept.flush()
        except StoreError as error:
            return error.text
        return "no error"

    said = in_child(lasting)
    frames = seconds_of(url, 1)
    yield row(fault, "an error that names the disk", said, "full" in said or "free space" in said)
    yield row(fault, "all seconds before it are kept", str(len(frames)), frames[:9] == [RATE] * 9)
    kept = LessonRecorder.resume(1, database=LessonStore.at(url).database, threaded=False)
    feed(kept, 0, 2)
    kept.close()
    frames = seconds_of(url, 1)
    yield row(fault, "the lesson goes on when there is space", f"{len(frames)} seconds", frames[-2:] == [RATE] * 2)

    def passing() -> str:
        recorder.PACE = 0.05
        kept = LessonRecorder(*begun(url), PUPILS)
        feed(kept, 0, 5)
        time.sleep(0.5)
        limit_files(1)
        feed(kept, 5, 10)
        time.sleep(1.5)
        lift_limit()
        feed(kept, 10, 15)
        kept.close()
        return str(kept.lesson)

    said = in_child(passing)
    whole = said.isdecimal() and seconds_of(url, int(said)) == [RATE] * 15
    yield row(f"{fault}, and has space again", "nothing is lost", "nothing was" if whole else said, whole)


def full_enrollment(folder: Path) -> Iterator[Row]:
    """The disk is full while students are enrolled."""
    fault, url = "disk full while enrolling", store_in(folder)

    def work() -> str:
        limit_files((folder / "x.db").stat().st_size + 40_000)
        for number in range(200):
            enroll(class_store(url), f"new {number}")
        return "no error"

    said = in_child(work)
    yield row(fault, "an error that names the disk", said, "full" in said or "free space" in said)
    yield whole_students(fault, url, "new")


def full_export(folder: Path) -> Iterator[Row]:
    """The disk is full while results are exported."""
    for sink, name in ((JsonLines, "x.jsonl"), (CsvTable, "x.csv")):
        fault, path = f"disk full while exporting ({name[2:]})", folder / name

        def work(sink: type[JsonLines] | type[CsvTable] = sink, path: Path = path) -> str:
            limit_files(20_000)
            out = sink(path)
            try:
                for index in range(1000):
                    out.write(frame(index))
            finally:
                out.close()
            return "no error"

        said = in_child(work)
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        yield row(fault, "an error that names the file", said, said.startswith("error:") and str(path) in said)
        whole = [line for line in lines if _is_whole(line, name)]
        good = len(whole) >= len(lines) - 1 > 5
        yield row(fault, "every line but the last can be read", f"{len(whole)} of {len(lines)}", good)


def _is_whole(line: str, name: str) -> bool:
    if name.endswith(".csv"):
        return len(next(csv.reader([line]))) == len(COLUMNS)
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def stopped(folder: Path) -> Iterator[Row]:
    """A run is ended by SIGTERM, and by SIGHUP: its terminal was closed."""
    video, size = folder / "endless.avi", (160, 120)
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"MJPG"), 25, size)
    for index in range(5000):
        writer.write(np.full((size[1], size[0], 3), index % 250, np.uint8))
    writer.release()
    for name in ("SIGTERM", "SIGHUP"):
        out = {kind: folder / f"{name}.{kind}" for kind in ("mp4", "jsonl", "csv")}
        url = f"sqlite:///{folder / name}.db"
        words = [
            sys.executable, "-m", "fewshot", "analyze", str(video), "--save", str(out["mp4"]), "--jsonl",
            str(out["jsonl"]), "--csv", str(out["csv"]), "--title", name, "--detector", "cascade", "--offline",
        ]  # fmt: skip
        home = {"FEWSHOT_HOME": str(folder / "home"), "FEWSHOT_DATABASE": url}
        with subprocess.Popen(words, env=os.environ | home, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as run:
            end = time.monotonic() + PATIENCE
            while time.monotonic() < end and run.poll() is None:
                if out["jsonl"].exists() and out["jsonl"].read_bytes().count(b"\n") > 100:
                    break
                time.sleep(0.05)
            number = getattr(signal, name)
            run.send_signal(number)
            _, said = run.communicate(timeout=PATIENCE)
        ended = run.returncode == 128 + number
        yield row(
            name,
            f"the run ends with {128 + number}",
            f"{run.returncode} {said.decode(errors='replace')[-300:] if not ended else ''}",
            ended,
        )
        if not out["jsonl"].exists():
            continue  # the row before says why
        lines = out["jsonl"].read_text(encoding="utf-8").splitlines()
        whole = all(_is_whole(line, "x.jsonl") for line in lines)
        yield row(name, "every line can be read", f"{len(lines)} lines", whole and len(lines) > 100)
        frames = _frames_of(out["mp4"])
        yield row(name, "the video has a frame for every line", f"{frames} of {len(lines)}", frames == len(lines))
        found = LessonStore.at(url).lessons()
        seen = f"{found[0].state}, {found[0].seconds:.1f} s" if found else "no lesson"
        yield row(name, "the lesson has ended", seen, bool(found) and found[0].state == "ended")


def _frames_of(path: Path) -> int:
    capture, count = cv2.VideoCapture(str(path)), 0
    while capture.read()[0]:
        count += 1
    return count


def read_only(folder: Path) -> Iterator[Row]:
    """The store may not be written."""
    fault, url = "store read-only", store_in(folder)
    before = (folder / "x.db").read_bytes()
    folder.chmod(0o755)
    for parent in list(folder.parents)[:2]:
        parent.chmod(0o755)

    def reading() -> str:
        write_protect(folder)
        return ", ".join(class_store(url).roster(CLASS).students)

    def writing() -> str:
        write_protect(folder)
        enroll(class_store(url), "new")
        return "no error"

    said = in_child(reading)
    yield row(fault, "reading works, or an error says why not", said, said == ", ".join(PUPILS) or "cannot be" in said)
    said = in_child(writing)
    yield row(fault, "an error before anything is changed", said, said.startswith("error:"))
    folder.chmod(0o755)
    for path in folder.iterdir():
        path.chmod(0o644)
    same = (folder / "x.db").read_bytes() == before
    yield row(fault, "the file is as it was", "it is" if same else "it changed", same)


def clock_back(folder: Path) -> Iterator[Row]:
    """The clock of the computer is set back by an hour in the middle of a lesson."""
    fault, url = "clock set back by an hour", store_in(folder)

    def back(*_: object) -> object:
        return datetime.now(UTC) - timedelta(hours=1)

    kept = LessonRecorder(*begun(url), PUPILS, threaded=False)
    feed(kept, 0, 5)
    kept.flush()
    lessons = LessonStore.at(url)
    with ExitStack() as stack:
        for module in ("recorder", "writing", "takeover", "lesson_rows", "lessons"):
            stack.enter_context(mock.patch(f"fewshot.session.{module}.now", back))
        feed(kept, 5, 10)
        kept.flush()
        state = lessons.info(kept.lesson).state
        yield row(fault, "the lesson is still running", state, state == "running")
        kept.close()
    frames, info = seconds_of(url, kept.lesson), lessons.info(kept.lesson)
    yield row(fault, "every second is kept", f"{len(frames)} of 10", frames == [RATE] * 10)
    sane = info.ended is not None and info.ended >= info.started
    yield row(fault, "it does not end before it began", "it does not" if sane else "it does", sane)


def deleted(url: str) -> str:
    """For a child process: delete the class."""
    class_store(url).delete(CLASS)
    return ""


def deleted_class(folder: Path) -> Iterator[Row]:
    """A class is deleted by another program while its lesson runs."""
    fault, url = "class deleted while its lesson runs", store_in(folder)
    kept = LessonRecorder(*begun(url), PUPILS, threaded=False)
    feed(kept, 0, 5)
    kept.flush()
    in_child(lambda: deleted(url))
    feed(kept, 5, 10)
    kept.close()
    with LessonStore.at(url).database.read() as session:
        connection = session.connection()
        left = [
            connection.exec_driver_sql(query).scalar()
            for query in (
                "SELECT count(*) FROM students",
                "SELECT count(*) FROM lessons",
                "SELECT count(*) FROM readings",
            )
        ]
    yield row(fault, "the recorder ends without an error", str(kept.deleted), kept.deleted)
    yield row(fault, "nothing of the class is left", str(left), not any(left))


def same_student(url: str, name: str) -> Iterator[Row]:
    """Two programs enroll the same students at the same time, in a class that does not exist yet."""
    fault, rounds = f"two programs enroll the same students ({name})", 20
    LessonStore.at(url).database.close()

    def work(first: int) -> str:
        store, failed = class_store(url), 0
        for number in range(rounds):
            for _ in range(3):
                try:
                    enroll(store, f"new {number}", first)
                    break
                except FewshotError:
                    failed += 1
        return str(failed)

    pair = [begin_child(lambda: work(0)), begin_child(lambda: work(3))]
    said = [wait_for(child) for child in pair]
    yield row(fault, "both are done, without an error", f"{', '.join(said)} errors", said == ["0", "0"])
    roster = class_store(url).roster(CLASS)
    counts = [len(student.photos) for student in roster.students.values()]
    whole = counts == [PHOTOS + 3] * rounds
    yield row(fault, "every student has the photos of both", f"{len(counts)} students with {set(counts)} photos", whole)


def restarted(running: Server) -> Iterator[Row]:
    """The server of the database breaks down in the middle of a lesson, and is started again."""
    fault, url = "database restarted in mid-lesson (PostgreSQL)", running.fresh()
    set_up(LessonStore.at(url))
    kept = LessonRecorder(*begun(url), PUPILS)
    stop = threading.Event()
    faults: list[str] = []
    fed = 0

    def live() -> None:
        nonlocal fed
        try:
            while not stop.is_set():
                kept.write(frame(fed))
                fed += 1
                time.sleep(1 / RATE)
        except FewshotError as error:
            faults.append(error.text)

    thread = threading.Thread(target=live)
    thread.start()
    for crash in (True, False):
        time.sleep(3)
        running.stop(crash=crash)
        time.sleep(2)
        running.start()
    time.sleep(3)
    stop.set()
    thread.join()
    kept.close()
    frames = seconds_of(url, kept.lesson)
    yield row(fault, "the lesson goes on", "; ".join(faults) or "it did", not faults)
    yield row(fault, "nothing is lost", f"{sum(frames)} of {fed} frames", sum(frames) == fed)


def begun(url: str) -> tuple[LessonStore, int]:
    """A store, and a lesson in it that was just created."""
    store = LessonStore.at(url)
    return store, store.create(CLASS, students=PUPILS)


def feed(kept: LessonRecorder, start: int, stop: int) -> None:
    """Give a recorder all frames of some seconds."""
    for index in range(start * RATE, stop * RATE):
        kept.write(frame(index))


def class_store(url: str) -> ClassStore:
    """The classes of a database, through connections of its own."""
    return ClassStore(LessonStore.at(url).database)


def enroll(store: ClassStore, student: str, first: int = 0) -> None:
    """Enroll a student with photos from number ``first`` on."""
    store.keep(CLASS, photos(student, first=first), {student: make_consent("the parents")}, NETWORKS)


def whole_students(fault: str, url: str, prefix: str) -> Row:
    """Whether all students with this name have all their photos and a consent."""
    roster = class_store(url).roster(CLASS)
    found = [student for name, student in roster.students.items() if name.startswith(prefix)]
    half = sum(len(student.photos) != PHOTOS or student.consent is None for student in found)
    return row(fault, "no student is enrolled in part", f"{half} of {len(found)}", half == 0 and bool(found))
