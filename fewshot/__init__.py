"""fewshot: few-shot, per-student face-emotion readings for live online classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fewshot.room import Classroom

__version__ = "0.1.0"
__all__ = ["Classroom", "__version__"]


def __getattr__(name: str) -> Any:
    # Lazy: `import fewshot` must stay cheap, the runtime behind Classroom is not.
    if name == "Classroom":
        from fewshot.room import Classroom

        return Classroom
    raise AttributeError(f"module 'fewshot' has no attribute {name!r}")
