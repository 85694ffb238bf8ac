"""Does memory stay flat while the browser sends faster than anybody looks? A real aiortc connection, a slow consumer.

    python experiments/soak_webrtc.py                     # ten minutes
    python experiments/soak_webrtc.py --minutes 1 --fps 30 --pause 1.0

Two aiortc peers in this process: one sends 640x360 video over loopback, the other is what streamlit-webrtc makes of a
send-only stream (relay and callback sink into ``BrowserCamera``). A consumer takes a frame and then rests for
``--pause`` seconds. Writes seconds, resident memory, received and dropped frames to outputs/soak_webrtc.csv, and fails
if memory grew by more than 15 MB after the first quarter.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import psutil
from aiortc import MediaStreamTrack, RTCPeerConnection
from aiortc.contrib.media import MediaRelay
from streamlit_webrtc import VideoSinkTrack

from fewshot.app.webrtc import BrowserCamera

ALLOWED_MB = 15.0


class Film(MediaStreamTrack):
    """Noise that moves, at a fixed rate."""

    kind = "video"

    def __init__(self, fps: float) -> None:
        super().__init__()
        self._fps, self._index, self._start = fps, 0, time.monotonic()
        self._pictures = np.random.default_rng(0).integers(0, 255, (8, 360, 640, 3), np.uint8)

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(max(0.0, self._start + self._index / self._fps - time.monotonic()))
        frame = av.VideoFrame.from_ndarray(self._pictures[self._index % 8], format="bgr24")
        frame.pts, frame.time_base = int(self._index * 90000 / self._fps), Fraction(1, 90000)
        self._index += 1
        return frame


async def connect(fps: float, box: BrowserCamera) -> tuple[RTCPeerConnection, RTCPeerConnection]:
    """Sender and receiver, connected; the receiver's frames go into the box."""
    sender, receiver = RTCPeerConnection(), RTCPeerConnection()
    sink, relay = VideoSinkTrack(box.push), MediaRelay()

    @receiver.on("track")
    def on_track(track: MediaStreamTrack) -> None:
        sink.addTrack(relay.subscribe(track))
        sink.start()

    sender.addTrack(Film(fps))
    await sender.setLocalDescription(await sender.createOffer())
    await receiver.setRemoteDescription(sender.localDescription)
    await receiver.setLocalDescription(await receiver.createAnswer())
    await sender.setRemoteDescription(receiver.localDescription)
    return sender, receiver


async def soak(minutes: float, fps: float, pause: float, every: float) -> list[tuple[float, float, int, int, int]]:
    box, taken = BrowserCamera(), [0]
    process = psutil.Process()

    def consume() -> None:
        for _ in box:
            taken[0] += 1
            time.sleep(pause)

    thread = threading.Thread(target=consume, daemon=True)
    thread.start()
    peers = await connect(fps, box)
    rows, start = [], time.monotonic()
    while (seconds := time.monotonic() - start) < 60 * minutes:
        rows.append((seconds, process.memory_info().rss / 1e6, box.received, box.dropped, taken[0]))
        await asyncio.sleep(every)
    box.close()
    for peer in peers:
        await peer.close()
    thread.join(pause + 1)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--fps", type=float, default=15.0)
    parser.add_argument("--pause", type=float, default=1.0, help="seconds that the consumer rests after every frame")
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two measurements")
    parser.add_argument("--out", type=Path, default=Path("outputs/soak_webrtc.csv"))
    arguments = parser.parse_args()
    rows = asyncio.run(soak(arguments.minutes, arguments.fps, arguments.pause, arguments.every))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with arguments.out.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("seconds", "resident MB", "received", "dropped", "taken"), *rows])
    settled = rows[len(rows) // 4 :]
    grown = settled[-1][1] - settled[0][1]
    print(
        f"{rows[-1][2]} frames received, {rows[-1][3]} dropped, {rows[-1][4]} taken in {rows[-1][0]:.0f} s; resident "
        f"memory {settled[0][1]:.0f} -> {settled[-1][1]:.0f} MB (most {max(row[1] for row in settled):.0f})"
    )
    if grown > ALLOWED_MB:
        sys.exit(f"Memory grew by {grown:.0f} MB.")


if __name__ == "__main__":
    main()
