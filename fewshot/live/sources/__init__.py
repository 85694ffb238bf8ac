"""Where frames come from: files (every frame), pictures (each on its own), cameras, streams and the screen (newest)."""

from fewshot.live.sources.base import FrameSource, Shot, Source
from fewshot.live.sources.opening import open_source

__all__ = ["FrameSource", "Shot", "Source", "open_source"]
