"""``fewshot models``: what is on the shelf, what it may be used for, and whether it is what it should be."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape

from fewshot.commands.terminal import FAILED, console, table
from fewshot.models.files import Check, chain_licence, list_models, pull, verify

CHAINS = {
    "Default (--detector auto or scrfd)": ("scrfd_500m", "mobilefacenet", "expression"),
    "With --detector yunet": ("yunet", "mobilefacenet", "expression"),
    "Without any download": ("landmarks", "expression", "identity"),
}
"""What runs together, by how it is chosen."""


def show_models() -> None:
    """A row a model, then what use each chain of them allows."""
    rows = table("Model", "What it does", "Where", "What it may be used for")
    for check in list_models():
        model = check.model
        rows.add_row(model.name, escape(model.task), escape(_where(check)), escape(model.licence))
    console().print(rows)
    for name, models in CHAINS.items():
        print(f"{name}: {chain_licence(models)}")


def pull_models(names: Sequence[str]) -> None:
    """Download, and say where each file is.

    Raises:
        UsageError: there is no such model.
        ModelUnavailable: one cannot be had.
    """
    for path in pull(names):
        print(path)


def verify_models() -> int:
    """A row a file. 1 if one is damaged, or one that ships with the package is missing."""
    rows = table("Model", "Where", "File", "What it is")
    bad = False
    for check in verify():
        missing = check.path is None
        wrong = not check.ok and (not missing or check.model.embedded)
        bad = bad or wrong
        colour = "red" if wrong else "yellow" if missing else "green"
        rows.add_row(
            check.model.name, escape(check.origin), escape(str(check.path or "-")), f"[{colour}]{escape(check.text)}"
        )
    console().print(rows)
    return FAILED if bad else 0


def _where(check: Check) -> str:
    return f"{check.origin}: {check.path}" if check.path else check.text
