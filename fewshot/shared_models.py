"""Models that the classes of one program share: a class more costs no further copy of them in memory."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from weakref import WeakValueDictionary

from fewshot.faces.detections import Detector
from fewshot.perception import Perception, open_perception

_DECIDE = ("FEWSHOT_NETWORK", "FEWSHOT_ENGINE", "FEWSHOT_HOME", "FEWSHOT_SHARED")
"""Environment variables that decide which models are opened."""


class SharedModels:
    """Opens models, or gives those that another class has open. Any number of threads may run them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: WeakValueDictionary[tuple[object, ...], Perception] = WeakValueDictionary()

    def perception(
        self,
        detector: str | Detector = "auto",
        *,
        download: bool = True,
        network: Path | None = None,
        recogniser: str = "auto",
        threads: int | None = None,
    ) -> Perception:
        """The same chain as ``open_perception`` opens, with its arguments and errors.

        Where weaker models are open, better ones are looked for again: they may have been downloaded in the meantime.
        """
        if not isinstance(detector, str):
            return open_perception(detector, download=download, network=network, recogniser=recogniser, threads=threads)
        key = (detector, download, network, recogniser, threads, _changed(network), *map(os.environ.get, _DECIDE))
        with self._lock:  # two classes that are opened at once load them once
            kept = self._open.get(key)
            if kept is None or kept.notes:
                found = open_perception(
                    detector, download=download, network=network, recogniser=recogniser, threads=threads
                )
                if kept is None or found.notes != kept.notes:
                    self._open[key] = kept = found
        # A separate object, because each class adds its notes; it keeps the shared one alive.
        own = Perception(kept.detector, kept.embedder, kept.recogniser, kept.limits, kept.notes)
        own.shared = kept
        return own


def _changed(network: Path | None) -> int | None:
    """When a network file was written: training may have put another one in its place."""
    try:
        return None if network is None else network.stat().st_mtime_ns
    except OSError:
        return None


MODELS = SharedModels()
"""Those of this program."""
