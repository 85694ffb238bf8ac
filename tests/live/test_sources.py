"""Files give every frame; pictures stand alone; what cannot be opened says so in one line."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from live_fakes import blank, write_timed_video, write_video
from PIL import Image

from fewshot.errors import FewshotError, SourceError, UsageError
from fewshot.live.sources import FrameSource, open_source
from fewshot.live.sources.capture import codec_of, open_file, open_packets
from fewshot.live.sources.packet_size import picture_size


@pytest.mark.parametrize("name", ["a.mp4", "a.avi", "lesson 10:30 100%d.mp4", "Übung.mp4"])
def test_a_video_gives_every_frame_in_order(tmp_path: Path, name: str) -> None:
    write_video(tmp_path / name, frames=25)
    source = open_source(tmp_path / name)
    taken = list(source)
    source.close()
    assert [captured.index for captured in taken] == list(range(25))
    np.testing.assert_allclose([captured.time for captured in taken], np.arange(25) / 10, atol=1e-6)
    np.testing.assert_allclose([captured.frame.mean() for captured in taken], 5 + 8 * np.arange(25), atol=4)
    assert {captured.source for captured in taken} == {str(tmp_path / name)} and not any(
        captured.independent for captured in taken
    )
    assert (source.fps, source.frames, source.live, source.lost, source.dropped) == (10, 25, False, None, 0)


def test_an_animated_gif_is_a_video(tmp_path: Path) -> None:
    pages = [Image.fromarray(blank(value=60 * k)) for k in range(4)]
    pages[0].save(tmp_path / "a.gif", save_all=True, append_images=pages[1:], duration=100, loop=0)
    taken = list(open_source(tmp_path / "a.gif"))
    assert len(taken) == 4 and all(b.time > a.time for a, b in itertools.pairwise(taken))


def test_a_cut_video_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "cut.avi"
    write_video(path, frames=60)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    source = open_source(path)
    taken = list(source)
    assert 5 < len(taken) < 60
    # AVI keeps its index at the end: without it OpenCV may count only what is there.
    assert source.lost is None or f"{len(taken)} of" in source.lost


def test_fewer_frames_than_promised_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_video(tmp_path / "a.mp4", frames=10)
    monkeypatch.setattr("fewshot.live.sources.video.count", lambda capture: 100)
    source = open_source(tmp_path / "a.mp4")
    assert len(list(source)) == 10
    assert source.lost and "10 of 100" in source.lost and "cut off" in source.lost


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        ([0, 0.1, 0.2], [0, 0.1, 0.2]),
        ([1.4, 1.5, 1.7], [1.4, 1.5, 1.7]),
        ([0, 0, 0, 0], [0, 0.1, 0.2, 0.3]),
        ([0, 0.1, 0.2, 0, 0.1], [0, 0.1, 0.2, 0.3, 0.4]),
        ([-0.1, 0, 0.1], [0, 0.1, 0.2]),
        ([0.2, 0.3, float("nan"), 0.5], [0.2, 0.3, 0.4, 0.5]),
        ([float("nan"), 0.1], [0, 0.1]),
        ([0, 0.5, 1.0, 1.0], [0, 0.5, 1.0, 1.1]),  # the file says how long a frame lasts, its stamps do not
    ],
)
def test_times_grow_strictly_whatever_the_container_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stamps: list[float], times: list[float]
) -> None:
    class Stamped:
        stretched = None

        def __init__(self) -> None:
            self.left = iter(stamps)

        def read(self) -> tuple[np.ndarray, float] | None:
            return next(((blank(64, 48), stamp) for stamp in self.left), None)

        def close(self) -> None:
            pass

    write_video(tmp_path / "a.mp4", frames=len(stamps))  # ten frames per second
    monkeypatch.setattr("fewshot.live.sources.video.open_decoder", lambda *_: Stamped())
    np.testing.assert_allclose([taken.time for taken in open_source(tmp_path / "a.mp4")], times, atol=1e-9)


def changing_video(path: Path) -> None:
    """Motion JPEG is pictures in a row, so two of them glued together are a video that changes its size."""
    parts = [cv2.imencode(".jpg", blank(*size, value=90))[1].tobytes() for size in [(64, 48)] * 3 + [(96, 54)] * 3]
    path.write_bytes(b"".join(parts))


def test_every_frame_of_a_video_has_its_own_size(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="PyAV is an extra")
    changing_video(tmp_path / "a.mjpeg")
    taken = list(open_source(tmp_path / "a.mjpeg"))
    assert [captured.frame.shape for captured in taken] == [(48, 64, 3)] * 3 + [(54, 96, 3)] * 3


@pytest.mark.parametrize(("codec", "pixels"), [("mjpeg", "yuvj420p"), ("rawvideo", "bgr24")])
def test_frames_are_those_of_pyav_and_stay_as_they_are(tmp_path: Path, codec: str, pixels: str) -> None:
    av = pytest.importorskip("av", reason="PyAV is an extra")
    path, random = tmp_path / "a.avi", np.random.default_rng(0)
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 70, 46, pixels  # rows of 210 bytes end in padding
        for _ in range(5):
            picture = av.VideoFrame.from_ndarray(random.integers(0, 256, (46, 70, 3), np.uint8), format="bgr24")
            file.mux(stream.encode(picture))
        file.mux(stream.encode())
    taken = [captured.frame for captured in open_source(path)]
    for frame in taken[1:]:
        frame[:10] = 0  # as a drawing would; the decoder must not see it
    again = [captured.frame for captured in open_source(path)]
    with av.open(str(path)) as file:
        expected = [picture.to_ndarray(format="bgr24") for picture in file.decode(video=0)]
    assert len(expected) == len(again) == 5
    np.testing.assert_array_equal(again, expected)
    np.testing.assert_array_equal([frame[10:] for frame in taken], [frame[10:] for frame in expected])
    np.testing.assert_array_equal(taken[0], expected[0])


def test_without_pyav_every_frame_has_the_first_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    changing_video(tmp_path / "a.mjpeg")
    taken = list(open_source(tmp_path / "a.mjpeg"))
    assert [captured.frame.shape for captured in taken] == [(48, 64, 3)] * 6


def test_without_pyav_a_change_of_the_size_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    changing_video(tmp_path / "a.mjpeg")
    source = open_source(tmp_path / "a.mjpeg")
    assert len(list(source)) == 6
    (note,) = source.notes
    assert "from 64x48 to 96x54 after 0.1 s" in note and "package av" in note


def test_without_pyav_a_browsers_recording_that_changes_is_said(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shared / "cases" / "video" / "sizechange.webm"
    if not path.is_file():
        pytest.skip("needs ../shared/cases/video/sizechange.webm")
    monkeypatch.setitem(sys.modules, "av", None)
    source = open_source(path)
    assert len(list(source)) == 150 and "from 640x480 to 270x480 after 3.0 s" in source.notes[0]


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9", "libx264", "mjpeg"])
@pytest.mark.parametrize("size", [(64, 48), (322, 182), (1280, 718)])
def test_the_size_is_in_the_packets(tmp_path: Path, codec: str, size: tuple[int, int]) -> None:
    av = pytest.importorskip("av", reason="PyAV is an extra")
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no {codec}")
    path = tmp_path / ("a.webm" if "vpx" in codec else "a.mp4" if codec == "libx264" else "a.avi")
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=25)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for value in range(3):
            picture = av.VideoFrame.from_ndarray(blank(*size, value=90 + value), format="bgr24")
            file.mux(stream.encode(picture))
        file.mux(stream.encode())
    packets, capture = open_packets(path), open_file(path)
    found = [picture_size(packets.read()[1].tobytes(), codec_of(capture)) for _ in range(3)]
    assert found[0] == size and set(found) <= {size, None}


@pytest.mark.parametrize("codec", ["VP80", "VP90", "h264", "MJPG", "hevc", "\0\0\0\0"])
def test_packets_that_mean_nothing_have_no_size(codec: str) -> None:
    random = np.random.default_rng(0)
    heads = (b"", b"\x00", b"\x9d", b"\xff\xc0", b"\x00\x00\x01\x67", b"\x50\x00\x00\x9d\x01\x2a", b"\x82\x49\x83\x42")
    for head in heads:
        for length in (0, 1, 3, 30):
            size = picture_size(head + random.integers(0, 256, length, np.uint8).tobytes(), codec)
            assert size is None or len(size) == 2


@pytest.mark.parametrize("installed", [True, False])
def test_pyav_and_opencv_give_the_same_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: bool) -> None:
    if installed:
        pytest.importorskip("av", reason="PyAV is an extra")
    else:
        monkeypatch.setitem(sys.modules, "av", None)
    write_video(tmp_path / "a.mp4", frames=12, fps=10)
    taken = list(open_source(tmp_path / "a.mp4"))
    assert [captured.time for captured in taken] == pytest.approx([index / 10 for index in range(12)])
    assert [captured.frame.mean() for captured in taken] == pytest.approx([5 + 8 * index for index in range(12)], abs=4)


@pytest.mark.parametrize("installed", [True, False])
@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ("2:1", (128, 48)),
        ("4:3", (85, 48)),
        ("8:9", (64, 54)),
        ("1:1", (64, 48)),
        ("0:1", (64, 48)),
        ("99:1", (64, 48)),
    ],
)
def test_pixels_are_made_square(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: str, size: tuple[int, int], installed: bool
) -> None:
    write_timed_video(tmp_path / "a.mp4", [0.0, 0.1, 0.2], shape=shape)
    if not installed:
        monkeypatch.setitem(sys.modules, "av", None)
    for captured in open_source(tmp_path / "a.mp4"):
        assert (captured.frame.shape[1], captured.frame.shape[0]) == size


@pytest.mark.parametrize("installed", [True, False])
@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
def test_a_recording_with_pauses_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, installed: bool
) -> None:
    """A recorder of a screen writes no frame while nothing moves."""
    times = [index / 25 for index in range(200) if index % 7 in (0, 1, 5) or index > 170]
    write_timed_video(tmp_path / name, times)
    if not installed:
        monkeypatch.setitem(sys.modules, "av", None)
    source = open_source(tmp_path / name)
    assert len(list(source)) == len(times) and source.lost is None


def test_a_recording_whose_last_picture_stands_is_whole(tmp_path: Path) -> None:
    """A slide at the end of a call: nothing comes but sound."""
    av = pytest.importorskip("av", reason="needs PyAV")
    write_timed_video(tmp_path / "a.mkv", [index / 25 for index in range(100)])
    with av.open(str(tmp_path / "a.mkv")) as short, av.open(str(tmp_path / "b.mkv"), "w") as long:
        pictures = long.add_stream_from_template(short.streams.video[0])
        sound = long.add_stream("pcm_s16le", rate=8000, layout="mono")
        for packet in short.demux(video=0):
            if packet.dts is not None:
                packet.stream = pictures
                long.mux(packet)
        for second in range(12):
            samples = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
            samples.sample_rate, samples.pts = 8000, second * 8000
            long.mux(sound.encode(samples))
    source = open_source(tmp_path / "b.mkv")
    assert source.frames and source.frames > 200
    assert len(list(source)) == 100 and source.lost is None


@pytest.mark.parametrize("installed", [True, False])
@pytest.mark.parametrize("pauses", [True, False])
def test_a_recording_that_is_cut_off_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pauses: bool, installed: bool
) -> None:
    write_timed_video(tmp_path / "a.mkv", [index / 25 for index in range(200) if not pauses or index % 7 in (0, 1, 5)])
    whole = (tmp_path / "a.mkv").read_bytes()
    (tmp_path / "a.mkv").write_bytes(whole[: len(whole) // 2])
    if not installed:
        monkeypatch.setitem(sys.modules, "av", None)
    source = open_source(tmp_path / "a.mkv")
    taken = list(source)
    assert len(taken) > 10 and source.lost and "cut off" in source.lost


@pytest.mark.parametrize(
    ("times", "fps"),
    [
        ([index / 25 for index in range(40)], 25),
        ([index * 0.033 for index in range(40)], 30),  # a clock of milliseconds
        ([index / 25 for index in [*range(30), *range(80, 110)]], 25),  # two seconds without a frame
    ],
)
def test_the_rate_is_that_of_the_frames(tmp_path: Path, times: list[float], fps: float) -> None:
    write_timed_video(tmp_path / "a.mkv", times)
    source = open_source(tmp_path / "a.mkv")
    assert source.fps == pytest.approx(fps, rel=0.02)
    assert [captured.time for captured in source] == pytest.approx(times, abs=0.002)


def test_a_recording_of_a_browser_has_a_usual_rate(shared: Path) -> None:
    source = open_source(shared / "cases/video/mediarecorder_real.webm")
    assert source.fps == pytest.approx(25, rel=0.05) and len(list(source)) == 150


def test_a_folder_is_independent_pictures_in_order(tmp_path: Path) -> None:
    for number, name in enumerate(["b.png", "a.jpg", "c.webp"]):
        Image.fromarray(blank(value=50 * number)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "broken.jpg").write_text("no picture")
    source = open_source(tmp_path)
    taken = list(source)
    assert [Path(captured.source).name for captured in taken] == ["a.jpg", "b.png", "c.webp"]
    assert all(captured.independent and captured.index == 0 and captured.time == 0 for captured in taken)
    assert source.frames == 4
    skipped, broken = source.notes
    assert "notes.txt" in skipped and "broken.jpg" in broken


def test_a_huge_picture_keeps_the_size_of_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fewshot.pictures.MAX_PIXELS", 1000)
    Image.fromarray(blank(100, 80)).save(tmp_path / "a.png")
    (captured,) = open_source(tmp_path / "a.png")
    assert captured.size == (100, 80) and captured.frame.shape[1] < 40


def test_frames_from_a_generator() -> None:
    closed = []

    def frames():
        try:
            while True:
                yield blank()
        finally:
            closed.append(True)

    source = FrameSource(frames(), fps=5)
    taken = iter(source)
    assert [next(taken).time for _ in range(3)] == pytest.approx([0, 0.2, 0.4])
    source.close()
    assert closed
    assert open_source(source) is source
    assert len(list(open_source([blank(), blank()]))) == 2
    with pytest.raises(UsageError):
        FrameSource([], fps=0)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("nowhere.mp4", "no file or folder"),
        ("folder", "no picture"),
        ("ftp://x/y.mp4", "not supported"),
        ("screen:1,2,3", "not a region"),
        ("screen:0,0,0,9", "not a region"),
    ],
)
def test_wrong_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, words: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(SourceError, match=words) as caught:
        open_source(what)
    assert caught.value.exit_code == 2 and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"just text, no video", bytes(range(256)) * 40])
def test_what_is_no_video_fails_in_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str], content: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(SourceError, match=r"a\.mp4") as caught:
        open_source(tmp_path / "a.mp4")
    assert caught.value.exit_code == 1 and "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["notes.txt", "film.nfo"])
def test_a_text_is_not_drawn_as_a_video(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("Monday: bring the film.\n" * 100)
    with pytest.raises(SourceError, match=f"{name} is a text, not a video"):
        open_source(tmp_path / name)


def test_pictures_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("dear diary")
    for what in (tmp_path, tmp_path / "a.jpg"):
        with pytest.raises(FewshotError, match=r"a\.jpg"):
            list(open_source(what))


def test_no_camera_and_no_stream(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SourceError, match="Camera 97 could not be opened"):
        open_source(97)
    with pytest.raises(SourceError, match="No video stream") as caught:
        open_source("rtsp://anna:secret@127.0.0.1:9/x")
    assert "secret" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_real_clips(shared: Path) -> None:
    for name, frames in [("pyfeat_single_face.mp4", 72), ("intel_classroom.gif", 45)]:
        taken = list(open_source(shared / "data" / "scenes" / name))
        assert len(taken) == frames
        assert all(b.time > a.time for a, b in itertools.pairwise(taken))
