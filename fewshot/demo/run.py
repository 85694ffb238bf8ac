"""The demo: enroll four of six people, watch a video of all six, and report what was right and wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.markup import escape

from fewshot.demo.sample import FPS, PEOPLE, enrollment_photos, sample_picture, true_boxes, video
from fewshot.demo.score import Scorecard, reading_of
from fewshot.errors import FewshotError, printable
from fewshot.live.colours import INK, PAPER, colour_of, readable_on
from fewshot.live.lettering import text_tile
from fewshot.live.overlay import Overlay
from fewshot.live.play import Outcome, play
from fewshot.live.sinks.base import OutputError, Sink
from fewshot.live.sinks.jsonl import JsonLines
from fewshot.live.sinks.video import AnnotatedVideo
from fewshot.live.sources.base import FrameSource
from fewshot.pictures import read_picture
from fewshot.room import Classroom
from fewshot.session.summary import Summary
from fewshot.session.temporary import TemporaryFolder, clean_up
from fewshot.session.timeline import save_timeline
from fewshot.types import Frame, FrameResult, Reading

SEEN_TIMES = 6

NEXT = """
What to type next:
  fewshot live                        watch your webcam: expressions, no names
  fewshot enroll physics photos --consent-by "who gave it"
                                      enroll students: photos/<student>/*.jpg
  fewshot live --class physics        watch again, now with names
  fewshot doctor                      if something does not work

Where this may not be used: the EU AI Act, Article 5(1)(f), prohibits inferring
emotions from biometric data in education and at work, except for medical or
safety reasons. Consent does not lift this prohibition. Readings are uncertain:
they are never a grade and never a verdict on a person."""


class _Witness:
    """A sink that compares every frame with the true answers and keeps some faces for the contact sheet."""

    def __init__(self, picture: Frame, times: Sequence[float]) -> None:
        self.score = Scorecard()
        self.cells: dict[str, list[Frame]] = defaultdict(list)
        self._picture, self._times = picture, set(times)

    def write(self, result: FrameResult, frame: Frame) -> None:
        boxes = true_boxes(result.time, self._picture)
        self.score.add(result, boxes)
        if result.index in self._times:
            for person, box in zip(PEOPLE, boxes, strict=True):
                reading = reading_of(box, result.readings)
                if reading is not None:
                    self.cells[person.name].append(seen(frame, reading))

    def close(self) -> None:
        """Nothing is held open."""


def run_demo(out: Path, detector: str = "auto", download: bool = True, console: Console | None = None) -> Scorecard:
    """Run it and write annotated.mp4, contact_sheet.png, timeline.png and readings.jsonl into ``out``.

    Raises:
        FewshotError: the sample picture or a model is missing, or ``out`` cannot be written.
    """
    console = console or Console()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {out} cannot be created ({error.strerror}). Choose another folder with --out."
        ) from error
    clean_up()
    picture = sample_picture()
    # The class of the demo is deleted with its folder: nobody stays enrolled.
    with TemporaryFolder("demo") as temporary:
        photos = Path(temporary) / "photos"
        room = Classroom.in_folder(Path(temporary) / "demo", detector=detector, download=download)
        console.print(f"Network {room.perception.network}, detector {room.perception.detector.name}.")
        for note in room.perception.notes:
            console.print(f"[yellow]{escape(printable(str(note)))}[/yellow]")
        _enroll(room, picture, photos, console)
        frames = list(video(picture))
        witness = _Witness(picture, [int(i) for i in np.linspace(0.25, 0.97, SEEN_TIMES) * (len(frames) - 1)])
        summary = Summary(room.students)
        outcome = _watch(room, frames, [witness, summary, *_files(out)])
        rows = [(p.name, photos / p.name if p.enrolled else None, witness.cells[p.name]) for p in PEOPLE]
        _save(out / "contact_sheet.png", contact_sheet(rows))
    save_timeline(summary, out / "timeline.png")
    _tell(console, witness.score, outcome, out)
    return witness.score


def _enroll(room: Classroom, picture: Frame, photos: Path, console: Console) -> None:
    enrollment_photos(picture, photos)
    report = room.enroll_folder(photos, consent_by="nobody: sample picture, deleted after the demo")
    for student in report.students:
        accepted, given = student.count("accepted"), len(student.photos)
        why = "; ".join(sorted({photo.reason for photo in student.rejected}))
        console.print(f"  enrolled {student.student}: {accepted} of {given} photos{f' ({why})' if why else ''}")
    if not report.standing:
        raise FewshotError("Nobody could be enrolled from the sample picture.", hint="To find out why: fewshot doctor")


def _files(out: Path) -> Iterator[Sink]:
    yield AnnotatedVideo(out / "annotated.mp4", FPS, overlay=Overlay())
    yield JsonLines(out / "readings.jsonl")


def _watch(room: Classroom, frames: list[Frame], sinks: list[Sink]) -> Outcome:
    return play(room.loop(), [FrameSource(frames, FPS, "sample")], sinks)


def _save(path: Path, picture: Frame) -> None:
    ok, encoded = cv2.imencode(".png", picture)
    try:
        path.write_bytes(encoded.tobytes() if ok else b"")
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}). Choose another folder with --out.") from error


def _tell(console: Console, score: Scorecard, outcome: Outcome, out: Path) -> None:
    console.print(score.table())
    right = sum(score.is_right(person) for person in PEOPLE)
    console.print(
        f"{right} of {len(PEOPLE)} people are right: the enrolled ones have their own name, the guests are unknown. "
        f"{outcome.frames} frames, {outcome.rate:.1f} frames per second including drawing and saving."
    )
    names = ("annotated.mp4", "contact_sheet.png", "timeline.png", "readings.jsonl")
    console.print("Written: " + ", ".join(escape(printable(str(out / name))) for name in names))
    console.print(NEXT, highlight=False)


CELL = 120
CAPTION = 22


def cell(picture: Frame | None, caption: str, emotion: str | None = "neutral") -> Frame:
    """One picture of the sheet above its caption, shape (142, 120, 3)."""
    canvas = np.full((CELL + CAPTION, CELL, 3), PAPER, np.uint8)
    if picture is not None and picture.size:
        canvas[:CELL] = cv2.resize(picture, (CELL, CELL), interpolation=cv2.INTER_AREA)
    colour = colour_of(emotion) if picture is not None else PAPER
    canvas[CELL:] = colour
    tile = text_tile(caption, CAPTION, readable_on(colour) if picture is not None else INK, colour)
    width = min(CELL, tile.shape[1])
    canvas[CELL:, :width] = tile[:, :width]
    return canvas


def seen(frame: Frame, reading: Reading) -> Frame:
    """A detected face with its reading."""
    height, width = frame.shape[:2]
    x0, y0, x1, y1 = (round(value) for value in reading.box)
    crop = frame[max(y0, 0) : min(y1, height), max(x0, 0) : min(x1, width)]
    words = reading.emotion or "unsure"
    if reading.confidence is not None:
        words += f" {100 * reading.confidence:.0f} %"
    return cell(crop, words, reading.emotion)


def contact_sheet(rows: Sequence[tuple[str, Path | None, Sequence[Frame]]]) -> Frame:
    """All rows below each other.

    Args:
        rows: (name, folder of the enrolled photos or None for a stranger, cells of ``seen``).
    """
    drawn = []
    for name, folder, cells in rows:
        photos = sorted(folder.glob("*.jpg"))[:3] if folder else []
        left = [cell(read_picture(path), "enrolled") for path in photos]
        left += [cell(None, "") for _ in range(3 - len(left))]
        drawn.append(np.hstack([cell(None, name), *left, *cells]))
    widest = max(row.shape[1] for row in drawn)
    return np.vstack([np.pad(row, ((0, 0), (0, widest - row.shape[1]), (0, 0)), constant_values=24) for row in drawn])
