"""Does the stack of deploy/compose.yaml work? PostgreSQL, Caddy, coturn and the app as plain processes, and checks.

    python experiments/stack.py              # writes experiments/results/stack.md, and stops everything it started
    python experiments/stack.py --stay       # leaves it running until Ctrl-C, to look at it in a browser

Needs Debian's packages caddy, coturn and postgresql; the checks in a browser need chromium, and Playwright of PyPI, and
are "not run" without them. Everything listens to 127.0.0.1 only and lies in a temporary
folder. Exits with 1 if a check does not hold.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import threading
from pathlib import Path

import psutil

from fewshot.errors import FewshotError
from fewshot.research.bench.machine import busy, describe
from fewshot.research.bench.stack.checks import run_checks
from fewshot.research.bench.stack.programs import TEACHER, Stack, stack
from fewshot.research.evaluation.tables import markdown

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"


def memory(running: Stack) -> list[dict[str, str]]:
    """Resident memory of each program with its children, at the end of the checks."""
    rows = []
    for name, process in running.running.items():
        with contextlib.suppress(psutil.NoSuchProcess):
            whole = psutil.Process(process.pid)
            taken = sum(each.memory_full_info().pss for each in [whole, *whole.children(recursive=True)])
            rows.append({"program": name, "memory, MB (PSS)": f"{taken / 1e6:.0f}"})
    return rows


def versions() -> dict[str, str]:
    """Of the programs that are not ours."""
    words = {"Caddy": ["caddy", "version"], "coturn": ["turnserver", "--version"], "PostgreSQL": ["psql", "--version"]}
    said = {name: subprocess.run(word, capture_output=True, text=True, check=False) for name, word in words.items()}
    return {name: (done.stdout + done.stderr).strip().splitlines()[-1] for name, done in said.items()}


def report(rows: list[dict[str, str]], taken: list[dict[str, str]]) -> str:
    """The page of results."""
    warning = busy()
    machine = {**describe(), **versions(), **({"note": warning} if warning else {})}
    facts = "\n".join(f"- {name}: {value}" for name, value in machine.items())
    head = "# The stack of deploy/compose.yaml as plain processes\n\n    python experiments/stack.py\n"
    return f"{head}\n{markdown(rows)}\n{markdown(taken)}\n{facts}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stay", action="store_true", help="leave it running until Ctrl-C")
    parser.add_argument("--pictures", type=Path, help="folder for pictures of the browser's pages")
    parser.add_argument("--results", type=Path, default=Path("experiments/results"))
    arguments = parser.parse_args()
    try:
        with stack(DEPLOY) as running:
            if arguments.stay:
                print(f"{running.url} as {TEACHER!r}; the password: {running.folder / 'password'}. Ctrl-C stops it.")
                with contextlib.suppress(KeyboardInterrupt):
                    threading.Event().wait()
                return
            running.pictures = arguments.pictures
            rows = run_checks(running)
            text = report(rows, memory(running))
    except FewshotError as error:
        sys.exit(str(error))
    (arguments.results / "stack.md").write_text(text, encoding="utf-8")
    print(text)
    if any(row["held"] == "NO" for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
