"""How often the label that a video call writes on a tile gives the right student, and what reading costs.

    python experiments/call_labels.py              # names and fonts of the test; writes the table
    python experiments/call_labels.py --tune       # names and fonts for tuning; prints what was missed

Draws galleries of 9 to 49 tiles, 1280x720 and 1920x1080, light and dark, compressed as JPEG and H.264, and reads them
as a lesson does. No face is shown: heads are drawn. Fonts come from the system and are not part of the project (Debian:
fonts-roboto-unhinted, fonts-lato, fonts-open-sans; for tuning fonts-dejavu-core, fonts-liberation). Needs the extras
``labels`` and ``video``. Writes experiments/results/call_labels.md and .csv.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from importlib.metadata import version
from pathlib import Path

from fewshot.research.bench.call_labels import GUESTS, READINGS, Counts, measured
from fewshot.research.bench.label_cost import cost
from fewshot.research.evaluation.tables import markdown, show, write_csv

TRUETYPE = Path("/usr/share/fonts/truetype")
TEST = ("roboto/unhinted/RobotoTTF/Roboto-Regular.ttf", "lato/Lato-Regular.ttf", "open-sans/OpenSans-Regular.ttf")
TUNING = ("dejavu/DejaVuSans.ttf", "liberation/LiberationSans-Regular.ttf", "dejavu/DejaVuSansCondensed.ttf")
SMALLER = 2 / 3
"""A window of 1920 pixels, sent as a picture of 1280: letters are smaller than calls draw them."""


def rows_of(found: dict[tuple[str, str], Counts], smaller: Counts) -> list[dict[str, str]]:
    """Everything, then what galleries have in common, then the smaller letters, which are not in "all"."""
    rows = [{"galleries": f"{what} {value}".strip(), **counts.row()} for (what, value), counts in found.items()]
    return [*rows, {"galleries": "not in all: 1920x1080 sent as 1280x720", **smaller.row()}]


def report(rows: list[dict[str, str]], whole: Counts, loop: list[dict[str, str]], command: str) -> str:
    """The page."""
    milliseconds = 1000 * whole.seconds / max(1, whole.read)
    return f"""# Names from the labels of a call

    {command}

rapidocr {version("rapidocr")}. Made galleries of 9, 16, 25, 36 and 49 tiles. Names and fonts took no part in tuning.
The class of each gallery has two students whose names differ in one letter. {100 * GUESTS:.0f} % of the tiles show
somebody who is not in the class. Up to {READINGS} frames of each gallery are read, as in a lesson.

- **right**: labels of students that gave the student. **no name**: those that gave nobody.
- **wrong**: labels, also of guests, that gave another student. Target: right 99 %, wrong at most 0.1 %.

{markdown(rows)}
One label takes {milliseconds:.0f} ms of one core. A tile is read every 2 seconds until its name is known, then every 4.

## The loop beside it

49 faces, 1920x1080, every frame, as fast as possible. In a lesson with 8 or 15 frames per second the labels are read
in the time that is left. Twelve people fill the 49 tiles, so every label stands on four tiles or more: labels alone
name hardly anybody here.

{markdown(loop)}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fonts", type=Path, nargs="*", help="other fonts (.ttf)")
    parser.add_argument("--tune", action="store_true", help="names and fonts for tuning; nothing is written")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", type=int, default=1, help="only each such gallery")
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="folder with the detector")
    parser.add_argument("--out", type=Path, default=Path("experiments/results"))
    arguments = parser.parse_args()
    if arguments.shared.is_dir():  # without the detector, the slow cascades would be measured
        os.environ.setdefault("FEWSHOT_SHARED", str(arguments.shared.resolve()))
    fonts = arguments.fonts or [TRUETYPE / name for name in (TUNING if arguments.tune else TEST)]
    test, seed, every = not arguments.tune, arguments.seed, arguments.every

    def tell(said: str) -> None:
        print(said, file=sys.stderr, flush=True)

    found = measured(fonts, test, seed, every=every, tell=tell)
    smaller = measured(fonts, test, seed + 1, SMALLER, ((1920, 1080),), 4 * every, tell)["all", ""]
    rows = rows_of(found, smaller)
    show(rows, "labels of calls")
    if arguments.tune:
        for written, read in [*found["all", ""].missed, ("smaller letters", ""), *smaller.missed]:
            print(f"{written!r}: {read}")
        return
    command = shlex.join(["python", "experiments/call_labels.py", *sys.argv[1:]])
    page = report(rows, found["all", ""], cost(fonts[0]), command)
    (arguments.out / "call_labels.md").write_text(page, encoding="utf-8")
    write_csv(rows, arguments.out / "call_labels.csv")


if __name__ == "__main__":
    main()
