"""How the command line speaks: errors as one line, tables, and where this program may not be used."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from typer.core import TyperGroup

from fewshot.errors import FewshotError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

NOTICE = (
    "Where this may not be used: the EU AI Act, Article 5(1)(f), forbids inferring emotions in education and at work, "
    "except for medical or safety reasons; consent does not lift that, and other laws may forbid it too. Readings are "
    "uncertain: a face is not a feeling. Never grade, judge or discipline anybody by them."
)

FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130


class PlainErrors(TyperGroup):
    """The command line's root: whatever goes wrong ends in one line and an exit code, never in a traceback.

    1 is a failed run, 2 wrong usage, 130 Ctrl-C. With FEWSHOT_DEBUG=1 the traceback is shown as well.
    """

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """As click's, which says of ``standalone_mode``: errors are handled here, and the process ends."""

        def run() -> Any:
            return super(PlainErrors, self).main(args, prog_name, complete_var, False, windows_expand_args, **extra)

        return sys.exit(in_words(run)) if standalone_mode else run()


def in_words(run: Callable[[], object]) -> int:
    """Run a command line; print what went wrong. Returns the exit code."""
    try:
        code = run()
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes once more at its end and would complain again (`fewshot roster physics | head`).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        if os.environ.get("FEWSHOT_DEBUG"):
            traceback.print_exc()
        if type(error).__name__ == "Abort":
            return INTERRUPTED
        print_error(_text(error))
        return int(getattr(error, "exit_code", FAILED))


def console(stderr: bool = False) -> Console:
    """Where tables are printed; wide where nobody looks (a file, a pipe)."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else 140, highlight=False)


def table(*columns: str, title: str | None = None) -> Table:
    """A table whose cells are folded, never cut: a path that lacks its end is of no use."""
    from rich.table import Table

    made = Table(title=title)
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def print_error(text: str) -> None:
    """One line on stderr, however the text was broken."""
    print(f"Error: {' '.join(text.split())}", file=sys.stderr)


def say(lines: Iterable[str], head: str = "Note: ") -> None:
    """Lines on stderr, each once: what a user should know about a run that goes on."""
    for line in dict.fromkeys(lines):
        print(f"{head}{' '.join(line.split())}", file=sys.stderr)


def _text(error: Exception) -> str:
    if isinstance(error, FewshotError):
        return str(error)
    if hasattr(error, "format_message"):  # typer's and click's own, whichever of the two is installed
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "fewshot"
        return f"{error.format_message().rstrip('.')}. `{command} --help` shows what is expected."
    if isinstance(error, MemoryError):
        return "The memory of this machine does not suffice. Close other programs, or use smaller pictures."
    if isinstance(error, OSError) and error.strerror:
        place = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror}{place}. Check that the place exists, has free space and may be written to."
    kind = type(error).__name__
    return (
        f"{kind}: {error}. This should not happen: it is a fault of fewshot, not yours. Set FEWSHOT_DEBUG=1, try "
        f"again, and report what it prints."
    )
