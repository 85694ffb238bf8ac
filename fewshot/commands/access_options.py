"""The arguments of ``fewshot export-data`` and ``fewshot forget``. What they do is imported when it is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fewshot.commands.options import AsOption


def export_data(
    class_name: Annotated[str, typer.Argument(metavar="CLASS", help="Name of the class.")],
    student: Annotated[str, typer.Argument(help="Name of the student.")],
    output: Annotated[
        Path | None, typer.Option(help="Folder to write; default: data-of-STUDENT.", show_default=False)
    ] = None,
    as_name: AsOption = None,
) -> None:
    """Write everything that is held about a student, for the family: data.json and data.html, a page to read."""
    from fewshot.commands.access import export_data as run
    from fewshot.commands.acting import acting_as

    run(class_name, student, output, acting_as(as_name))


def forget(
    class_name: Annotated[str, typer.Argument(metavar="CLASS", help="Name of the class.")],
    student: Annotated[str, typer.Argument(help="Name of the student.")],
    receipt: Annotated[
        Path | None, typer.Option(help="File for the receipt; default: receipt-ID.json.", show_default=False)
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_name: AsOption = None,
) -> None:
    """Erase a student for good, also in copies and backups, and write a signed receipt."""
    from fewshot.commands.access import run_forget
    from fewshot.commands.acting import acting_as

    raise typer.Exit(run_forget(class_name, student, receipt, yes, acting_as(as_name)))
