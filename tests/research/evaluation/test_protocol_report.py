"""Reports as files, and the configuration of every protocol."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from fewshot.errors import UsageError
from fewshot.research.evaluation import protocol_results as report
from fewshot.research.evaluation.intervals import Interval
from fewshot.research.evaluation.protocol_results import Context, Report, Table
from fewshot.research.evaluation.vectors import Embedded

CONF = Path(__file__).resolve().parents[3] / "conf"


class Named:
    network = "made-1"
    engine = "numpy"


class Bare(Context):
    """A context without files."""

    population: Any = Named()
    embedder: Any = Named()


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Bare(shared=tmp_path, network=tmp_path / "net.onnx", seed=4, command="python experiments/evaluate.py it")


def report_of(rows: list[dict[str, Any]]) -> Report:
    plots = {"curve": lambda path: path.write_bytes(b"a picture")}
    return Report("it", "A question", "How.", {"CK+": "development"}, [Table("T", rows, note="N")], plots)


def test_a_report_without_rows(context: Context, tmp_path: Path) -> None:
    path = report_of([]).write(tmp_path / "results", context)
    assert "## T" in path.read_text() and (tmp_path / "results/it.csv").read_text().strip() == ""


def test_files_of_a_report(context: Context, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"way": "a", "n": 3, "accuracy": Interval(0.5, 0.25, 0.75), "error": 0.01234}]
    text = report_of([*rows, {"way": "b", "new": "x"}]).write(tmp_path, context).read_text()
    assert "    python experiments/evaluate.py it\n" in text
    assert "`made-1`" in text and "seed 4" in text and "CK+: **development**" in text
    assert "| a | 3 | 0.500 (0.250-0.750) | 0.012 |  |" in text and "![curve](it_curve.png)" in text
    assert str(tmp_path) not in text
    with (tmp_path / "it.csv").open(newline="") as lines:
        read = list(csv.DictReader(lines))
    assert read[0]["accuracy_low"] == "0.25000" and read[0]["error"] == "0.01234" and read[1]["accuracy"] == ""
    assert (tmp_path / "it_curve.png").read_bytes() == b"a picture"


def test_further_tables_have_files_of_their_own(context: Context, tmp_path: Path) -> None:
    tables = [Table("One", [{"a": 1}]), Table("Two", [{"b": 2}], "two")]
    Report("it", "Q", "H", {}, tables).write(tmp_path, context)
    assert (tmp_path / "it.csv").read_text() == "a\n1\n" and (tmp_path / "it_two.csv").read_text() == "b\n2\n"


def test_a_folder_without_data_is_named(tmp_path: Path) -> None:
    context = Context(shared=tmp_path, network=tmp_path / "net.onnx")
    with pytest.raises(UsageError, match=r"subjects\.csv"):
        context.pictures("ckplus")


def test_one_data_set_is_looked_at_once_and_then_chosen_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    lines = ["dataset,path,subject,emotion,session", "x,a.png,p,happy,1", "x,b.png,p,tired,1", "y,c.png,q,sad,1"]
    lines.append("x,a_again.png,p,happy,2")  # the very picture of a.png, which must not be asked about beside it
    (tmp_path / "data/subjects.csv").write_text("\n".join(lines))
    for name in ("a", "b", "c", "a_again"):
        (tmp_path / f"data/{name}.png").write_bytes(name[:1].encode())
    asked: list[list[str]] = []

    def embed(chain: Any, pictures: Any, root: Path, cache: Path, features: bool, change: Any = None) -> Embedded:
        asked.append([picture.path for picture in pictures])
        count = len(pictures)
        return Embedded(list(pictures), np.ones((count, 2), np.float32), None, np.ones(count, bool))

    monkeypatch.setattr(report, "embed_pictures", embed)
    monkeypatch.setattr(report, "crop_pictures", lambda *arguments, **options: None)
    context = Bare(shared=tmp_path, network=tmp_path / "net.onnx")
    object.__setattr__(context, "chain", None)
    assert context.embed("x").emotions == ["happy"]
    assert context.embed("x", ()).emotions == ["happy", "tired"]
    assert context.embed("x", change=lambda frame: frame).emotions == ["happy"]
    assert asked == [["a.png", "b.png"], ["a.png", "b.png"], ["a.png"]]


def test_population_lies_beside_every_precision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []
    monkeypatch.setattr("fewshot.research.evaluation.protocol_results.Population.load", asked.append)
    for name in ("expression.onnx", "expression_fp32.onnx", "expression_fp16.onnx"):
        Context(shared=tmp_path, network=tmp_path / name).population  # noqa: B018
    assert asked == [tmp_path / "expression.json"] * 3


@pytest.mark.parametrize("protocol", sorted(path.stem for path in (CONF / "protocol").glob("*.yaml")))
def test_every_protocol_can_be_made_of_its_configuration(protocol: str) -> None:
    with initialize_config_dir(str(CONF), version_base=None):
        cfg = compose("evaluate", [f"protocol={protocol}"])
    made = instantiate(cfg.protocol, _convert_="all")
    for one in made.values() if isinstance(made, dict) else [made]:
        assert callable(one.run)


def test_estimators_come_alone_or_all_together() -> None:
    with initialize_config_dir(str(CONF), version_base=None):
        every = instantiate(compose("evaluate").estimator, _convert_="all")
        alone = instantiate(compose("evaluate", ["estimator=cl2n"]).estimator, _convert_="all")
    assert {"mean", "cl2n", "hierarchical"} <= set(every) and hasattr(alone, "scores")


def test_pictures_of_one_s_own_are_read_from_where_they_lie(tmp_path: Path) -> None:
    for name, colour in (("asha/happy/1", 10), ("asha/happy/copy", 10), ("bo/confused/1", 200)):
        path = tmp_path / f"faces/{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((8, 8, 3), colour, np.uint8))
    (tmp_path / "faces/bo/confused/broken.jpg").write_bytes(b"no picture")
    context = Context(tmp_path / "nowhere", tmp_path / "net.onnx", own=tmp_path / "faces")
    assert context.root_of("own") == tmp_path / "faces"
    assert [picture.path for picture in context.pictures("own", ())] == ["asha/happy/1.png", "bo/confused/1.png"]
    assert [picture.subject for picture in context.pictures("own")] == ["asha"]
    table = tmp_path / "faces/table.csv"
    table.write_text("path,subject,emotion\nbo/confused/1.png,bo,sad\n")
    listed = Context(tmp_path / "nowhere", tmp_path / "net.onnx", own=table)
    assert [picture.emotion for picture in listed.pictures("own")] == ["sad"] and listed.root_of("own") == table.parent


def test_whose_pictures_is_asked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="own=PATH"):
        Context(tmp_path, tmp_path / "net.onnx").pictures("own")
