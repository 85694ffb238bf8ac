"""What is public says what it does: a docstring each, and shapes where arrays go in or come out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "fewshot"
ARRAYS = ("NDArray", "ndarray", "Vectors", "Floats", "Cells")
"""Names of types that are arrays whose shape somebody has to know; a ``Frame`` has its shape in its definition."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Public = tuple[str, Function | ast.ClassDef, ast.ClassDef | None]


def public_of(source: str) -> Iterator[Public]:
    """(name, definition, class it is in) of all that a module offers; also inside its classes."""

    def walk(body: list[ast.stmt], inside: ast.ClassDef | None, prefix: str) -> Iterator[Public]:
        for node in body:
            if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_") or is_setter(node):
                continue
            yield prefix + node.name, node, inside
            if isinstance(node, ast.ClassDef):
                yield from walk(node.body, node, f"{prefix}{node.name}.")

    return walk(ast.parse(source).body, None, "")


def is_setter(node: Function | ast.ClassDef) -> bool:
    """Python shows the getter's docstring for both."""
    return any(isinstance(mark, ast.Attribute) and mark.attr == "setter" for mark in node.decorator_list)


def is_signature_only(node: Function | ast.ClassDef) -> bool:
    """``def name(...) -> ...: ...`` of a protocol, whose class says what is meant."""
    (first, *rest) = node.body
    return (
        not rest and isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and first.value.value is ...
    )


def has_arrays(node: Function) -> bool:
    given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    notes = [argument.annotation for argument in given] + [node.returns]
    names = {leaf.id for note in notes if note is not None for leaf in ast.walk(note) if isinstance(leaf, ast.Name)}
    return not names.isdisjoint(ARRAYS)


def faults(source: str, shapes: bool = True) -> list[str]:
    """What lacks a docstring, or (``shapes``) says nothing about the shape of its arrays."""
    found = []
    for name, node, inside in public_of(source):
        text = ast.get_docstring(node) or ""
        if is_signature_only(node):
            continue
        if not text:
            found.append(f"{name} (line {node.lineno}) has no docstring")
            continue
        # An array that the class describes, as an attribute, need not be described again.
        described = text + (ast.get_docstring(inside) or "" if inside is not None else "")
        if shapes and isinstance(node, Function) and has_arrays(node) and "shape" not in described.lower():
            found.append(f"{name} (line {node.lineno}) says no shape")
    return found


MODULES = sorted(
    path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts
)


@pytest.mark.parametrize("module", MODULES)
def test_everything_public_says_what_it_is(module: str) -> None:
    source = (PACKAGE / module).read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(source)) or not source.strip(), f"{module} has no docstring"
    # Research still gives some shapes in brackets only, such as "(n, d)".
    assert faults(source, shapes=not module.startswith("research/")) == []


def test_what_is_missing_is_found() -> None:
    source = '''
class Good:
    """Rows of shape (n, d)."""

    def rows(self) -> Vectors:
        """The rows."""

    @property
    def size(self) -> int:
        return 1

    @size.setter
    def size(self, value: int) -> None:
        self.value = value

    def _hidden(self): pass


def mean(vectors: NDArray[np.float32]) -> float:
    """Mean."""


class Reads(Protocol):
    """One that reads."""

    def read(self, vectors: Vectors) -> int: ...
'''
    assert faults(source) == ["Good.size (line 9) has no docstring", "mean (line 19) says no shape"]
