"""Tells a video that is cut off or damaged from one whose header promises too many frames."""

from __future__ import annotations

from pathlib import Path

import cv2

from fewshot.live.sources.capture import open_packets

_SLACK = 0.05
"""Share that may be missing: edit lists and unusual containers make the count a few frames too large."""
_FEW = 3
"""Frames that may be missing from any file."""


def is_cut(path: Path | None, read: int, promised: int | None, seconds: float, last: float) -> bool:
    """Whether a video gave clearly less than its header promises.

    A recording of a screen or a call has no frame while nothing moves. Matroska and WebM do not count frames, so their
    number is only the length times the rate, far too many. Such a file is whole if every packet became a frame and its
    contents last as long as the header says.

    Args:
        path: the video file; None for an address.
        read: frames that were read.
        promised: frames according to the header; None if it does not say.
        seconds: length according to the header.
        last: time of the last frame, seconds.
    """
    if promised is None or read >= promised - max(_FEW, _SLACK * promised):
        return False
    packets, end = (read, last) if path is None else _contents(path)
    few = max(_FEW, _SLACK * promised) / promised * seconds
    return read < packets - max(_FEW, _SLACK * packets) or max(end, last) < seconds - few


def _contents(path: Path) -> tuple[int, float]:
    """Packets of pictures in a file, and when the last packet of any kind ends, in seconds. Nothing is decoded."""
    try:
        return _contents_of_all_streams(path)
    except (ImportError, OSError, ValueError, IndexError):  # as for ``PyAvDecoder``
        packets, count, last = open_packets(path), 0, 0.0
        while packets.grab():
            count, last = count + 1, max(last, float(packets.get(cv2.CAP_PROP_POS_MSEC)) / 1000)
        packets.release()
        return count, last


def _contents_of_all_streams(path: Path) -> tuple[int, float]:
    import av

    with av.open(str(path.absolute())) as file:
        pictures = file.streams.video[0].index
        count, last = 0, 0.0
        for packet in file.demux():  # the sound may go on while the last picture stands
            if packet.pts is None or packet.time_base is None:
                continue
            count += packet.stream.index == pictures
            last = max(last, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        return count, last - (file.start_time or 0) / av.time_base
