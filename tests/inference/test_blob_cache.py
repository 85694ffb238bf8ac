"""Compiled networks are checked before OpenVINO uses them, and so is the file of population prototypes."""

from __future__ import annotations

import json
import logging
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from fewshot.cli import app
from fewshot.errors import FewshotError
from fewshot.inference import blob_cache
from fewshot.inference.onnx import open_session
from fewshot.loops import open_population
from fewshot.models import files
from fewshot.models.files import resolve


def zeros_in_the_middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle - 2048 : middle + 2048] = bytes(len(content[middle - 2048 : middle + 2048]))
    path.write_bytes(content)


def one_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def other(path: Path) -> None:
    """Of the same size, and another file altogether."""
    path.write_bytes(path.read_bytes()[::-1])


def no_checksums(path: Path) -> None:
    (path.parent / blob_cache.CHECKSUMS).unlink(missing_ok=True)


def broken_checksums(path: Path) -> None:
    (path.parent / blob_cache.CHECKSUMS).write_text('["not", "these"]')


DAMAGE = [zeros_in_the_middle, one_bit, half, other, no_checksums, broken_checksums]


def blobs(home: Path) -> list[Path]:
    return sorted((home / "cache" / "openvino").glob("*.blob"))


def test_a_blob_is_read_for_its_checksum_only_when_it_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = blob_cache.sha256_of
    monkeypatch.setattr(blob_cache, "sha256_of", lambda path: read.append(path.name) or real(path))
    for name in ("1.blob", "2.blob"):
        (tmp_path / name).write_bytes(name.encode() * 1000)
    blob_cache.remember(tmp_path)
    for _ in range(3):
        assert blob_cache.throw_away_damaged(tmp_path) == {"1.blob", "2.blob"}
    assert read == ["1.blob", "2.blob"]
    (tmp_path / "2.blob").write_bytes(b"another size")
    assert blob_cache.throw_away_damaged(tmp_path) == {"1.blob"}
    assert read == ["1.blob", "2.blob", "2.blob"]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_blob_is_thrown_away_and_compiled_again_with_a_note(
    fewshot_home: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[Path], None]
) -> None:
    pytest.importorskip("openvino", reason="needs the extra 'openvino'")
    crops = {"crops": np.random.default_rng(0).integers(0, 256, (2, 80, 80), dtype=np.uint8)}
    (truth,) = open_session(resolve("expression"), engine="openvino").run(["expression"], crops)
    (blob,) = blobs(fewshot_home)
    good = json.loads((blob.parent / blob_cache.CHECKSUMS).read_text())
    damage(blob)
    with caplog.at_level(logging.WARNING):
        (again,) = open_session(resolve("expression"), engine="openvino").run(["expression"], crops)
    np.testing.assert_array_equal(again, truth)
    # A folder without the list was filled by an earlier version, which is no reason for a note.
    noted = "thrown away" in caplog.text and "compiled again" in caplog.text
    assert noted if damage is not no_checksums else caplog.text == ""
    caplog.clear()
    open_session(resolve("expression"), engine="openvino")
    assert caplog.text == "" and set(json.loads((blob.parent / blob_cache.CHECKSUMS).read_text())) == set(good)


def made(cache: Path) -> Path:
    """A folder with a blob, without OpenVINO."""
    cache.mkdir(parents=True, exist_ok=True)
    blob = cache / "17.blob"
    blob.write_bytes(bytes(range(256)) * 64)
    blob_cache.remember(cache)
    return blob


@pytest.mark.parametrize("damage", DAMAGE)
def test_verify_names_a_damaged_blob_and_changes_nothing(damage: Callable[[Path], None]) -> None:
    blob = made(blob_cache.folder())
    good = CliRunner().invoke(app, ["models", "verify"])
    assert "as it was compiled" in " ".join(good.output.split())
    damage(blob)
    done = CliRunner().invoke(app, ["models", "verify"])
    assert done.exit_code == 1 and "damaged" in done.output and blob.exists()


def test_a_blob_that_cannot_be_deleted_stops_the_use_of_the_cache(tmp_path: Path, monkeypatch: Any) -> None:
    blob = made(tmp_path / "cache")
    one_bit(blob)

    def locked(*_: Any, **__: Any) -> None:
        raise PermissionError("in use")

    monkeypatch.setattr(Path, "unlink", locked)
    with pytest.raises(PermissionError):
        blob_cache.throw_away_damaged(tmp_path / "cache")


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert blob_cache.faults(tmp_path / "no folder") == {}
    blob_cache.throw_away_damaged(tmp_path / "no folder")
    blob_cache.remember(tmp_path / "no folder")


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped files, to be damaged."""
    folder, shipped = tmp_path / "weights", files.WEIGHTS
    shutil.copytree(shipped, folder)
    for module in list(sys.modules.values()):
        if getattr(module, "WEIGHTS", None) == shipped and module.__name__.startswith("fewshot."):
            monkeypatch.setattr(module, "WEIGHTS", folder)
    monkeypatch.delenv("FEWSHOT_NETWORK", raising=False)
    return folder


@pytest.mark.parametrize("way", ["a digit", "a space", "shorter", "gone"])
def test_the_population_is_used_only_with_the_right_checksum(weights: Path, way: str) -> None:
    assert open_population().network
    file = weights / "expression.json"
    text = file.read_text()
    changed = {"a digit": re.sub("[0-8]([],])", r"9\1", text, count=1), "a space": text + " ", "shorter": text[:-5]}
    file.unlink() if way == "gone" else file.write_text(changed[way])
    for network in (None, weights / "expression.onnx"):
        with pytest.raises(FewshotError, match=r"expression\.json"):
            open_population(network)
    done = CliRunner().invoke(app, ["models", "verify"])
    assert done.exit_code == 1


def test_every_flipped_byte_of_the_population_is_refused(weights: Path) -> None:
    file = weights / "expression.json"
    content = file.read_bytes()
    for place in np.random.default_rng(0).integers(0, len(content), 60):
        broken = bytearray(content)
        broken[place] ^= 1 << int(place % 8)
        file.write_bytes(broken)
        with pytest.raises(FewshotError, match=r"expression\.json"):
            open_population()
    file.write_bytes(content)
    assert open_population().network


def test_ones_own_population_needs_no_checksum(weights: Path, tmp_path: Path) -> None:
    own = tmp_path / "mine"
    own.mkdir()
    shutil.copy(weights / "expression.onnx", own / "mine.onnx")
    (own / "mine.json").write_text((weights / "expression.json").read_text() + "\n")
    assert open_population(own / "mine.onnx").network
