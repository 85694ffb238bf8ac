"""Where frames come from: files (every frame), pictures (each on its own), cameras, streams and the screen (newest)."""

from fewshot.live.sources.base import CapturedFrame, FrameSource, Source
from fewshot.live.sources.opening import Watchable, open_lasting, open_source
from fewshot.live.sources.paced import Paced

__all__ = ["CapturedFrame", "FrameSource", "Paced", "Source", "Watchable", "open_lasting", "open_source"]
