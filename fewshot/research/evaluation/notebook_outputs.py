"""What lies in the notebooks that others read: nothing of one machine, and no picture that the code did not draw."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbformat import NotebookNode

PLOT = "plot"
"""Tag of the cells that may show a picture: one that the code drew, with no photograph in it."""
ABSOLUTE = re.compile(r"(?<![\w.:/\\-])/(?:home|root|tmp|work|usr|var|opt|mnt|srv|data|Users|private)/\w|\b[A-Z]:\\\w")
"""Beginnings of paths that only one machine has; an address of the web is none."""


def tidy(notebook: NotebookNode, root: Path) -> None:
    """Take out when it was run, by which Python, and where the project lies here.

    Args:
        notebook: changed in place.
        root: the folder of the project.
    """
    notebook.metadata.language_info = {"name": "python"}
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if "text" in output:
                output.text = without_root(output.text, root)
            for kind, content in output.get("data", {}).items():
                if kind.startswith("text/"):
                    output.data[kind] = without_root(content, root)


def without_root(text: str, root: Path) -> str:
    """The project's own folder as ".", the data beside it as "../shared"."""
    return text.replace(str(root.parent / "shared"), "../shared").replace(str(root), ".")


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
