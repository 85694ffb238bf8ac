"""``fewshot models``: which models there are, what they may be used for, and whether the files are correct."""

from __future__ import annotations

from collections.abc import Sequence

from fewshot.commands.terminal import FAILED, cell, console, table, tell
from fewshot.inference import blob_cache
from fewshot.models.files import Check, chain_licence, list_models, pull, verify

CHAINS = {
    "Default (--detector auto or scrfd)": ("scrfd_500m", "mobilefacenet", "expression"),
    "With --detector yunet": ("yunet", "mobilefacenet", "expression"),
    "Without any download": ("landmarks", "expression", "identity"),
}
"""Models that run together -> how a user chooses them."""


def show_models() -> None:
    """Print one row per model, then the use that each combination of models allows."""
    rows = table("Model", "What it does", "Where", "What it may be used for")
    for check in list_models():
        model = check.model
        rows.add_row(model.name, cell(model.task), cell(_where(check)), cell(model.licence))
    console().print(rows)
    for name, models in CHAINS.items():
        tell(f"{name}: {chain_licence(models)}")


def pull_models(names: Sequence[str]) -> None:
    """Download models and print where each file is.

    Raises:
        UsageError: there is no such model.
        ModelUnavailable: a model cannot be downloaded.
    """
    for path in pull(names):
        tell(path)


def verify_models() -> int:
    """Print one row per file and compiled network. Returns 1 if one is damaged or a shipped one is missing, else 0."""
    rows = table("Model", "Where", "File", "Result")
    bad = False
    for check in verify():
        missing = check.path is None
        wrong = not check.ok and (not missing or check.model.embedded)
        bad = bad or wrong
        colour = "red" if wrong else "yellow" if missing else "green"
        rows.add_row(
            check.model.name, cell(check.origin), cell(str(check.path or "-")), f"[{colour}]{cell(check.text)}"
        )
    for path, fault in blob_cache.faults(blob_cache.folder()).items():
        bad = bad or bool(fault)
        words = f"[red]damaged: {fault}. The next start throws it away.[/]" if fault else "[green]as it was compiled[/]"
        rows.add_row("compiled network", "cache", cell(str(path)), words)
    console().print(rows)
    return FAILED if bad else 0


def _where(check: Check) -> str:
    return f"{check.origin}: {check.path}" if check.path else check.text
