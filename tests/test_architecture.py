"""Who imports whom: the rules of docs/architecture.md."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1] / "fewshot"

# From the ground up: a unit may import only what stands above it.
LAYERS = [
    ["types", "errors"],
    ["pictures", "registry", "offline"],
    ["download"],
    ["models"],
    ["faces"],
    ["embedding", "prototypes"],
    ["perception"],
    ["live"],
    ["database"],
    ["classroom", "session"],
    ["room"],
    ["data"],
    ["embedding.training"],
    ["protocols"],
    ["demo"],
    ["app"],
    ["commands"],
    ["cli"],
]
LEVEL = {unit: level for level, units in enumerate(LAYERS) for unit in units}
KNOW_NO_STUDENTS = ("faces", "embedding", "prototypes", "live")
TRAINING_ONLY = ("fewshot.embedding.training", "fewshot.data", "fewshot.protocols")


def unit_of(module: str) -> str:
    """ "fewshot.live.loop" -> "live"."""
    parts = module.split(".")[1:]
    return "embedding.training" if parts[:2] == ["embedding", "training"] else parts[0] if parts else ""


def modules() -> list[tuple[str, ast.Module]]:
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        parts = ("fewshot", *path.relative_to(ROOT).with_suffix("").parts)
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.append((name, ast.parse(path.read_text(encoding="utf-8"))))
    return found


def imports_of(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


def test_imports_run_one_way() -> None:
    wrong = []
    for name, tree in modules():
        own = unit_of(name)
        for other in {unit_of(used) for used in imports_of(tree) if used.startswith("fewshot.")}:
            if own in LEVEL and other in LEVEL and other != own and LEVEL[other] >= LEVEL[own]:
                wrong.append(f"{name} imports {other}")
    assert wrong == []


def test_every_module_has_a_place_in_the_order() -> None:
    assert {unit_of(name) for name, _ in modules()} - set(LEVEL) - {"", "__main__"} == set()


def test_the_lower_packages_know_no_names_and_no_database() -> None:
    wrong = [
        f"{name} imports {used}"
        for name, tree in modules()
        if unit_of(name) in KNOW_NO_STUDENTS
        for used in imports_of(tree)
        if used.startswith(
            ("fewshot.classroom", "fewshot.session", "fewshot.room", "fewshot.database", "sqlalchemy", "streamlit")
        )
    ]
    assert wrong == []


def test_only_class_and_session_know_the_database() -> None:
    wrong = [
        f"{name} imports {used}"
        for name, tree in modules()
        if unit_of(name) not in ("database", "classroom", "session", "room")
        for used in imports_of(tree)
        if used.startswith(("fewshot.database", "sqlalchemy", "alembic"))
    ]
    assert wrong == []


def test_the_running_system_loads_no_training_package() -> None:
    # Alembic's own scripts run only inside one of its commands.
    passed_over = (*TRAINING_ONLY, "fewshot.__main__", "fewshot.database.migrations.")
    running = [name for name, _ in modules() if not name.startswith(passed_over)]
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
