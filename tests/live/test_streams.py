"""HTTP and RTSP streams against real servers on this machine."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice, pairwise

import pytest

from fewshot.errors import SourceError
from fewshot.live.sources import Source, open_source

PICTURES = ["-f", "lavfi", "-i", "testsrc=size=320x240:rate=10"]
FAST = ["-c:v", "mpeg2video", "-g", "5", "-bf", "0"]
PATIENCE = 30.0

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg (apt install ffmpeg)")
needs_rtsp = pytest.mark.skipif(
    not shutil.which("rtsp-server-perl"), reason="needs an RTSP server (apt install rtsp-server-perl)"
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    pytest.fail(f"nothing listens on port {port}")


def opened(url: str) -> Source:
    """Servers need a moment, and some serve one client only: so try with the client that counts."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return open_source(url)
        except SourceError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def check(source: Source) -> None:
    taken = list(islice(source, 5))
    assert source.live and source.frames is None
    assert [captured.index for captured in taken] == list(range(5))
    assert all(captured.frame.shape == (240, 320, 3) and captured.frame.std() > 40 for captured in taken)
    assert taken[0].time == 0 and all(later.time > captured.time for captured, later in pairwise(taken))


@needs_ffmpeg
def test_an_http_stream_and_its_end() -> None:
    url = f"http://127.0.0.1:{free_port()}/lesson"
    with running("ffmpeg", "-re", *PICTURES, *FAST, "-f", "mpegts", "-listen", "1", url) as server:
        source = opened(url)
        check(source)
        server.kill()
        rest = list(source)
        assert source.lost and "gave no more pictures" in source.lost and len(rest) < 50
        source.close()


@needs_ffmpeg
@needs_rtsp
def test_an_rtsp_stream() -> None:
    inlet, outlet = free_port(), free_port()
    listen = ["--client_listen_address", "127.0.0.1", "--source_listen_address", "127.0.0.1"]
    ports = ["--serverport", str(inlet), "--clientport", str(outlet)]
    publish = ["-f", "rtsp", "-rtsp_transport", "udp", f"rtsp://127.0.0.1:{inlet}/lesson"]
    with running("rtsp-server-perl", *listen, *ports):
        wait_for(inlet)
        with running("ffmpeg", "-re", *PICTURES, *FAST, *publish):
            source = opened(f"rtsp://127.0.0.1:{outlet}/lesson")
            check(source)
            source.close()


@needs_ffmpeg
def test_a_video_file_behind_an_address_loses_no_frame(tmp_path) -> None:
    file = tmp_path / "a.avi"
    subprocess.run(["ffmpeg", "-v", "error", *PICTURES, "-t", "2", "-c:v", "mjpeg", str(file)], check=True)
    port = free_port()
    with running("python3", "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(tmp_path)):
        wait_for(port)
        source = open_source(f"http://127.0.0.1:{port}/a.avi")
        assert not source.live and len(list(source)) == 20
        source.close()
