"""Arguments of ``fewshot backup``, ``restore`` and ``serve``. What they do is imported when it is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fewshot.commands.options import HostOption, NetworkOption, PassphraseOption, RunsOn
from fewshot.errors import UsageError


def backup(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="File to write.")] = None,
    passphrase_file: PassphraseOption = None,
    manage: Annotated[
        Path | None,
        typer.Option(
            metavar="PLACE",
            help="Write a backup to this folder or file, and keep it up to date from now on. It opens with the "
            "passphrase of the recovery file.",
        ),
    ] = None,
    unmanage: Annotated[
        Path | None, typer.Option(metavar="PLACE", help="Keep the backup there up to date no longer.")
    ] = None,
    managed: Annotated[bool, typer.Option("--managed", help="List the backups that are kept up to date.")] = False,
) -> None:
    """Write all classes, lessons, accounts and settings into one encrypted file, also while a lesson runs.

    The passphrase is asked for twice and never shown; it has at least 12 characters.
    """
    from fewshot.commands.backup import run_backup, run_manage, run_unmanage, show_managed

    if sum((file is not None, manage is not None, unmanage is not None, managed)) != 1:
        raise UsageError("Which backup? Give one of these: FILE, --manage PLACE, --unmanage PLACE, --managed.")
    if file is not None:
        run_backup(file, passphrase_file)
    elif manage is not None:
        run_manage(manage)
    elif unmanage is not None:
        run_unmanage(unmanage)
    else:
        show_managed()


def restore(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Backup to restore.")] = None,
    passphrase_file: PassphraseOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Replace the database without a question.")] = False,
    list_all: Annotated[bool, typer.Option("--list", help="List the backups of this computer.")] = False,
) -> None:
    """Replace the database by a backup. What was removed after the backup stays removed.

    The database of now is kept aside. Restoring is refused while a lesson runs.
    """
    from fewshot.commands.backup import run_restore, show_backups

    if list_all:
        show_backups()
    elif file is None:
        raise UsageError("Which backup? Type: fewshot restore FILE. To see the backups, type: fewshot restore --list")
    else:
        run_restore(file, passphrase_file, yes)


def serve(
    port: Annotated[int | None, typer.Option(help="Port; default: 8601.")] = None,
    host: HostOption = None,
    public_url: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Address that a reverse proxy gives the service. Can be repeated."),
    ] = None,
    processes: Annotated[int, typer.Option(help="Processes that share the port.")] = 1,
    certificate: Annotated[Path | None, typer.Option(help="Certificate for TLS (.pem).")] = None,
    key: Annotated[Path | None, typer.Option(help="Key of the certificate (.pem).")] = None,
    network: NetworkOption = None,
    engine: Annotated[
        RunsOn, typer.Option(help="What runs the processes: this program, or Ray Serve, also on other machines.")
    ] = RunsOn.processes,
    max_processes: Annotated[
        int | None,
        typer.Option(help="Processes that --engine ray may run while there are lessons; default: one per core."),
    ] = None,
) -> None:
    """Start the service for other programs, without pages. Every program needs a token: fewshot tokens add."""
    from fewshot.commands.serve import run_serve

    run_serve(
        port,
        host,
        public_urls=public_url or [],
        processes=processes,
        certificate=certificate,
        key=key,
        network=network,
        ray=engine is RunsOn.ray,
        most=max_processes,
    )
