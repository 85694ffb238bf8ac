"""A program that records a lesson: python lesson_writer.py ADDRESS NAMES. Prints its number and its ticket."""

from __future__ import annotations

import sys
import time

from made_frames import everybody

from fewshot.database import Database
from fewshot.errors import FewshotError
from fewshot.session.recorder import LessonRecorder

RATE = 50
SECONDS = 60


def main() -> None:
    names = sys.argv[2].split(",")
    shown = dict.fromkeys(names, "happy")
    with LessonRecorder.start("physics", names, database=Database(sys.argv[1])) as kept:
        print(kept.lesson, kept.ticket, flush=True)
        for number in range(SECONDS * RATE):
            kept.write(everybody(number / RATE, shown))
            sys.stdout.write(".")
            sys.stdout.flush()
            time.sleep(1 / RATE)


if __name__ == "__main__":
    try:
        main()
    except FewshotError as error:
        sys.exit(str(error))
