"""The tables of results about the whole system: speed, virtual classrooms, the fallback, and size."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path

from fewshot.research.evaluation.results_rows import DATA, MEASURE, TARGET, VALUE, Row, Tables, Where, measured

SPEED = (
    ("49 faces, 1920x1080: frames a second", "frames per second, H.264 decoding included", "49 faces, 1920x1080"),
    ("... decoded frame to its labels, file", "from decoded frame to labels, file, p95", "49 faces, 1920x1080"),
    ("... the same, p50", "from decoded frame to labels, file, median", "49 faces, 1920x1080"),
    ("... from one labelled frame to the next", "from one labelled frame to the next, p95", "49 faces, 1920x1080"),
    ("... decoded frame to labels, as a camera", "from decoded frame to labels, camera, p95", "49 faces, 25 fps"),
    ("... frames of that camera", "frames of that camera that were dropped", "49 faces, 25 fps"),
    ("... faces embedded", "faces embedded and classified in the same frame", "49 faces, 1920x1080"),
    ("... every face answered", "frames per second, only the changed faces embedded", "49 faces, 1920x1080"),
    ("... the same, decoded frame", "the same: from decoded frame to labels, file, p95", "49 faces, 1920x1080"),
    ("... the same, faces embedded", "the same: faces embedded in the same frame", "49 faces, 1920x1080"),
    ("... processor time", "processor time of a decoded frame", "49 faces, 1920x1080"),
    ("... the same, changed faces", "the same, only the changed faces embedded", "49 faces, 1920x1080"),
    ("... resident memory", "resident memory, maximum", "49 faces, 1920x1080"),
    ("25 faces, 1920x1080: frames a second", "frames per second", "25 faces, 1920x1080"),
    ("... decoded frame to its labels", "from decoded frame to labels, file, p95", "25 faces, 1920x1080"),
    ("... 50 minutes", "processor time of a lesson of 50 minutes", "25 faces, 8 frames per second"),
    ("... the same, changed faces", "the same, only the changed faces embedded", "25 faces, 8 frames per second"),
    ("1 face, 1280x720: frames a second", "frames per second", "1 face, 1280x720"),
    ("... decoded frame to labels, as a camera", "from decoded frame to labels, camera, p95", "1 face, 30 fps"),
    ("... frames of that camera", "frames of that camera that were dropped", "1 face, 30 fps"),
    ("times as fast as the loop", "times as fast as a loop written by hand", "49 faces, same frames"),
    ("... the loop written by hand", "one frame, loop written by hand", "49 faces"),
    ("... ours, the same frames", "one frame, this program", "49 faces, same frames"),
    ("start to the first labelled frame", "start to the first labelled frame", "a class of 49"),
    ("`import fewshot`", "`import fewshot`", "-"),
    ("right name, 49 enrolled", "right name, of face-frames", "49 students, one neutral photo each"),
    ("right name, 42 enrolled", "right name, of face-frames", "42 students; 6 leave and return elsewhere"),
    ("... 7 strangers", "strangers called by a student's name", "7 strangers among 42 students"),
    ("names that changed", "names that changed on a track", "both videos"),
    ("who returns", "until a student who returns is known again, at most", "42 students; 6 leave and return elsewhere"),
    ("`fewshot enroll` of 50", "`fewshot enroll`, from launch to exit", "50 students, 5 photos each"),
)
"""How each row of live.md begins, what it measures, on what; in its order."""


def speed(folder: Path) -> list[Row]:
    """Rows of the speed table, from live.md: median, range of the runs, target, whether it was met.

    Raises:
        LookupError: live.md has other rows.
    """
    lines = (folder / "live.md").read_text(encoding="utf-8").partition("\n\n- ")[0].splitlines()
    found = [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")][2:]
    rows = []
    for cells, known in zip_longest(found, SPEED):
        if cells is None or known is None or not cells[0].startswith(known[0]):
            raise LookupError(f"live.md: the row {cells} was found where {known} was expected")
        _, value, spread, target, met = cells
        row = {MEASURE: known[1], DATA: known[2], VALUE: value, "range of the runs": spread.replace(" - ", " to ")}
        rows.append(row | {TARGET: target, "met": met})
    return rows


VIDEOS = {
    "49 people, one neutral photo each": ("cfee_49", "neutral only"),
    "42 people, one neutral photo each, and 7 strangers": ("cfee_42_strangers_7", "neutral only"),
    "10 people, no photo": ("jaffe_10", "no photo"),
    "10 people, one photo per emotion": ("jaffe_10", "1 an emotion"),
    "10 people, two photos per emotion": ("jaffe_10", "2 an emotion"),
}
SEEN = {
    "faces found": ("faces found %", " %"),
    "right name, first second included": ("identity %", " %"),
    "another student's name": ("wrong name %", " %"),
    "strangers called by a student's name": ("strangers named %", " %"),
    "emotion right": ("emotion %", " %"),
    "unsure": ("unsure %", " %"),
    "label follows a changed picture after, median": ("lag median s", " s"),
    "label follows a changed picture after, p95": ("lag p95 s", " s"),
    "changes that the label followed": ("changes followed", ""),
}


def virtual_classroom(tables: Tables) -> list[Row]:
    """The whole system, defaults, on videos made of pictures of real people."""
    rows = []
    for measure, (column, unit) in SEEN.items():
        for video, row in ((name, _in_video(tables, *which)) for name, which in VIDEOS.items()):
            nobody_to_name = row["photos"] == "no photo" and column in ("identity %", "strangers named %")
            if row[column] != "-" and not nobody_to_name:
                value, interval = _parted(row[column])
                rows.append(measured(measure, video, value.replace("/", " of ") + unit, interval))
    return rows


FALLBACK = (
    ("faces found", "cfee_49", "faces found %", ""),
    ("right name, of face-frames", "cfee_49", "identity %", "97 %"),
    ("right name, after two seconds", "cfee_49", "identity after 2 s %", ""),
    ("another student's name", "cfee_49", "wrong name %", ""),
    ("strangers called by a student's name", "cfee_42_strangers_7", "strangers named %", ""),
)


def fallback(tables: Tables) -> list[Row]:
    """OpenCV's cascades with our own identity output, where no model can be downloaded."""
    names = {which[0]: name for name, which in VIDEOS.items() if which[1] == "neutral only"}
    rows = []
    for measure, video, column, target in FALLBACK:
        value, interval = _parted(_in_video(tables, video, "neutral only", "cascade")[column])
        best = _parted(_in_video(tables, video, "neutral only")[column])[0]
        rows.append(
            measured(measure, names[video], f"{value} %", interval, target, f"{best} % (SCRFD and MobileFaceNet)")
        )
    rate, best = (
        tables.row("speed", {"video": "cfee_49", "detector": detector})["frames a second"]
        for detector in ("cascade", "scrfd")
    )
    data, best = names["cfee_49"], f"{best} (SCRFD and MobileFaceNet)"
    return [*rows, measured("frames per second, one after the other", data, rate, best=best)]


def scale(tables: Tables) -> list[Row]:
    """Identity search in FAISS."""
    rows = []
    for size in ("50", "5000", "1000000"):
        row = tables.row("store", {"part": "gallery", "students": size})
        data = f"{int(size):,} people, {row['kind'].replace('cells', 'inverted file')}"
        rows.append(measured("49 searches", data, f"{_digits(row['ms_49'])} ms"))
        rows.append(measured("recall of the exact search's nearest", data, row["recall"]))
    return rows


def _in_video(tables: Tables, video: str, photos: str, detector: str = "scrfd") -> Where:
    return tables.row("accuracy", {"video": video, "detector": detector, "photos": photos, "smoothing": "yes"})


def _parted(cell: str) -> tuple[str, str]:
    """ "99.3 (98.9-99.6)" -> ("99.3", "98.9 to 99.6")."""
    value, _, interval = cell.partition(" (")
    return value, interval.rstrip(")").replace("-", " to ")


def _digits(value: str) -> str:
    """Three figures at most, without an exponent."""
    return f"{float(value):.3g}"
