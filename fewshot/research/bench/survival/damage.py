"""Damages a store at random places: is that named, harmless, or does it change what is read without a word?"""

from __future__ import annotations

import random
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from fewshot.accounts.accounts import Accounts
from fewshot.accounts.tokens import Tokens
from fewshot.classroom.consent import make_consent
from fewshot.classroom.corrections import learn, learned
from fewshot.classroom.store import ClassStore
from fewshot.classroom.student_records import StudentRecords
from fewshot.errors import FewshotError
from fewshot.research.bench.survival.jobs import CLASS, NETWORKS, PUPILS, RATE, frame, photos, set_up
from fewshot.session.check_in_answers import close_check_in
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.session.settings import Settings

NAMED = "named when it is opened or read"
HARMLESS = "harmless: everything that is read is as before"
CHECKED = "what is read has changed; only fewshot doctor names it"
SILENT = "what is read has changed, without a word"
CRASH = "an error that is not in words"

Damage = Callable[[bytearray, random.Random], None]


def one_bit(content: bytearray, draw: random.Random) -> None:
    """Change one bit."""
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)


def random_bytes(content: bytearray, draw: random.Random) -> None:
    """Replace up to a page of bytes."""
    size = draw.choice([1, 16, 256, 4096])
    place = draw.randrange(len(content) - size)
    content[place : place + size] = draw.randbytes(size)


def zeros(content: bytearray, draw: random.Random) -> None:
    """Empty a sector of the disk."""
    place = 512 * draw.randrange(len(content) // 512)
    content[place : place + 512] = bytes(512)


def swapped_pages(content: bytearray, draw: random.Random) -> None:
    """Let two pages of the file change places."""
    one, other = (_PAGE * place for place in draw.sample(range(len(content) // _PAGE), 2))
    content[one : one + _PAGE], content[other : other + _PAGE] = (
        content[other : other + _PAGE],
        content[one : one + _PAGE],
    )


def old_page(content: bytearray, draw: random.Random) -> None:
    """Put a page in the place of another one, as a disk does that writes to the wrong place."""
    one, other = (_PAGE * place for place in draw.sample(range(len(content) // _PAGE), 2))
    content[one : one + _PAGE] = content[other : other + _PAGE]


def truncated(content: bytearray, draw: random.Random) -> None:
    """Cut the file off."""
    del content[draw.randrange(1, len(content)) :]


_PAGE = 4096
DAMAGES: dict[str, tuple[Damage, int]] = {
    "one bit is changed": (one_bit, 12),
    "1 to 4,096 bytes are random": (random_bytes, 3),
    "a sector of 512 bytes is empty": (zeros, 2),
    "two pages changed places": (swapped_pages, 1),
    "a page lies in the place of another one": (old_page, 1),
    "the file is cut off": (truncated, 1),
}
"""Name -> what does it, and its part of all damage, in twentieths."""


def damage_table(work: Path, count: int, seed: int) -> list[dict[str, str]]:
    """One row per kind of damage; ``count`` stores are damaged in all."""
    done = damages(work, count, seed)
    for kind, outcome, words in done:
        if outcome in (CHECKED, SILENT, CRASH):
            print(f"{kind}: {outcome}: {words}")
    return [_row(kind, Counter(outcome for name, outcome, _ in done if name == kind)) for kind in DAMAGES]


def damages(work: Path, count: int, seed: int) -> list[tuple[str, str, str]]:
    """Damage a store ``count`` times, each time a fresh copy. Returns kind, outcome and words for each."""
    whole = work / "whole.db"
    fill_store(whole)
    content, outcomes = whole.read_bytes(), []
    draw = random.Random(seed)  # nosec B311: draws places
    right = read_store(whole)
    parts = [kind for kind, (_, part) in DAMAGES.items() for _ in range(part)]
    for number in range(count):
        kind, bad = parts[number % len(parts)], bytearray(content)
        while bad == content:
            DAMAGES[kind][0](bad, draw)
        path = work / f"{number}.db"
        path.write_bytes(bad)
        outcome, words = _outcome(path, right)
        if path.read_bytes() != bad and outcome == NAMED:
            outcome, words = CRASH, f"the damaged file was changed: {words}"
        place = next((at for at, (a, b) in enumerate(zip(bad, content, strict=False)) if a != b), len(bad))
        outcomes.append((kind, outcome, f"from byte {place} on: {words}"))
        for part in work.glob(f"{number}.db*"):
            part.unlink()
    return outcomes


def _row(kind: str, found: Counter[str]) -> dict[str, str]:
    bad = found[CHECKED] + found[SILENT] + found[CRASH]
    outcomes = (NAMED, HARMLESS, CHECKED, SILENT, CRASH)
    return {
        "damage": kind,
        "stores": str(found.total()),
        **{outcome: str(found[outcome]) for outcome in outcomes},
        "good": "NO" if bad else "yes",
    }


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
    """Make a store with something of every kind: a class, a lesson of so many seconds, one with counts, accounts."""
    lessons = LessonStore.at(f"sqlite:///{path}")
    database = lessons.database
    set_up(lessons)
    store, records = ClassStore(database), StudentRecords(database)
    for name in PUPILS:
        store.keep(CLASS, photos(name), {}, NETWORKS)
    records.set_portrait(CLASS, PUPILS[0], b"\xff\xd8 a picture")
    with LessonRecorder.start(CLASS, PUPILS, title="waves", database=database) as kept:
        for index in range(seconds * RATE):
            kept.write(frame(index))
    with LessonRecorder.start(CLASS, PUPILS, title="counts", aggregate=True, database=database) as counted:
        for index in range(5 * RATE):
            counted.write(frame(index))
    lessons.mark(kept.lesson, 3.5, "a question")
    learn(database, CLASS, kept.lesson, PUPILS[1], 2.0, "sad", photos("x")[0].expression, "happy")
    close_check_in(lessons, [kept.lesson], PUPILS[2], "asked, fine", "was tired")
    store.create("chemistry")
    records.record_consent("chemistry", "eva", make_consent("her father"))
    records.withdraw_consent("chemistry", "eva")
    store.create("history")
    store.delete("history")  # free pages
    settings = Settings(database)
    settings.aggregate_only, settings.retention_days = True, 365
    accounts = Accounts(database)
    owner = accounts.add("Ada", password="a long password of nobody", email="ada@example.org")  # nosec B106: of a made-up account
    accounts.logins.begin(owner)
    Tokens(database).add(owner, "a computer", ["read"])
    database.close()


def read_store(path: Path) -> object:
    """Everything that users see of a store, as one value that can be compared."""
    lessons = LessonStore.at(f"sqlite:///{path}")
    database = lessons.database
    store, records, settings = ClassStore(database), StudentRecords(database), Settings(database)
    told: list[object] = [store.names()]
    for classroom in store.names():
        roster = store.roster(classroom)
        told += [
            sorted(map(repr, roster.students.values())),
            repr(store.networks(classroom)),
            repr(learned(database, classroom)),
        ]
        vectors = store.vectors(classroom)
        for name in roster.students:
            told += [repr(records.consents(classroom, name)), records.portrait(classroom, name)]
            if vectors is not None and name in vectors.students():
                told.append((vectors.supports_of(name).vectors.tobytes(), vectors.identities_of(name).tobytes()))
    for info in lessons.lessons():
        kept = lessons.load(info.id)
        rows, counts = kept.readings, kept.kept_counts
        told.append((repr(info), kept.students, kept.labels, kept.frames_per_second.tobytes(), len(rows)))
        told += [getattr(rows, part).tobytes() for part in ("second", "student", "frames", "emotion", "probabilities")]
        told += [repr(kept.markers), repr(kept.corrections), repr(kept.answers), counts is not None and counts.tolist()]
    told += [settings.aggregate_only, settings.retention_days, repr(settings.acknowledged)]
    told += [repr(Accounts(database).all()), repr(Tokens(database).all())]
    database.close()
    return told
