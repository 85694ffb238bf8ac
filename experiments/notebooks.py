"""Run the notebooks where they lie and keep their outputs, without anything of this machine in them.

    python experiments/notebooks.py            # all of them
    python experiments/notebooks.py 03 05      # some, by the beginning of their names
    python experiments/notebooks.py --check    # run none, look at what is there

02 needs FER2013 (docs/reference/data-sets.md) and what ``experiments/prepare.py`` writes. 04 takes CK+ where it is and
a made-up world where it is not. The others need nothing. A notebook that fails, or whose outputs name a folder of this
machine or show a picture that is no plot, is left as it was.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from rich.console import Console

from fewshot.research.evaluation.notebook_outputs import faults, tidy

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
SHARED = ROOT.parent / "shared"
PATIENCE = 1800
"""Seconds that one cell may take."""
QUIET = "ignore:IProgress not found"
"""What tqdm says on stderr where there is no browser to show its bars."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="beginnings of the names; none runs all")
    parser.add_argument("--check", action="store_true", help="run none, look at what is there")
    arguments = parser.parse_args()
    console, failed = Console(), False
    for path in chosen(arguments.names):
        notebook = nbformat.read(path, as_version=4)
        if not arguments.check:
            console.print(f"{path.name} ...")
            try:
                run(notebook)
            except CellExecutionError as error:
                sys.exit(f"{path.name} failed and was left as it was:\n{error}")
            tidy(notebook, ROOT)
        found = list(faults(notebook))
        for fault in found:
            console.print(f"{path.name}: {fault}", style="red", markup=False)
        failed = failed or bool(found)
        if not found and not arguments.check:
            nbformat.write(notebook, path)
            console.print(f"{path.name} written")
    sys.exit(int(failed))


def chosen(names: list[str], folder: Path = FOLDER) -> list[Path]:
    """The notebooks whose names begin so; all of them without a name. Ends the program if a name fits none."""
    notebooks = sorted(folder.glob("*.ipynb"))
    for name in names:
        if not any(path.name.startswith(name) for path in notebooks):
            sys.exit(f"No notebook begins with {name}. There are {', '.join(path.name for path in notebooks)}.")
    return [path for path in notebooks if not names or any(path.name.startswith(name) for name in names)]


def run(notebook: NotebookNode, folder: Path = FOLDER) -> None:
    """Execute every cell in a new kernel. The classes and lessons of whoever runs this are neither seen nor changed.

    Raises:
        CellExecutionError: a cell failed.
    """
    data = {"FEWSHOT_SHARED": str(SHARED)} if SHARED.is_dir() else {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    with tempfile.TemporaryDirectory() as home:
        client = NotebookClient(
            notebook,
            timeout=PATIENCE,
            startup_timeout=PATIENCE,
            kernel_name="python3",
            resources={"metadata": {"path": str(folder)}},
        )
        client.execute(env={**data, **os.environ, "FEWSHOT_HOME": home, "PYTHONWARNINGS": QUIET})


if __name__ == "__main__":
    main()
