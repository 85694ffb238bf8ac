"""The script that looks at a folder first, and the same folder by hydra."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from experiments import count_pictures
from tests.drawn_faces import draw_photo


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["count_pictures.py", *map(str, arguments)])
    count_pictures.main()


def own(folder: Path) -> Path:
    for name in ("asha/happy/1.jpg", "asha/happy/2.jpg", "asha/confused/1.jpg", "bo/neutral/1.jpg"):
        draw_photo(folder / name, {0: 100})
    (folder / "bo/neutral/2.jpg").write_bytes(b"no picture")
    return folder


def test_an_empty_folder_ends_with_its_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="No known form of data"):
        run(monkeypatch, tmp_path)


def test_counts_shortages_and_broken_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, own(tmp_path), "--read")
    said = capsys.readouterr().out
    assert "| own_asha | 2 |  | 1 | 3 |" in said
    assert "| all 2 | 2 | 1 | 1 | 4 |" in said
    assert "1 to enroll and 1 to ask about: 1 emotions of 1 people." in said
    assert "| own_asha | confused | 1 | 1 to enroll leave 0 of 1 to ask about: add 1 |" in said
    assert "| own_bo | happy | 0 | none" in said
    assert "2.jpg is not a picture" in said
    run(monkeypatch, tmp_path, "--shots", 0)
    assert "| own_bo |  | 2 |  | 2 |" in capsys.readouterr().out  # unread, the broken file counts


def test_a_long_table_is_cut_in_the_middle() -> None:
    rows = [{"n": str(n)} for n in range(100)]
    lines = count_pictures.shortened(rows, last=1).splitlines()
    assert lines[2] == "| 0 |"
    assert lines[40:43] == ["| 38 |", "| 99 |", ""]
    assert lines[-1] == "(60 rows more)"
    assert "more" not in count_pictures.shortened(rows[:40])
