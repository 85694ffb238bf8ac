"""Libraries that only reports need. If one is not installed, the error says so in one sentence."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from fewshot.errors import UsageError
from fewshot.translation import later


def need(module: str, purpose: str) -> Any:
    """Import a library of the extra ``app``.

    Args:
        purpose: what needs it, for the error text ("Charts").

    Raises:
        UsageError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = (error.name or module).partition(".")[0]
        raise UsageError(
            later(
                "{purpose} need the package {package}, which is not installed. Install it, or choose an output "
                "that does not need it, such as .csv.",
                purpose=purpose,
                package=package,
            ),
            hint="To install it, type in the project's folder: pip install '.[app]'",
        ) from error


def altair() -> Any:
    """Altair, which describes the charts."""
    if "pandas" in sys.modules:
        # Altair takes pandas from there while another thread may still be importing it; an import waits for that.
        with suppress(ModuleNotFoundError):  # said below, of the library that is needed
            importlib.import_module("pandas")
    return need("altair", later("Charts"))


def chart_of(rows: Sequence[Mapping[str, Any]]) -> Any:
    """An Altair chart of rows. They are given as an Arrow table, because Altair copies and checks lists repeatedly."""
    alt = altair()
    if not rows:
        return alt.Chart(alt.Data(values=[]))
    return alt.Chart(need("pyarrow", later("Charts")).Table.from_pylist(list(rows)))
