"""No secret of an address is shown, logged, stored or raised; names of files stay whole."""

from __future__ import annotations

import json
import traceback
from pathlib import Path

import pytest

from fewshot.addresses import missing_file, public_address, public_source, without_secrets
from fewshot.errors import FewshotError, SourceError
from fewshot.live.sources import open_source

SECRET = "S3CRET"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (f"rtsp://u:{SECRET}@cam/x", "rtsp://***@cam/x"),
        (f"rtsp://u:{SECRET}@cam:554/x", "rtsp://***@cam:554/x"),
        (f"RTSP://u:{SECRET}@192.168.1.20/", "RTSP://***@192.168.1.20/"),
        (f"rtsp://u:{SECRET}#1@cam/x", "rtsp://***@cam/x"),
        (f"rtsp://u:1/{SECRET}@cam/x", "rtsp://***@cam/x"),
        (f"rtsp://j.doe:1/{SECRET}@cam.local", "rtsp://***@cam.local"),
        (f"rtsp://u:?{SECRET}@cam/x", "rtsp://***@cam/x"),
        (f"rtsp://u:p@{SECRET}@cam/x", "rtsp://***@cam/x"),
        (f"rtsp://u:p@{SECRET}/w@cam/x", "rtsp://***@cam/x"),
        (f"rtsp://u:p {SECRET}@cam/x", "rtsp://***@cam/x"),
        (f"rtsp://{SECRET}@cam/x", "rtsp://***@cam/x"),
        (f"rtsp://u%3A{SECRET}%40cam/x", "rtsp://***@cam/x"),
        (f"rtsp://u%253A{SECRET}%2540cam/x", "rtsp://***@cam/x"),
        (f"rtsp://u:%23{SECRET}@[fe80::1]:554/x", "rtsp://***@[fe80::1]:554/x"),
        (f"rtsp://u:{SECRET}", "rtsp://***"),
        (f"http://cam/x?token={SECRET}", "http://cam/x?***"),
        (f"http://cam/x?TOKEN={SECRET}&channel=2", "http://cam/x?channel=2&***"),
        (f"http://cam/x?channel=2;pwd={SECRET}", "http://cam/x?channel=2&***"),
        (f"http://cam/x?channel={SECRET}{SECRET}{SECRET}", "http://cam/x?***"),
        (f"http://cam/x?{SECRET}", "http://cam/x?***"),
        (f"http://cam?usr={SECRET}", "http://cam?***"),
        (f"http://cam/x#access_token={SECRET}", "http://cam/x"),
        (f"http://cam/x;jsessionid={SECRET}/y", "http://cam/x;***/y"),
        (f"http://cam/x%3Btoken%3D{SECRET}", "http://cam/***"),
        (f"http://cam/x%253Ftoken%253D{SECRET}", "http://cam/***"),
        (f"rtsp://192.168.1.9:554/user=a&password={SECRET}&channel=1.sdp?", "rtsp://192.168.1.9:554/***"),
        (f"http://192.168.1.9:80/x?mail=a@{SECRET}.b", "http://192.168.1.9:80/x?***"),
        (f"srt://cam:9000?mode=caller&passphrase={SECRET}", "srt://cam:9000?mode=caller&***"),
        (f"rtsp:/u:{SECRET}@cam/x", "rtsp://***@cam/x"),
        (f"rtsp:u:{SECRET}@cam/x", "rtsp://***@cam/x"),
        (f"rtsp//u:{SECRET}@cam/x", "rtsp://***@cam/x"),
        (f"postgresql+psycopg://u:{SECRET}@db/fewshot", "postgresql+psycopg://***@db/fewshot"),
        (f"concat:rtsp://u:{SECRET}@cam/1|rtsp://u:{SECRET}@cam/2", "concat:rtsp://***@cam/1|rtsp://***@cam/2"),
        (f"async:cache:http://cam/x?t={SECRET}", "async:cache:http://cam/x?***"),
        (f"rtsps://192.168.1.1:7441/{SECRET}kP0dV7mQ2x", "rtsps://192.168.1.1:7441/***"),
        ("rtmp://live.example/app/my-own-key", "rtmp://live.example/app/***"),
        ("rtmps://live.example:443/app/room/blue-house", "rtmps://live.example:443/app/***"),
        ("https://cam/hls/token/bluehouse/a.m3u8", "https://cam/hls/token/***/a.m3u8"),
        ("https://cam/stream_key/bluehouse", "https://cam/stream_key/***"),
        (f"https://cam/{SECRET}-9f1c-4e77-b0d2-5a8e61c07f34/a.m3u8", "https://cam/***/a.m3u8"),
    ],
)
def test_secrets_are_taken_out_and_the_rest_remains(address: str, shown: str) -> None:
    assert public_address(address) == shown
    assert public_address(shown) == shown, "cleaned twice is cleaned once"
    assert public_source(f"a, b@c.mp4, {address}") == f"a, b@c.mp4, {shown}"
    assert SECRET not in str(FewshotError(f"Cannot open {shown}.", hint=f"Try {shown}"))


@pytest.mark.parametrize(
    "name",
    [
        "lesson.mp4", "anna@home.mp4", "a#b?c=d.mp4", "photos/anna@home/#1", "/data/a;b=c&token=d.mp4", "0", "screen",
        "C:\\a#b.mp4", "C:\\anna@home\\x.mp4", "D:/a@b.mp4", "C://a@b.mp4", "screen:0,0,640,480",
        "lesson 10:30 a@b.mp4", "rtsp", "http.mp4", "the moving sample picture", "",
        "http://localhost:8501", "https://example.org/a/b.mp4", "rtsp://192.168.1.20:554/Streaming/Channels/101",
        "http://[::1]:80/x", "http://192.168.1.20:8080/@anna", "http://cam.local/live_1~a/x.m3u8?channel=1&subtype=0",
        "rtsp://cam/h264Preview_01_main", "rtsp://cam/axis-media/media.amp", "http://cam/cgi-bin/snapshot1280x720.cgi",
        "http://monkey.example/keyboard/tokens/a.mp4", "rtmp://live.example/app",
        "http://school.example/videos/2026-11-20_physics_lesson.mp4", "rtsp://cam/profile1/media.smp",
    ],
)  # fmt: skip
def test_what_has_no_secret_stays_whole(name: str) -> None:
    assert public_address(name) == name
    assert public_source(name) == name
    assert without_secrets(f"See {name}, (at {name}).") == f"See {name}, (at {name})."


@pytest.mark.parametrize("name", [f"admin:{SECRET}@192.168.1.20/x", f"admin:1/{SECRET}@cam", f"//u:{SECRET}@cam/x"])
def test_an_address_without_its_scheme(name: str) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(name)
    assert SECRET not in str(caught.value) and "***@" in str(caught.value)
    assert missing_file("D:\\a@b.mp4") == "D:\\a@b.mp4"


@pytest.mark.parametrize(
    "address",
    [
        f"rtsp://u:{SECRET}@127.0.0.1:9/x", f"rtsp://u:p/{SECRET}@127.0.0.1:9/x", f"http://127.0.0.1:9/x?token={SECRET}",
        f"ftp://u:{SECRET}@127.0.0.1/x", f"u:{SECRET}@rtsp://127.0.0.1/x", f"http://[u:{SECRET}@127.0.0.1/x",
        f"HTTP://127.0.0.1:9/#{SECRET}",
    ],
)  # fmt: skip
def test_no_error_of_an_address_holds_a_secret(address: str) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(address)
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in f"{error} {error!r} {error.args}"
        error = error.__cause__ or error.__context__
    assert SECRET not in without_secrets("".join(traceback.format_exception_only(caught.value)))


def test_sentences_and_tracebacks_are_cleaned() -> None:
    error = FewshotError(f"No answer from rtsp://u:{SECRET}@cam/x. Try again.", hint=f"Open (http://cam?t={SECRET}).")
    assert str(error) == "No answer from rtsp://***@cam/x. Try again. Open (http://cam?***)."
    assert SECRET not in repr(error) and SECRET not in error.hint


@pytest.mark.parametrize("sign", ["'", '"', "<", ">"])
def test_a_password_with_a_sign_that_ends_a_quotation(sign: str) -> None:
    assert SECRET not in without_secrets(f"Cannot open rtsp://u:1{sign}{SECRET}@cam/x.")


def test_a_lesson_stores_and_shows_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    from sqlalchemy import select, text

    from fewshot.commands.roster import show_lessons
    from fewshot.database.lesson_tables import LessonRow
    from fewshot.session.lessons import LessonStore

    store = LessonStore()
    new = store.create(source=f"a@b.mp4, rtsp://u:{SECRET}@cam/x?pwd={SECRET}")
    with store.database.read() as session:
        assert session.scalars(select(LessonRow)).one().source == "a@b.mp4, rtsp://***@cam/x?***"
    # A lesson of an older version.
    old = store.create(source="x")
    with store.database.write() as session:
        session.execute(text("update lessons set source = :source, row_check = null where id = :id"), {
            "source": f"rtsp://u:1/{SECRET}@cam/x", "id": old,
        })  # fmt: skip
    assert store.info(old).source == "rtsp://***@cam/x"
    show_lessons(None)
    assert SECRET not in capsys.readouterr().out
    assert {info.id for info in store.lessons()} == {new, old}


def test_the_command_line_says_and_writes_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from fewshot.cli import app

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FEWSHOT_DEBUG", "1")
    for words in (
        ["live", "--no-show", "--source", f"rtsp://u:p?{SECRET}@127.0.0.1:9/x"],
        ["analyze", f"http://127.0.0.1:9/a.mp4?token={SECRET}", "--record", "--jsonl", "out.jsonl"],
        ["analyze", "--save", f"rtsp://u:{SECRET}@cam/out.mp4", f"rtsp:/u:{SECRET}@cam/x"],
    ):
        result = CliRunner().invoke(app, [*words, "--detector", "cascade", "--offline"])
        assert result.exit_code != 0
        assert SECRET not in result.output, words
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and SECRET in path.read_text(errors="replace")]


def test_the_script_keeps_no_copy_of_its_options() -> None:
    """Hydra writes the options of a run, and so the address of a camera, into the folder of the run."""
    yaml = pytest.importorskip("yaml")
    conf = yaml.safe_load((Path(__file__).resolve().parents[2] / "conf" / "live_demo.yaml").read_text(encoding="utf-8"))
    assert conf["hydra"]["output_subdir"] is None
    assert "source" in json.dumps(conf)
