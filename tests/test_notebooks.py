"""Notebooks as they are read on GitHub: executed, without anybody's face, and without anything of one machine."""

from __future__ import annotations

import ast
import copy
from pathlib import Path
from typing import Any

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from experiments.notebooks import FOLDER, ROOT, SHARED, chosen, run
from fewshot.research.evaluation.notebook_outputs import faults, tidy, without_root

NOTEBOOKS = chosen([])
PICTURE = "iVBORw0KGgo="


def shown(**parts: str) -> NotebookNode:
    return new_output("display_data", data={kind.replace("_", "/"): content for kind, content in parts.items()})


def printed(text: str, name: str = "stdout") -> NotebookNode:
    return new_output("stream", name=name, text=text)


def notebook_of(*outputs: NotebookNode, count: int | None = 1, tags: tuple[str, ...] = ()) -> NotebookNode:
    """One cell with these outputs."""
    cell = new_code_cell("1", outputs=list(outputs), execution_count=count, metadata={"tags": list(tags)})
    return new_notebook(cells=[new_markdown_cell("# Title"), cell])


def named(path: Path) -> str:
    return path.stem


def test_all_five_are_here() -> None:
    assert [path.stem[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_was_run_and_shows_nothing_it_may_not(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert list(faults(notebook)) == []
    assert any(cell.get("outputs") for cell in notebook.cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_code_compiles_and_names_no_folder_of_one_machine(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            compile(TransformerManager().transform_cell(cell.source), path.name, "exec")
        assert str(ROOT) not in cell.source and f"/{'home'}/" not in cell.source


def is_there(module: str, name: str) -> bool:
    """Whether ``from module import name`` works."""
    try:
        exec(f"from {module} import {name}")
    except ImportError:
        return False
    return True


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_what_it_imports_of_the_project_is_there(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    tree = ast.parse(TransformerManager().transform_cell(code))
    wanted = [
        (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("fewshot", "experiments")
        for alias in node.names
    ]
    missing = [f"{module}.{name}" for module, name in wanted if not is_there(module or "", name)]
    assert wanted and missing == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_begins_with_a_title_and_its_links_lead_somewhere(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    assert cells[0].cell_type == "markdown" and cells[0].source.startswith("# ")
    words = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    links = [part.split(")")[0] for part in words.split("](")[1:]]
    assert [link for link in links if "://" not in link and not (FOLDER / link).exists()] == []


@pytest.mark.parametrize(
    ("notebook", "said"),
    [
        (new_notebook(), ""),
        (notebook_of(), ""),
        (notebook_of(printed("83 %, https://github.com/home/work, and/or, ../shared/data")), ""),
        (notebook_of(shown(image_png=PICTURE), tags=("plot",)), ""),
        (notebook_of(shown(image_png=PICTURE)), "without the tag"),
        (notebook_of(count=None), "was not run"),
        (notebook_of(printed(f"/{'home'}/asha/faces/1.jpg")), "a folder of this machine"),
        (notebook_of(printed("in '/tmp/x'")), "a folder of this machine"),
        (notebook_of(shown(text_plain=r"C:\Users\asha")), "a folder of this machine"),
        (notebook_of(printed("careful", "stderr")), "writes to stderr"),
        (notebook_of(new_output("error", ename="UsageError", evalue="No FER2013", traceback=[])), "ends in UsageError"),
    ],
)
def test_what_is_refused(notebook: NotebookNode, said: str) -> None:
    found = list(faults(notebook))
    assert bool(found) == bool(said)
    assert said in " ".join(found)


def test_tidying_takes_out_the_machine_and_the_time() -> None:
    notebook = notebook_of(printed(f"{ROOT}/conf and {SHARED}/data"), shown(text_plain=f"'{ROOT}'", image_png=PICTURE))
    notebook.cells[1].metadata["execution"] = {"iopub.execute_input": "2026-11-20T15:16:00Z"}
    notebook.metadata["language_info"] = {"name": "python", "version": "3.11.7"}
    before = copy.deepcopy(notebook)
    tidy(notebook, ROOT)
    assert notebook.cells[1].outputs[0].text == "./conf and ../shared/data"
    assert notebook.cells[1].outputs[1].data == {"text/plain": "'.'", "image/png": PICTURE}
    assert "execution" not in notebook.cells[1].metadata and notebook.metadata.language_info == {"name": "python"}
    tidy(notebook, ROOT)
    assert notebook != before and without_root("nothing", ROOT) == "nothing"


def test_a_name_that_fits_none_is_told() -> None:
    assert [path.stem[:2] for path in chosen(["04", "01"])] == ["01", "04"]
    with pytest.raises(SystemExit, match="No notebook begins with 9"):
        chosen(["9"])


def test_running_executes_every_cell_apart_from_the_users_own_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEWSHOT_HOME", "somebody's own")
    monkeypatch.setenv("FEWSHOT_SHARED", "as it is set")
    notebook = notebook_of(printed("an old output"))
    notebook.cells[1].source = "import os; print(os.environ['FEWSHOT_HOME'] == \"somebody's own\")"
    run(notebook, tmp_path)
    assert notebook.cells[1].outputs[0].text == "False\n" and not list(faults(notebook))


def test_the_protocol_is_explained_without_any_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEWSHOT_SHARED", str(tmp_path))
    cells = nbformat.read(chosen(["04"])[0], as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code").replace("%matplotlib inline", "")
    few = code.replace("episodes=150", "episodes=6").replace("strangers=True), 300,", "strangers=True), 6,")
    assert few.count("6") > code.count("6")
    names: dict[str, Any] = {}
    exec(compile(few, "04", "exec"), names)
    assert names["WORLD"] == "a made-up world"
    assert set(names["curves"]) == {"mean", "CL2N", "linear probe", "BD-CSPN", "soft k-means"}
    # More photos of a class are better, in a world where a photo is its class, its person and noise.
    for curve in names["curves"].values():
        assert 1 / 5 < curve[1].value < curve[5].value
