"""The command line. Heavy modules are imported inside the command that needs them, so that ``--help`` is quick."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from fewshot import __version__
from fewshot.commands.access_options import export_data, forget
from fewshot.commands.analyze_options import analyze, service_named
from fewshot.commands.groups import accounts_app, audit_app, key_app, models_app, tokens_app
from fewshot.commands.options import (
    AsOption,
    ClassOption,
    DetectorName,
    DetectorOption,
    EmbedOption,
    HostOption,
    JsonlOption,
    NamesFrom,
    NamesOption,
    NetworkOption,
    OfflineOption,
    PictureOption,
    ProfileOption,
    RecordOption,
    SaveOption,
    TitleOption,
    WorkersOption,
)
from fewshot.commands.server_options import backup, restore, serve
from fewshot.commands.terminal import NOTICE, PlainErrors, safe_log

app = typer.Typer(
    cls=PlainErrors,
    help="Recognise facial expressions in live online classes, per student, from a few photos of each.",
    epilog=NOTICE,
    pretty_exceptions_enable=False,
)
app.add_typer(models_app, name="models")
app.add_typer(accounts_app, name="accounts")
app.add_typer(tokens_app, name="tokens")
app.add_typer(audit_app, name="audit")
app.add_typer(key_app, name="key")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"fewshot {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    # Typer names the option after the argument; the callback does the work.
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show version.")] = False,  # noqa: ARG001
) -> None:
    """Recognise facial expressions in live online classes, per student, from a few photos of each."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command(epilog=NOTICE)
def live(
    source: Annotated[str, typer.Option(help="Camera number, file, address, screen or screen:x,y,w,h.")] = "0",
    class_name: ClassOption = None,
    show: Annotated[
        bool | None, typer.Option("--show/--no-show", help="Open a window; default: if there is a display.")
    ] = None,
    save: SaveOption = None,
    jsonl: JsonlOption = None,
    summary_picture: PictureOption = None,
    record: RecordOption = False,
    title: TitleOption = "",
    fps: Annotated[
        float | None,
        typer.Option(help="Process at most this many frames per second (live only); default: 8 of a screen, else 15."),
    ] = None,
    budget_ms: Annotated[
        float | None, typer.Option(help="Milliseconds per frame for expressions; beyond that, faces take turns.")
    ] = None,
    wait: Annotated[
        float | None, typer.Option(help="Seconds to wait for a lost camera; default: no limit; 0: stop at once.")
    ] = None,
    workers: WorkersOption = None,
    embed: EmbedOption = None,
    names: NamesOption = NamesFrom.faces,
    profile: ProfileOption = None,
    detector: DetectorOption = DetectorName.auto,
    offline: OfflineOption = False,
    network: NetworkOption = None,
    as_name: AsOption = None,
) -> None:
    """Watch a camera, the screen, a stream or a file. Press Ctrl-C, or q in the window, to stop.

    Without --class no student is recognised, and expressions are classified with the population prototypes.
    """
    from fewshot.commands.acting import acting_as
    from fewshot.commands.outputs import Outputs
    from fewshot.commands.run_options import Pace
    from fewshot.commands.runs import open_run, run_live
    from fewshot.live.sparing import lower_priority

    lower_priority()
    lesson = title if record or title else None
    if client := service_named(as_name, detector, network, budget_ms=budget_ms, embed=embed):
        from fewshot.commands.remote import run_at

        outputs, pace = Outputs(save, jsonl, summary_picture, profile=profile), Pace(fps, None, wait, workers)
        outputs.check([source])
        watch = partial(run_live, text=source, show=show, outputs=outputs, pace=pace)
        raise typer.Exit(run_at(client, class_name, lesson, source, watch, names.value))
    owner = acting_as(as_name)
    outputs = Outputs(save, jsonl, summary_picture, lesson, profile, owner=owner)
    outputs.check([source])
    pace = Pace(fps, budget_ms, wait, workers, embed.value if embed else None)
    run = open_run(class_name, detector, not offline, pace, network, owner, names.value)
    raise typer.Exit(run_live(run, source, show, outputs, pace))


app.command(epilog=NOTICE)(analyze)


@app.command(epilog=NOTICE)
def enroll(
    class_name: Annotated[str, typer.Argument(metavar="CLASS", help="Name of the class; it is created if it is new.")],
    photos: Annotated[Path, typer.Argument(help="Folder with PHOTOS/<student>/<emotion>/* or PHOTOS/<student>/*.")],
    consent_by: Annotated[str | None, typer.Option(help="Who gave consent for everybody in PHOTOS.")] = None,
    consent_until: Annotated[str | None, typer.Option(help="Last day of the consent, such as 2027-07-31.")] = None,
    looks_like: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="A student with a twin or double in the class; both are enrolled. Can be repeated."
        ),
    ] = None,
    detector: DetectorOption = DetectorName.auto,
    offline: OfflineOption = False,
    network: NetworkOption = None,
    as_name: AsOption = None,
    consent_purpose: Annotated[
        str | None, typer.Option(help="What --consent-by is for; at a service (FEWSHOT_API) it must name the server.")
    ] = None,
) -> None:
    """Enroll students from a few photos each. Consent is required: use --consent-by or write PHOTOS/consent.csv.

    Photos are not stored, only vectors computed from them. Enrolling again adds photos.
    """
    from fewshot.commands.acting import acting_as
    from fewshot.commands.roster import run_enroll

    doubles = looks_like or []
    if client := service_named(as_name, detector, network):
        from fewshot.commands.remote import enroll_at

        raise typer.Exit(enroll_at(client, class_name, photos, consent_by, consent_until, consent_purpose, doubles))
    if consent_purpose is not None:
        from fewshot.errors import UsageError

        raise UsageError(
            "--consent-purpose is for a service (FEWSHOT_API). On this computer, write the purpose into consent.csv."
        )
    owner = acting_as(as_name)
    raise typer.Exit(
        run_enroll(class_name, photos, consent_by, consent_until, detector, not offline, network, doubles, owner)
    )


@app.command()
def roster(
    class_name: Annotated[
        str | None, typer.Argument(metavar="[CLASS]", help="Name of a class; default: list all classes.")
    ] = None,
    remove: Annotated[str | None, typer.Option(help="Remove this student and all their data.")] = None,
    withdraw: Annotated[
        str | None, typer.Option(metavar="STUDENT", help="Record that the consent of this student ends today.")
    ] = None,
    rename: Annotated[str | None, typer.Option(metavar="NAME", help="Give the class this name.")] = None,
    as_name: AsOption = None,
) -> None:
    """Show the students of a class, who gave consent, and how many photos of each emotion are enrolled."""
    from fewshot.commands.acting import acting_as
    from fewshot.commands.roster import remove_student, rename_class, show_classes, show_roster, withdraw_consent
    from fewshot.errors import UsageError

    owner = acting_as(as_name)
    if class_name is None:
        if remove is not None:
            raise UsageError("--remove needs the name of a class. Type: fewshot roster CLASS --remove STUDENT")
        if rename is not None:
            raise UsageError("--rename needs the name of a class. Type: fewshot roster CLASS --rename NAME")
        if withdraw is not None:
            raise UsageError("--withdraw needs the name of a class. Type: fewshot roster CLASS --withdraw STUDENT")
        show_classes(owner)
    elif withdraw is not None and (rename is not None or remove is not None):
        raise UsageError("--withdraw cannot be used with --rename or --remove. Use one after the other.")
    elif withdraw is not None:
        withdraw_consent(class_name, withdraw, owner)
    elif rename is not None and remove is not None:
        raise UsageError(
            "--rename and --remove cannot be used together. Remove the student first: fewshot roster CLASS --remove "
            "STUDENT"
        )
    elif rename is not None:
        rename_class(class_name, rename, owner)
    elif remove is not None:
        remove_student(class_name, remove, owner)
    else:
        show_roster(class_name, owner)


@app.command()
def lessons(
    class_name: Annotated[
        str | None, typer.Argument(metavar="[CLASS]", help="Name of a class; default: lessons of all classes.")
    ] = None,
    delete: Annotated[int | None, typer.Option(help="Delete the lesson with this number.")] = None,
    delete_old: Annotated[
        bool, typer.Option("--delete-old", help="Delete the lessons that are older than Settings, Privacy says.")
    ] = False,
    as_name: AsOption = None,
) -> None:
    """List the lessons recorded with --record, newest first."""
    from fewshot.commands.acting import acting_as
    from fewshot.commands.roster import delete_lesson, delete_old_lessons, show_lessons

    owner = acting_as(as_name)
    if delete_old:
        delete_old_lessons(owner)
    elif delete is not None:
        delete_lesson(delete, owner)
    else:
        show_lessons(class_name, owner)


@app.command()
def embed(
    images: Annotated[list[str], typer.Argument(help="Pictures, folders of pictures, or videos.")],
    out: Annotated[Path, typer.Option(help="File to write (.npz).")],
    detector: DetectorOption = DetectorName.auto,
    offline: OfflineOption = False,
    network: NetworkOption = None,
) -> None:
    """Write the vectors of every face in pictures and videos, one row per face, with boxes, landmarks and emotions."""
    from fewshot.commands.vectors import run_embed

    run_embed(images, out, detector, not offline, network)


@app.command(epilog=NOTICE)
def report(
    lesson: Annotated[str, typer.Argument(help="Number of a recorded lesson, or last.")],
    out: Annotated[Path, typer.Option(help="File to write: .html, .pdf, .csv or .parquet.")],
    aggregate: Annotated[
        bool, typer.Option("--aggregate", help="Leave out names, and counts of fewer than 5 people.")
    ] = False,
    as_name: AsOption = None,
) -> None:
    """Write the report of a lesson (mood, moments, students, check-in list), or its readings as a table."""
    from fewshot.commands.acting import acting_as
    from fewshot.commands.report import run_report

    run_report(lesson, out, aggregate, acting_as(as_name))


app.command("export-data")(export_data)
app.command()(forget)


@app.command()
def doctor() -> None:
    """Check this machine: Python, libraries, models, camera, screen, video files, and the folder for data."""
    from fewshot.commands.doctor import run_doctor

    raise typer.Exit(run_doctor())


@app.command()
def cameras() -> None:
    """List the cameras of this computer, with the number that --source takes."""
    from fewshot.commands.cameras import show_cameras

    show_cameras()


app.command()(backup)
app.command()(restore)


@app.command("app", epilog=NOTICE)
def teacher_app(
    port: Annotated[int | None, typer.Option(help="Port; default: 8501, or the next free one.")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the app in the browser.")] = True,
    host: HostOption = None,
    public_url: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Address that a reverse proxy gives the app. Can be repeated."),
    ] = None,
    framed_by: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Site whose pages may show the app in a frame. Can be repeated."),
    ] = None,
    login: Annotated[
        bool, typer.Option("--login", help="Ask for a login on this computer too (fewshot accounts add).")
    ] = False,
    without_login: Annotated[
        bool, typer.Option("--without-login", help="Let other computers in, although there is no login and no TLS.")
    ] = False,
    network: NetworkOption = None,
) -> None:
    """Start the teacher's app in the browser: enroll a class, watch a lesson, open its report, try a sample class."""
    from fewshot.commands.app import run_app

    run_app(
        port,
        browser,
        host,
        network,
        public_urls=public_url or [],
        framed_by=framed_by or [],
        login=login,
        without_login=without_login,
    )


app.command(epilog=NOTICE)(serve)


@app.command(epilog=NOTICE)
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the annotated video, the pictures and the results.")] = Path(
        "fewshot-demo"
    ),
    detector: DetectorOption = DetectorName.auto,
    offline: OfflineOption = False,
) -> None:
    """Enroll four of the six people in a sample picture, analyze a video of all six, and show the mistakes."""
    from fewshot.commands.app import offer_app
    from fewshot.demo.run import run_demo

    run_demo(out, detector, not offline)
    offer_app()


def main() -> None:
    """Entry point of the command ``fewshot``."""
    for stream in (sys.stdout, sys.stderr):
        # A Windows console without Cyrillic letters must not end a lesson because of a student's name.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    safe_log()
    app()
