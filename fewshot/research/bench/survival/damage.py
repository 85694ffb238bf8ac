"""Damages a store at random places: is that named, harmless, or does it change what is read without a word?"""

from __future__ import annotations

import random
import traceback
from collections import Counter
from pathlib import Path

from fewshot.classroom.store import ClassStore
from fewshot.errors import FewshotError
from fewshot.research.bench.survival.jobs import CLASS, NETWORKS, PUPILS, RATE, frame, photos, set_up
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder

NAMED = "named when it is opened or read"
CHECKED = "named by fewshot doctor"
HARMLESS = "harmless: everything that is read is as before"
SILENT = "what is read has changed, without a word"
CRASH = "an error that is not in words"

_MEANING = {
    NAMED: "yes",
    CHECKED: "yes",
    HARMLESS: "yes",
    SILENT: "NO",
    CRASH: "NO",
}


def damage_table(work: Path, count: int, seed: int) -> list[dict[str, str]]:
    """One row per outcome."""
    found = Counter(outcome for outcome, _ in damages(work, count, seed))
    return [
        {"outcome": outcome, "places": f"{found[outcome]} of {count}", "good": good if found[outcome] else "yes"}
        for outcome, good in _MEANING.items()
    ]


def damages(work: Path, count: int, seed: int) -> list[tuple[str, str]]:
    """Damage a store at ``count`` places, each time a fresh copy. Returns the outcome and the words for each."""
    whole = work / "whole.db"
    fill_store(whole)
    content, outcomes = whole.read_bytes(), []
    draw = random.Random(seed)  # nosec B311: draws places
    right = read_store(whole)
    for number in range(count):
        size = draw.choice([1, 16, 256, 4096])
        place = draw.randrange(len(content) - size)
        bad = bytearray(content)
        while bad == content:
            bad[place : place + size] = draw.randbytes(size)
        path = work / f"{number}.db"
        path.write_bytes(bad)
        outcome, words = _outcome(path, right)
        if path.read_bytes() != bad and outcome == NAMED:
            outcome, words = CRASH, f"the damaged file was changed: {words}"
        outcomes.append((outcome, f"{size} bytes at {place}: {words}"))
        for part in work.glob(f"{number}.db*"):
            part.unlink()
    return outcomes


def _outcome(path: Path, right: object) -> tuple[str, str]:
    try:
        found = read_store(path)
    except FewshotError as error:
        return (NAMED if str(path) in error.text or CLASS in error.text else CRASH), error.text
    except Exception:
        return CRASH, traceback.format_exc()
    if found == right:
        return HARMLESS, ""
    try:
        LessonStore.at(f"sqlite:///{path}").database.check()
    except FewshotError as error:
        return CHECKED, error.text
    return SILENT, ""


def fill_store(path: Path, seconds: int = 40) -> None:
    """Make a store with a class and a lesson of so many seconds."""
    lessons = LessonStore.at(f"sqlite:///{path}")
    set_up(lessons)
    store = ClassStore(lessons.database)
    for name in PUPILS:
        store.keep(CLASS, photos(name), {}, NETWORKS)
    with LessonRecorder.start(CLASS, PUPILS, title="waves", database=lessons.database) as kept:
        for index in range(seconds * RATE):
            kept.write(frame(index))
    lessons.database.close()


def read_store(path: Path) -> object:
    """Everything that users see of a store, as one value that can be compared."""
    lessons = LessonStore.at(f"sqlite:///{path}")
    store = ClassStore(lessons.database)
    vectors = store.vectors(CLASS)
    told: list[object] = [store.names(), sorted(map(repr, store.roster(CLASS).students.values()))]
    for name in PUPILS:
        if vectors is None:
            break
        told.append((vectors.supports_of(name).vectors.tobytes(), vectors.identities_of(name).tobytes()))
    for info in lessons.lessons():
        kept = lessons.load(info.id)
        rows = kept.readings
        told.append((repr(info), kept.students, kept.labels, kept.frames_per_second.tobytes(), len(rows)))
        told += [getattr(rows, part).tobytes() for part in ("second", "student", "frames", "emotion", "probabilities")]
    return told
