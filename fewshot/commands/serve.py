"""``fewshot serve``: the service for other programs, without pages."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path

from fewshot.errors import UsageError
from fewshot.live.sparing import lower_priority
from fewshot.models.files import network_file


def run_serve(
    port: int | None,
    host: str | None,
    *,
    public_urls: Sequence[str] = (),
    processes: int = 1,
    certificate: Path | None = None,
    key: Path | None = None,
    network: Path | None = None,
    ray: bool = False,
    most: int | None = None,
) -> None:
    """Serve it until Ctrl-C; the arguments are those of ``fewshot.app.service.launch``.

    Raises:
        UsageError, StoreError: see there.
    """
    if importlib.util.find_spec("uvicorn") is None:
        raise UsageError(
            "The service needs packages that are not installed (uvicorn).",
            hint="To install them, type in the project's folder: pip install '.[serve]'",
        )
    from fewshot.app.service import launch

    lower_priority()
    if network is not None:
        os.environ["FEWSHOT_NETWORK"] = str(network_file(network.absolute()))
    launch(
        port, host, public_urls=public_urls, processes=processes, certificate=certificate, key=key, ray=ray, most=most
    )
