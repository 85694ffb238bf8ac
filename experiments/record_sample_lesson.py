"""Record the sample lessons of the app: the real loop on a virtual classroom of 49, readings only.

    python experiments/record_sample_lesson.py                   # all of them: seven minutes of processor time
    python experiments/record_sample_lesson.py --lessons 0 1     # the one that is played, and the first of the earlier
    python experiments/record_sample_lesson.py --share 0.1 --out outputs/try

Each tile holds a person of CFEE whose picture changes as a lesson goes: a quiet start, an explanation, a hard exercise,
its solution. Everybody is enrolled with their only neutral photo, mirrored and in another light than in the lessons.
The same people under the same names were in shorter lessons of the weeks before; every lesson has its own cameras and
its own chance. In the lesson that is played the exercise is harder than usual, and two people (``UNLIKE``) show mostly
one expression: the pictures were chosen so, the readings are what the loop said of them. What is kept are readings,
under invented names: no picture and no vector leaves this script.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.progress import track

from fewshot.app.recording import Recording, RecordingWriter
from fewshot.live.sources.base import CapturedFrame
from fewshot.research.simulation.dataset_writer import SCRFD_FILE, picture_loader, scrfd_locator
from fewshot.research.simulation.renderer import draw_classroom
from fewshot.research.simulation.sample_lessons import LESSONS, NAMES, Told, names_of, plan_of, told, write_photos
from fewshot.research.simulation.virtual_classroom import GalleryPlan
from fewshot.room import Classroom
from fewshot.types import EMOTIONS, Frame


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="folder with data/ and models/")
    parser.add_argument("--lessons", type=int, nargs="*", default=list(range(len(LESSONS))), help="0 is the played one")
    parser.add_argument("--share", type=float, default=1.0, help="of each lesson's length, for a try")
    parser.add_argument("--out", type=Path, default=Path("fewshot/app"), help="folder")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    os.environ.setdefault("FEWSHOT_SHARED", str(arguments.shared))
    arguments.out.mkdir(parents=True, exist_ok=True)
    root = arguments.shared / "data"
    with tempfile.TemporaryDirectory() as home:
        os.environ["FEWSHOT_HOME"] = home
        room = Classroom.open("sample")
        seated = plan_of(arguments.shared, LESSONS[0], arguments.share, arguments.seed)
        names = names_of(seated)
        write_photos(seated, root, Path(home) / "photos", names)
        room.enroll_folder(Path(home) / "photos", consent_by="the terms of the dataset")
        for number in arguments.lessons:
            lesson = LESSONS[number]
            plan = told(plan_of(arguments.shared, lesson, arguments.share, arguments.seed), arguments.shared, lesson)
            drawn = draw_classroom(plan, picture_loader(root), scrfd_locator(arguments.shared / SCRFD_FILE))
            recording = record(room, plan, lesson, drawn)
            recording.save(arguments.out / lesson.file)  # only a whole one: the file may be the package's own
            size = (arguments.out / lesson.file).stat().st_size
            print(f"{arguments.out / lesson.file}: {len(recording)} steps, {size / 1000:.0f} kB")


def record(room: Classroom, plan: GalleryPlan, lesson: Told, drawn: Iterable[tuple[Frame, Any]]) -> Recording:
    """What the loop says of a lesson that is drawn."""
    loop, writer = room.loop(), RecordingWriter(NAMES, EMOTIONS)
    for index, (frame, _) in enumerate(track(drawn, lesson.title, plan.settings.frames)):
        writer.add(loop.step(CapturedFrame("virtual classroom", index, index / lesson.fps, frame)).result)
    return writer.finish(about_of(plan, lesson, room.perception.network))


def about_of(plan: GalleryPlan, lesson: Told, network: str) -> dict[str, Any]:
    """Where the recording comes from."""
    settings = plan.settings
    return {
        "title": lesson.title,
        "source": "virtual classroom of 49 people (CFEE photographs)",
        "network": network,
        "width": settings.width,
        "height": settings.height,
        "weeks_before": lesson.weeks,
        "markers": [[round(share * settings.seconds, 1), text] for share, text, _ in lesson.story],
    }


if __name__ == "__main__":
    main()
