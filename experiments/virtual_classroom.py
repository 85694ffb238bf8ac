"""Build a lesson on video whose truth is known, from any ``subjects.csv``.

    python experiments/virtual_classroom.py --dataset cfee --out outputs/classroom_cfee
    python experiments/virtual_classroom.py --dataset jaffe --columns 4 --rows 3 --modes neutral 1 2 --seconds 30

Writes into the folder: ``video.mp4``, ``truth.json`` (see ``fewshot/research/simulation/truth.py``), ``plan.json``
(the settings), and enrollment photos that the video never shows, ``photos/<mode>/<student>/<emotion>/*.png``, ready
for ``fewshot enroll``. The pictures belong to their datasets: do not publish what this makes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fewshot.errors import FewshotError
from fewshot.research.simulation.dataset_writer import classroom_at
from fewshot.research.simulation.virtual_classroom import Settings


def main() -> None:
    defaults = Settings()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="folder with data/ and models/")
    parser.add_argument("--dataset", default="cfee", help="of the table data/subjects.csv")
    parser.add_argument("--out", type=Path, default=None, help="outputs/classroom_<dataset> if not given")
    parser.add_argument("--modes", nargs="*", default=list(defaults.modes), help="neutral, or photos an emotion")
    parser.add_argument("--codec", default="mp4v", help="h264 (needs PyAV), or four letters of OpenCV's")
    parser.add_argument("--hold", type=float, nargs=2, default=defaults.hold, help="seconds a picture is shown")
    for name in ("columns", "rows", "width", "height", "strangers", "leaving", "seed"):
        parser.add_argument(f"--{name}", type=int, default=getattr(defaults, name))
    parser.add_argument("--elsewhere", action="store_true", help="who leaves comes back on another tile")
    for name in ("seconds", "fps"):
        parser.add_argument(f"--{name}", type=float, default=getattr(defaults, name))
    given = vars(parser.parse_args())
    shared, dataset, codec = given.pop("shared"), given.pop("dataset"), given.pop("codec")
    folder = given.pop("out") or Path("outputs") / f"classroom_{dataset}"
    settings = Settings(**{**given, "modes": tuple(given["modes"]), "hold": tuple(given["hold"])})
    try:
        truth = classroom_at(folder, shared, dataset, settings, codec=codec)
    except FewshotError as error:
        parser.exit(error.exit_code, f"{error}\n")
    changes = sum(len(seat.segments) - 1 for seat in truth.seats)
    print(f"{folder}: {truth.frames} frames, {len(truth.seats)} tiles, {changes} changes of picture")


if __name__ == "__main__":
    main()
