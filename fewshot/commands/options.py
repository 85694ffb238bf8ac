"""Options that several commands share, so that they are called and explained the same everywhere."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class DetectorName(StrEnum):
    """The values of ``--detector``."""

    auto = "auto"
    scrfd = "scrfd"
    yunet = "yunet"
    cascade = "cascade"


class EmbedName(StrEnum):
    """The values of ``--embed``."""

    changed = "changed"
    all = "all"


class NamesFrom(StrEnum):
    """The values of ``--names``."""

    faces = "faces"
    both = "both"
    labels = "labels"


class RunsOn(StrEnum):
    """The values of ``--engine``: what runs the processes of a batch or of the service."""

    processes = "processes"
    ray = "ray"


NamesOption = Annotated[
    NamesFrom,
    typer.Option(
        "--names",
        help="Where names come from: faces; labels: only the names that a video call writes on its tiles, no face is "
        "recognised; both: a face whose label names another student gets no name.",
    ),
]
ClassOption = Annotated[str | None, typer.Option("--class", help="Recognise the students of this class.")]
AsOption = Annotated[
    str | None,
    typer.Option(
        "--as", metavar="NAME", envvar="FEWSHOT_AS", help="Work for this teacher; default: the local teacher."
    ),
]
DetectorOption = Annotated[DetectorName, typer.Option(help="Face detector; auto: SCRFD if available, else cascade.")]
NetworkOption = Annotated[
    Path | None, typer.Option(help="Use your own expression network (.onnx, with its population .json beside it).")
]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Do not download anything.")]
SaveOption = Annotated[Path | None, typer.Option(help="Write an annotated video to this file (.mp4).")]
JsonlOption = Annotated[Path | None, typer.Option(help="Write the results to this file, one JSON line per frame.")]
CsvOption = Annotated[
    Path | None, typer.Option("--csv", help="Write the results to this table (.csv), one row per face and frame.")
]
ParquetOption = Annotated[Path | None, typer.Option(help="Write the same table to this file (.parquet).")]
CropsOption = Annotated[Path | None, typer.Option(help="Write a picture of every face in every frame to this folder.")]
RecordOption = Annotated[bool, typer.Option("--record", help="Record the readings of the lesson (no pictures).")]
TitleOption = Annotated[str, typer.Option(help="Title of the lesson; also turns on --record.")]
ProfileOption = Annotated[Path | None, typer.Option(help="Write frame rates, dropped frames and times (.json).")]
WorkersOption = Annotated[int | None, typer.Option(help="Frames processed at the same time; default: the fastest.")]
EmbedOption = Annotated[
    EmbedName | None,
    typer.Option(help="Faces that get a new vector in every frame; default: FEWSHOT_EMBED, or all."),
]
PictureOption = Annotated[Path | None, typer.Option(help="Draw the timeline of the class to this file (.png).")]
PassphraseOption = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file", help="Read the passphrase from this file; - is standard input. Default: ask for it."
    ),
]
HostOption = Annotated[
    str | None,
    typer.Option(help="Address to listen on; default: 127.0.0.1, this computer only.", show_default=False),
]
