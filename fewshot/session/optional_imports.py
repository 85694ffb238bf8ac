"""Libraries that only reports need. The light installation has none of them, and says so in one sentence."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from fewshot.errors import UsageError


def need(module: str, purpose: str) -> Any:
    """Import a library of the extra ``app``.

    Args:
        purpose: what it is needed for, to be said if it is absent ("charts").

    Raises:
        UsageError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = (error.name or module).partition(".")[0]
        raise UsageError(
            f"{purpose} need the package {package}, which is not installed. Type: pip install '.[app]' (in the "
            f"project's folder) or choose an output that needs none, such as .csv."
        ) from error


def altair() -> Any:
    """Altair, which describes the charts."""
    return need("altair", "Charts")


def chart_of(rows: Sequence[Mapping[str, Any]]) -> Any:
    """An Altair chart on rows. An Arrow table, because Altair copies and checks a list of rows again and again."""
    alt = altair()
    if not rows:
        return alt.Chart(alt.Data(values=[]))
    return alt.Chart(need("pyarrow", "Charts").Table.from_pylist(list(rows)))
