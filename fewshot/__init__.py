"""fewshot: few-shot, per-student face-emotion readings for live online classes."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fewshot.no_telemetry import quieten, switch_off

if TYPE_CHECKING:
    from fewshot.client import Client
    from fewshot.errors import FewshotError
    from fewshot.live.sinks.table import to_pandas
    from fewshot.live.sources import open_source
    from fewshot.loops import read
    from fewshot.room import Classroom
    from fewshot.types import Face, FrameResult, Reading

# Before anything that could import one of these libraries.
switch_off()
quieten()

__version__ = "0.2.0"
__all__ = [
    "Classroom",
    "Client",
    "Face",
    "FewshotError",
    "FrameResult",
    "Reading",
    "__version__",
    "open_source",
    "read",
    "to_pandas",
]

# Lazy: `import fewshot` must stay cheap, the runtime behind these names is not.
_HOMES = {
    "Classroom": "fewshot.room",
    "Client": "fewshot.client",
    "Face": "fewshot.types",
    "FewshotError": "fewshot.errors",
    "FrameResult": "fewshot.types",
    "Reading": "fewshot.types",
    "open_source": "fewshot.live.sources",
    "read": "fewshot.loops",
    "to_pandas": "fewshot.live.sinks.table",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'fewshot' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
