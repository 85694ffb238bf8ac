"""A home folder for one measurement, which is gone afterwards."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def own_home(shared: Path) -> Iterator[Path]:
    """Let this process and those that it starts work in an empty home, with no database and no cluster of others.

    Args:
        shared: where the models are that a service has; an empty home has no detector but the slow one.
    """
    with tempfile.TemporaryDirectory(prefix="fewshot-load-") as folder:
        home = Path(folder, "home")  # its keys come to lie beside it
        os.environ["FEWSHOT_HOME"] = str(home)
        os.environ.setdefault("FEWSHOT_SHARED", str(shared.resolve()))
        for name in ("FEWSHOT_DATABASE", "RAY_ADDRESS"):
            os.environ.pop(name, None)
        yield home
