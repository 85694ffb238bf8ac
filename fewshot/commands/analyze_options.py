"""``fewshot analyze``: its options, and whether it is one run here, one at a service, or a batch."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fewshot.commands.options import (
    AsOption,
    ClassOption,
    CropsOption,
    CsvOption,
    DetectorName,
    DetectorOption,
    EmbedOption,
    JsonlOption,
    NamesFrom,
    NamesOption,
    NetworkOption,
    OfflineOption,
    ParquetOption,
    PictureOption,
    ProfileOption,
    RecordOption,
    RunsOn,
    SaveOption,
    TitleOption,
    WorkersOption,
)
from fewshot.errors import UsageError

if TYPE_CHECKING:
    from fewshot.client import Client

FOLDER = Path("fewshot-lessons")


def service_named(
    as_name: str | None, detector: DetectorName, network: Path | None, **options: object
) -> Client | None:
    """The service that FEWSHOT_API names; None without one. Its computer follows no option about models."""
    if not os.environ.get("FEWSHOT_API", "").strip():
        return None
    from fewshot.commands.remote import service

    other = detector is not DetectorName.auto
    return service(**{"as": as_name, "detector": other, "network": network, **options})


def analyze(
    files: Annotated[list[str], typer.Argument(help="Videos, pictures, or folders of pictures.")],
    class_name: ClassOption = None,
    save: SaveOption = None,
    jsonl: JsonlOption = None,
    table: CsvOption = None,
    parquet: ParquetOption = None,
    crops: CropsOption = None,
    summary_picture: PictureOption = None,
    record: RecordOption = False,
    title: TitleOption = "",
    workers: WorkersOption = None,
    embed: EmbedOption = None,
    names: NamesOption = NamesFrom.faces,
    profile: ProfileOption = None,
    detector: DetectorOption = DetectorName.auto,
    offline: OfflineOption = False,
    network: NetworkOption = None,
    as_name: AsOption = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            help="Number of lessons to analyze at the same time, each into its own table. Takes quoted patterns and "
            "folders of videos. Lessons that are finished are not repeated."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help=f"Folder for the tables of --jobs; default: {FOLDER}.", show_default=False)
    ] = None,
    engine: Annotated[
        RunsOn,
        typer.Option(help="Where the lessons of --jobs run: processes of this computer, or the machines of Ray."),
    ] = RunsOn.processes,
) -> None:
    """Analyze every frame of videos and pictures, without a window."""
    from fewshot.commands.acting import acting_as
    from fewshot.commands.outputs import Outputs
    from fewshot.commands.run_options import Pace
    from fewshot.commands.runs import check_files, open_run, run_files

    if jobs is not None or out is not None or engine is RunsOn.ray:
        other: dict[str, object] = {
            "--save": save,
            "--jsonl": jsonl,
            "--csv": table,
            "--parquet": parquet,
            "--crops": crops,
            "--embed": embed,
        }
        other |= {"--summary-picture": summary_picture, "--profile": profile, "--record": record, "--title": title}
        _refuse(other)
        code = _many(files, class_name, jobs, out, detector, offline, network, as_name, workers, engine, names)
        raise typer.Exit(code)
    check_files(files)
    lesson = title if record or title else None
    if client := service_named(as_name, detector, network, embed=embed):
        from fewshot.commands.remote import run_at

        outputs = Outputs(save, jsonl, summary_picture, None, profile, table, parquet, crops)
        outputs.check(files)
        run_them = partial(run_files, files=files, outputs=outputs, pace=Pace(workers=workers))
        raise typer.Exit(run_at(client, class_name, lesson, ", ".join(files), run_them, names.value))
    owner = acting_as(as_name)
    outputs = Outputs(save, jsonl, summary_picture, lesson, profile, table, parquet, crops, owner)
    outputs.check(files)
    pace = Pace(workers=workers, embed=embed.value if embed else None)
    run = open_run(class_name, detector, not offline, pace, network, owner, names.value)
    raise typer.Exit(run_files(run, files, outputs, pace))


def _many(
    files: list[str],
    class_name: str | None,
    jobs: int | None,
    out: Path | None,
    detector: DetectorName,
    offline: bool,
    network: Path | None,
    as_name: str | None,
    workers: int | None,
    engine: RunsOn,
    names: NamesFrom,
) -> int:
    from importlib.util import find_spec

    from fewshot.commands.acting import acting_as
    from fewshot.commands.batch import Batch, run_batch
    from fewshot.commands.batch_lessons import lessons_of
    from fewshot.commands.runs import check_names
    from fewshot.commands.terminal import say
    from fewshot.live.sinks.table import PARQUET_HINT

    if os.environ.get("FEWSHOT_API", "").strip():
        raise UsageError("--jobs works with the models of this computer. Unset FEWSHOT_API, or leave --jobs out.")
    if find_spec("pyarrow") is None:
        raise UsageError("The tables of --jobs need pyarrow, which is not installed.", hint=PARQUET_HINT)
    check_names(names.value, class_name)
    owner = acting_as(as_name)
    lessons, notes = lessons_of(files)
    say(notes)
    batch = Batch(
        lessons, out or FOLDER, jobs, class_name, owner, detector, network, not offline, workers, engine is RunsOn.ray,
        names.value,
    )  # fmt: skip
    return run_batch(batch)


def _refuse(other: dict[str, object]) -> None:
    """A batch writes one table per lesson and nothing else."""
    given = [name for name, value in other.items() if value]
    if given:
        raise UsageError(
            f"{', '.join(given)} cannot be used together with --jobs, --out or --engine, which write one table per "
            "lesson. Leave it out, or analyze the lessons one by one."
        )
