"""Sources of frames: files (every frame), single pictures, and cameras, streams and the screen (newest frame)."""

from fewshot.live.sources.base import CapturedFrame, FrameSource, Source
from fewshot.live.sources.opening import Watchable, open_lasting, open_source
from fewshot.live.sources.paced import Paced

__all__ = ["CapturedFrame", "FrameSource", "Paced", "Source", "Watchable", "open_lasting", "open_source"]
