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
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from rich.console import Console

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
SHARED = ROOT.parent / "shared"
PLOT = "plot"
"""Tag of the cells that may show a picture: one that the code drew, with no photograph in it."""
PATIENCE = 1800
"""Seconds that one cell may take."""
QUIET = "ignore:IProgress not found"
"""What tqdm says on stderr where there is no browser to show its bars."""
ABSOLUTE = re.compile(r"(?<![\w.:/\\-])/(?:home|root|tmp|work|usr|var|opt|mnt|srv|data|Users|private)/\w|\b[A-Z]:\\\w")
"""Beginnings of paths that only one machine has; an address of the web is none."""


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
            tidy(notebook)
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


def tidy(notebook: NotebookNode) -> None:
    """Take out when it was run, by which Python, and where the project lies here."""
    notebook.metadata.language_info = {"name": "python"}
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if "text" in output:
                output.text = without_root(output.text)
            for kind, content in output.get("data", {}).items():
                if kind.startswith("text/"):
                    output.data[kind] = without_root(content)


def without_root(text: str) -> str:
    """The project's own folder as ".", the data beside it as "../shared"."""
    return text.replace(str(SHARED), "../shared").replace(str(ROOT), ".")


def faults(notebook: NotebookNode) -> Iterator[str]:
    """What may not be in a notebook that others read, in words."""
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        if cell.source.strip() and cell.execution_count is None:
            yield f"cell {number} was not run. Run python experiments/notebooks.py"
        for output in cell.outputs:
            yield from _faults_of(output, number, PLOT in cell.metadata.get("tags", []))


def _faults_of(output: NotebookNode, number: int, plot: bool) -> Iterator[str]:
    if output.output_type == "error":
        yield f"cell {number} ends in {output.ename}: {output.evalue}"
    if output.get("name") == "stderr":
        yield f"cell {number} writes to stderr: {output.text[:80]!r}. Find out why, or keep it quiet."
    data = output.get("data", {})
    if not plot and any(kind.startswith("image/") for kind in data):
        yield f"cell {number} shows a picture without the tag {PLOT!r}: only what the code drew may be shown."
    texts = [output.get("text", ""), *(content for kind, content in data.items() if not kind.startswith("image/"))]
    for text in texts:
        if found := ABSOLUTE.search(str(text)):
            yield f"cell {number} names a folder of this machine: {str(text)[found.start() : found.start() + 60]!r}"


if __name__ == "__main__":
    main()
