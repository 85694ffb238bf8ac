"""Output on the command line: errors in one line, tables, and the notice on legal limits."""

from __future__ import annotations

import logging
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from typer.core import TyperGroup

from fewshot.addresses import without_secrets
from fewshot.errors import FewshotError, Note, UsageError, printable
from fewshot.live.stopping import exit_code, signals_stop

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

NOTICE = (
    "Legal limits: the EU AI Act, Article 5(1)(f), forbids inferring emotions in education and at work, except for "
    "medical or safety reasons. Consent does not lift this ban, and other laws may forbid it too. Readings are "
    "uncertain: a facial expression is not a feeling. Never use them to grade, judge or discipline anybody."
)

FAILED, INTERRUPTED = 1, 130

_OF_A_TEACHER = re.compile(r"(fewshot (?:roster|lessons|enroll|live|analyze|report|export-data))(?![\w-])(?! --as\b)")
_teacher = ""


def name_in_commands(name: str) -> None:
    """Let commands that are printed from now on name this teacher, as ``--as`` did; "" names nobody."""
    global _teacher  # noqa: PLW0603  # one process runs one command
    _teacher = name


def _with_teacher(text: str) -> str:
    """The text; its commands work for the teacher for whom this one works."""
    return _OF_A_TEACHER.sub(lambda found: f"{found[0]} --as {_teacher}", text) if _teacher else text


class PlainErrors(TyperGroup):
    """Root of the command line: every error ends in one line and an exit code, never in a traceback.

    The exit code is 1 for a failed run, 2 for wrong usage, 130 for Ctrl-C, 143 and 129 for SIGTERM and
    SIGHUP. With FEWSHOT_DEBUG=1 the traceback is shown as well.
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
        """Like click's ``main``. With ``standalone_mode`` errors are handled here, and the process ends."""

        def run() -> Any:
            return super(PlainErrors, self).main(args, prog_name, complete_var, False, windows_expand_args, **extra)

        return sys.exit(in_words(run)) if standalone_mode else run()


def in_words(run: Callable[[], object]) -> int:
    """Run a command; print an error as one line. Returns the exit code."""
    with signals_stop():
        return _guarded(run)


def _guarded(run: Callable[[], object]) -> int:
    try:
        code = run()
        sys.stdout.flush()
        if code == INTERRUPTED:  # typer's own answer, before a run has begun; it knows only Ctrl-C
            return exit_code()
        return code if isinstance(code, int) else 0
    except KeyboardInterrupt:
        return exit_code()
    except BrokenPipeError:
        # Python flushes once more when it ends, and would report the closed pipe again (`fewshot roster | head`).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        if os.environ.get("FEWSHOT_DEBUG"):
            sys.stderr.write(printable(without_secrets(traceback.format_exc())))
        if type(error).__name__ == "Abort":
            return exit_code()
        print_error(_text(error))
        return int(getattr(error, "exit_code", FAILED))


def console(stderr: bool = False) -> Console:
    """The console for tables; 140 characters wide if the output is a file or a pipe."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else 140, highlight=False)


def table(*columns: str, title: str | None = None) -> Table:
    """A table whose long cells are wrapped and never cut: half a path is useless."""
    from rich.table import Table

    made = Table(title=None if title is None else cell(title))
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def tell(*texts: object) -> None:
    """Print a line. Every command prints with this or with ``cell``: names, titles and paths may hold anything."""
    print(*(printable(_with_teacher(str(text))) for text in texts))


def cell(text: object) -> str:
    """A text as it may stand in a table: nothing that a terminal obeys, and no markup."""
    from rich.markup import escape

    return escape(printable(str(text)))


def safe_log() -> None:
    """Make what the libraries' and our own log says safe to print, where no program has set up a log."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_SafeFormatter())


class _SafeFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return printable(without_secrets(super().format(record)))


def print_error(text: str) -> None:
    """Print an error as one line on stderr, without the line breaks of ``text``."""
    print(f"Error: {printable(without_secrets(_with_teacher(' '.join(text.split()))))}", file=sys.stderr)


def say(lines: Iterable[str | Note], head: str = "Note: ") -> None:
    """Print notes on stderr, each once: what a user should know while the run continues."""
    for line in dict.fromkeys(map(str, lines)):
        print(f"{head}{printable(without_secrets(_with_teacher(' '.join(line.split()))))}", file=sys.stderr)


def _text(error: Exception) -> str:
    if isinstance(error, FewshotError):
        return str(error)
    if hasattr(error, "format_message"):  # typer's and click's own, whichever of the two is installed
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "fewshot"
        return f"{error.format_message().rstrip('.')}. For help, type: {command} --help"
    if isinstance(error, MemoryError):
        return "This machine does not have enough memory. Close other programs, or use smaller pictures."
    if isinstance(error, OSError) and error.strerror:
        place = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror}{place}. Check that the folder exists, has free space and may be written to."
    kind = type(error).__name__
    return (
        f"{kind}: {error}. This should not happen: it is a fault of fewshot, not yours. Set FEWSHOT_DEBUG=1, run the "
        f"same command again, and report what it prints."
    )


def agreed(question: str, why: str, hint: str) -> bool:
    """Ask something that is final. Only "yes" and "y" agree.

    Args:
        question: what is asked, without the request to type yes.
        why: the error where nobody can be asked; it says that nothing was changed.
        hint: how to do it without a question.

    Raises:
        UsageError: there is no terminal.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"{why} Nothing was changed.", hint=hint)
    return input(f"{question} Type yes: ").strip().lower() in {"yes", "y"}
