"""The command line. Everything heavy is imported inside the command that needs it: ``--help`` must be quick."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fewshot import __version__
from fewshot.commands.terminal import NOTICE, PlainErrors


class DetectorName(StrEnum):
    """What ``--detector`` may be."""

    auto = "auto"
    scrfd = "scrfd"
    yunet = "yunet"
    cascade = "cascade"


app = typer.Typer(
    cls=PlainErrors,
    help="Few-shot, per-student readings of facial expression in live classes.",
    epilog=NOTICE,
    add_completion=False,
    pretty_exceptions_enable=False,
)
models_app = typer.Typer(help="The model files: where they are, what they may be used for, fetching and checking.")
app.add_typer(models_app, name="models")

ClassOption = Annotated[str | None, typer.Option("--class", help="Class whose students are recognised.")]
DetectorOption = Annotated[DetectorName, typer.Option(help="Face detector; auto is SCRFD, or cascades without it.")]
NetworkOption = Annotated[
    Path | None, typer.Option(help="Expression network of your own (.onnx, its population .json beside it).")
]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Download nothing.")]
SaveOption = Annotated[Path | None, typer.Option(help="Annotated video to write (.mp4).")]
JsonlOption = Annotated[Path | None, typer.Option(help="Results to write, one JSON line a frame.")]
RecordOption = Annotated[bool, typer.Option("--record", help="Keep the lesson: readings by the second, no picture.")]
TitleOption = Annotated[str, typer.Option(help="Title of the lesson that is kept.")]
ProfileOption = Annotated[Path | None, typer.Option(help="Metrics to write: rates, drops, times (.json).")]
WorkersOption = Annotated[int | None, typer.Option(help="Frames worked on at once; default: what is fastest.")]
PictureOption = Annotated[Path | None, typer.Option(help="Where to draw the timeline of the class (.png).")]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"fewshot {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
) -> None:
    """Few-shot, per-student readings of facial expression in live classes."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command(epilog=NOTICE)
def live(
    source: Annotated[str, typer.Option(help="Camera number, file, address, screen or screen:x,y,w,h.")] = "0",
    class_name: ClassOption = None,
    show: Annotated[
        bool | None, typer.Option("--show/--no-show", help="Window; default: if there is a display.")
    ] = None,
    save: SaveOption = None,
    jsonl: JsonlOption = None,
    summary_picture: PictureOption = None,
    record: RecordOption = False,
    title: TitleOption = "",
    fps: Annotated[float | None, typer.Option(help="Frames a second of a live source to read, at most.")] = None,
    budget_ms: Annotated[
        float | None, typer.Option(help="Milliseconds a frame for expressions; beyond it faces take turns.")
    ] = None,
    wait: Annotated[
        float | None, typer.Option(help="Seconds to wait for a lost camera; default: as long as it takes; 0: end.")
    ] = None,
    workers: WorkersOption = None,
    profile: ProfileOption = None,
    detector: DetectorOption = DetectorName.auto,
    offline: OfflineOption = False,
    network: NetworkOption = None,
) -> None:
    """Watch a camera, a screen, a stream or a file as it comes; Ctrl-C or q ends it.

    Without --class nobody is recognised, and expressions are read by the population's prototypes.
    """
    from fewshot.commands.run_options import Pace
    from fewshot.commands.runs import Outputs, open_run, run_live

    outputs = Outputs(save, jsonl, summary_picture, title if record or title else None, profile)
    outputs.check([source])
    pace = Pace(fps, budget_ms, wait, workers)
    raise typer.Exit(run_live(open_run(class_name, detector, not offline, pace, network), source, show, outputs, pace))


@app.command(epilog=NOTICE)
def analyze(
    files: Annotated[list[str], typer.Argument(help="Videos, pictures, or folders of pictures.")],
    class_name: ClassOption = None,
    save: SaveOption = None,
    jsonl: JsonlOption = None,
    summary_picture: PictureOption = None,
    record: RecordOption = False,
    title: TitleOption = "",
    workers: WorkersOption = None,
    profile: ProfileOption = None,
    detector: DetectorOption = DetectorName.auto,
    offline: OfflineOption = False,
    network: NetworkOption = None,
) -> None:
    """Read every frame of files, without a window."""
    from fewshot.commands.run_options import Pace
    from fewshot.commands.runs import Outputs, check_files, open_run, run_files

    check_files(files)
    outputs = Outputs(save, jsonl, summary_picture, title if record or title else None, profile)
    outputs.check(files)
    pace = Pace(workers=workers)
    raise typer.Exit(run_files(open_run(class_name, detector, not offline, pace, network), files, outputs, pace))


@app.command(epilog=NOTICE)
def enroll(
    class_name: Annotated[str, typer.Argument(metavar="CLASS", help="Name of the class; made if it is new.")],
    photos: Annotated[Path, typer.Argument(help="Folder with PHOTOS/<student>/<emotion>/* or PHOTOS/<student>/*.")],
    consent_by: Annotated[str | None, typer.Option(help="Who consented, for everybody in PHOTOS.")] = None,
    consent_until: Annotated[str | None, typer.Option(help="Last day of the consent, like 2027-07-31.")] = None,
    detector: DetectorOption = DetectorName.auto,
    offline: OfflineOption = False,
    network: NetworkOption = None,
) -> None:
    """Enroll students from a few photos each. Consent is --consent-by, or stands in PHOTOS/consent.csv.

    Photos are not kept, only vectors made of them. Enrolling again adds.
    """
    from fewshot.commands.roster import run_enroll

    raise typer.Exit(run_enroll(class_name, photos, consent_by, consent_until, detector, not offline, network))


@app.command()
def roster(
    class_name: Annotated[str | None, typer.Argument(metavar="[CLASS]", help="Without it: the classes.")] = None,
    remove: Annotated[str | None, typer.Option(help="Remove a student with everything that was theirs.")] = None,
) -> None:
    """Who is in a class, with whose consent, and how many photos of what."""
    from fewshot.commands.roster import remove_student, show_classes, show_roster
    from fewshot.errors import UsageError

    if class_name is None:
        if remove is not None:
            raise UsageError("--remove needs a class: fewshot roster CLASS --remove STUDENT.")
        show_classes()
    elif remove is not None:
        remove_student(class_name, remove)
    else:
        show_roster(class_name)


@app.command()
def lessons(
    class_name: Annotated[str | None, typer.Argument(metavar="[CLASS]", help="Without it: of all classes.")] = None,
    delete: Annotated[int | None, typer.Option(help="Delete the lesson of this number.")] = None,
) -> None:
    """The lessons that were kept (--record), newest first."""
    from fewshot.commands.roster import delete_lesson, show_lessons

    if delete is not None:
        delete_lesson(delete)
    else:
        show_lessons(class_name)


@app.command()
def embed(
    images: Annotated[list[str], typer.Argument(help="Pictures, or folders of pictures.")],
    out: Annotated[Path, typer.Option(help="File to write (.npz).")],
    detector: DetectorOption = DetectorName.auto,
    offline: OfflineOption = False,
    network: NetworkOption = None,
) -> None:
    """Write the vectors of every face in pictures: paths, boxes, expression, identity, network; a row a face."""
    from fewshot.commands.vectors import run_embed

    run_embed(images, out, detector, not offline, network)


@app.command(epilog=NOTICE)
def report(
    lesson: Annotated[str, typer.Argument(help="Number of a lesson that was kept, or last.")],
    out: Annotated[Path, typer.Option(help="File to write: .html, .pdf, .csv or .parquet.")],
    aggregate: Annotated[bool, typer.Option("--aggregate", help="No names, nothing under 5 people.")] = False,
) -> None:
    """Write the report of a lesson: mood, moments, students, check-in list; or its readings as a table."""
    from fewshot.commands.report import run_report

    run_report(lesson, out, aggregate)


@app.command()
def doctor() -> None:
    """Check this machine: Python, libraries, models, camera, screen, video, and where files are kept."""
    from fewshot.commands.doctor import run_doctor

    raise typer.Exit(run_doctor())


@app.command("app", epilog=NOTICE)
def teacher_app(
    port: Annotated[int | None, typer.Option(help="Port; default: 8501, or the next free one.")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it in the browser.")] = True,
    host: Annotated[str, typer.Option(help="Address to listen at; the usual one is this computer only.")] = "127.0.0.1",
    network: NetworkOption = None,
) -> None:
    """The teacher's app in the browser: enroll a class, watch a lesson, read the report; a sample class is in it."""
    from fewshot.commands.app import run_app

    run_app(port, browser, host, network)


@app.command(epilog=NOTICE)
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the annotated video, pictures and results.")] = Path(
        "fewshot-demo"
    ),
    detector: DetectorOption = DetectorName.auto,
    offline: OfflineOption = False,
) -> None:
    """Enroll four of the six people of a sample picture, watch a video of all, and say what went right and wrong."""
    from fewshot.commands.app import offer_app
    from fewshot.demo.run import run_demo

    run_demo(out, detector, not offline)
    offer_app()


@models_app.command("list")
def models_list() -> None:
    """Every model: what it does, where it is, what it may be used for."""
    from fewshot.commands.models import show_models

    show_models()


@models_app.command("pull")
def models_pull(
    names: Annotated[list[str] | None, typer.Argument(help="Which; all that can be downloaded without it.")] = None,
) -> None:
    """Download the models that are not here yet."""
    from fewshot.commands.models import pull_models

    pull_models(names or [])


@models_app.command("verify")
def models_verify() -> None:
    """Compare every model file on this machine with what it should be."""
    from fewshot.commands.models import verify_models

    raise typer.Exit(verify_models())


def main() -> None:
    """Entry point of the command ``fewshot``."""
    for stream in (sys.stdout, sys.stderr):
        # A Windows console that knows no Cyrillic must not end a lesson because of a name.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    app()
