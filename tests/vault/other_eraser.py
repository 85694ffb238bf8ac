"""A program of its own, for tests: it removes a student and ends at a step, or enrolls and removes students.

Run it with ``erase FOLDER NAME LAST``, or ``work FOLDER WHO ROUNDS``. A child that is forked from a test could wait for
ever for a lock that another thread of the test held.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.database import ErasurePending, in_folder
from fewshot.research.bench.survival.openable import student_keys

STEPS: list[tuple[Any, str]] = [
    (os, "fsync"), (Path, "replace"), (Path, "rename"), (Path, "unlink"), (Path, "open"), (Session, "commit"),
]  # fmt: skip


def erase(folder: Path, name: str, last: int) -> None:
    """Remove a student; the program ends before its step number ``last``: a write, a rename, a deletion, a commit."""
    store, left = ClassStore(in_folder(folder)), [last]

    def before(act: Callable[..., Any]) -> Callable[..., Any]:
        def step(*words: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                os._exit(9)
            return act(*words, **options)

        return step

    for place, attribute in STEPS:
        setattr(place, attribute, before(getattr(place, attribute)))
    store.remove_student("physics", name)
    print(last - left[0], flush=True)


def work(folder: Path, who: str, rounds: int) -> None:
    """Enroll students, and remove every second one. Prints the ids of the removed students' keys."""
    store = ClassStore(in_folder(folder))
    for number in range(rounds):
        name = f"{who} {number}"
        store.record_consent("physics", name, make_consent(f"the mother of {name}"))
        if number % 2:
            print(student_keys(store.database, "physics")[name], flush=True)
            with suppress(ErasurePending):  # the other program reads now; its next act empties the journal
                store.remove_student("physics", name)


if __name__ == "__main__":
    {"erase": erase, "work": work}[sys.argv[1]](Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
