"""Who imports whom: the rules of docs/explanation/architecture.md."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1] / "fewshot"

# From the ground up: a unit may import only what stands above it.
LAYERS = [
    ["addresses", "clutter", "no_telemetry", "private_files", "types", "checksums", "unit_vectors", "safe_text"],
    ["translation"],
    ["errors"],
    ["pictures", "models", "secret_variables"],
    ["inference"],
    ["faces"],
    ["embedding", "prototypes"],
    ["perception"],
    ["live"],
    ["vault"],
    ["database"],
    ["audit"],
    ["classroom", "session"],
    ["call_labels", "cluster"],
    ["lesson_board"],
    ["accounts", "backup"],
    ["access"],
    ["loops"],
    ["class_models", "shared_models"],
    ["class_changes"],
    ["room"],
    ["demo"],
    ["client"],
    ["api"],
    ["app"],
    ["commands"],
    ["cli"],
    ["research"],
]
# Within research: datasets and simulation know no training, training knows no evaluation.
RESEARCH = [["datasets"], ["simulation"], ["training"], ["evaluation"], ["bench"]]
KNOW_THE_DATABASE = (
    "database", "audit", "classroom", "session", "accounts", "access", "class_models", "class_changes", "room",
)  # fmt: skip
KNOW_NO_STUDENTS = ("faces", "embedding", "prototypes", "live")


def level_of(layers: list[list[str]]) -> dict[str, int]:
    return {unit: level for level, units in enumerate(layers) for unit in units}


def modules() -> dict[str, ast.Module]:
    """Every module of the package: name -> its syntax tree."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = ("fewshot", *path.relative_to(ROOT).with_suffix("").parts)
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imports_of(tree: ast.AST, known: dict[str, ast.Module]) -> set[str]:
    """Modules that are imported anywhere in the tree; those of this package by their full names."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {full if (full := f"{node.module}.{alias.name}") in known else node.module for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


def without_type_checking(tree: ast.Module) -> ast.Module:
    """The tree without what only type checkers import."""

    class Dropped(ast.NodeTransformer):
        def visit_If(self, node: ast.If) -> ast.AST | None:
            return None if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING" else node

    return Dropped().visit(ast.parse(ast.unparse(tree)))


def unit_of(module: str, depth: int = 1) -> str:
    """ "fewshot.live.loop" -> "live"."""
    parts = module.split(".")
    return parts[depth] if len(parts) > depth else ""


def wrong_ways(prefix: str, layers: list[list[str]], depth: int) -> list[str]:
    known, level, wrong = modules(), level_of(layers), []
    for name, tree in known.items():
        own = unit_of(name, depth)
        if not name.startswith(prefix) or own not in level:
            continue
        for used in imports_of(tree, known):
            other = unit_of(used, depth) if used.startswith(prefix) else ""
            if other in level and other != own and level[other] >= level[own]:
                wrong.append(f"{name} imports {used}")
    return wrong


def test_imports_run_one_way() -> None:
    assert wrong_ways("fewshot.", LAYERS, 1) == []


def test_research_has_an_order_of_its_own() -> None:
    assert wrong_ways("fewshot.research.", RESEARCH, 2) == []


def test_no_module_imports_itself_by_way_of_others() -> None:
    known = modules()
    graph = {
        name: imports_of(without_type_checking(tree), known) & known.keys() - {name} for name, tree in known.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" -> ".join(error.args[1])) from None


def test_every_module_has_a_place_in_the_order() -> None:
    assert {unit_of(name) for name in modules()} - set(level_of(LAYERS)) - {"", "__main__"} == set()
    within = {unit_of(name, 2) for name in modules() if name.startswith("fewshot.research.")}
    assert within - set(level_of(RESEARCH)) == set()


def test_the_running_system_knows_no_research() -> None:
    known = modules()
    wrong = [
        f"{name} imports {used}"
        for name, tree in known.items()
        if not name.startswith("fewshot.research")
        for used in imports_of(tree, known)
        if used.startswith("fewshot.research")
    ]
    assert wrong == []


def test_the_package_does_not_reach_for_the_scripts_beside_it() -> None:
    """Installed, there is no folder ``experiments`` beside the package; docstrings may still name a script.

    ``models.files`` looks there for files that are known by their checksum, and does without (tests/test_wheel.py).
    """
    wrong = []
    for name, tree in modules().items():
        if name == "fewshot.models.files":
            continue
        texts = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and node.value == "experiments" and id(node) not in texts:
                wrong.append(f"{name}, line {node.lineno}")
    assert wrong == []


def test_the_lower_packages_know_no_names_and_no_database() -> None:
    known = modules()
    wrong = [
        f"{name} imports {used}"
        for name, tree in known.items()
        if unit_of(name) in KNOW_NO_STUDENTS
        for used in imports_of(tree, known)
        if used.startswith(
            ("fewshot.classroom", "fewshot.session", "fewshot.room", "fewshot.database", "sqlalchemy", "streamlit")
        )
    ]
    assert wrong == []


def test_only_class_and_session_know_the_database() -> None:
    known = modules()
    wrong = [
        f"{name} imports {used}"
        for name, tree in known.items()
        if unit_of(name)
        not in (
            "database",
            "audit",
            "classroom",
            "session",
            "accounts",
            "access",
            "backup",
            "class_models",
            "class_changes",
            "room",
        )
        for used in imports_of(tree, known)
        if used.startswith(("fewshot.database", "sqlalchemy", "alembic"))
        and used != "fewshot.database.owner"  # a plain type
        # An attacker uses every way in, and so does who looks for what an erasure has left.
        and not name.startswith(("fewshot.research.bench.hostile", "fewshot.research.bench.sealing"))
        and not name.startswith("fewshot.research.bench.survival.")
    ]
    assert wrong == []


def test_the_running_system_loads_no_training_package() -> None:
    # Alembic's own scripts run only inside one of its commands.
    passed_over = ("fewshot.research", "fewshot.__main__", "fewshot.database.migrations.")
    running = [name for name in modules() if not name.startswith(passed_over)]
    script = (
        f"import importlib, sys\nfor name in {running!r}: importlib.import_module(name)\n"
        "heavy = {'torch', 'torchvision', 'timm', 'pytorch_lightning', 'lightning', 'hydra', 'torchmetrics'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT.parent)
    assert done.stdout.strip() == "[]", done.stderr[-2000:]


def test_importing_the_package_loads_nothing_heavy() -> None:
    script = "import sys, fewshot\nprint(sorted({'numpy', 'cv2', 'onnxruntime', 'faiss'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT.parent)
    assert done.stdout.strip() == "[]", done.stderr
