"""Training on pictures of one's own: folders and tables, parts by subject, and sentences where something is missing."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'train'")

from fewshot.errors import UsageError  # noqa: E402
from fewshot.research.datasets.fer2013 import FERPLUS_CLASSES  # noqa: E402
from fewshot.research.datasets.parts import divided  # noqa: E402
from fewshot.research.datasets.subjects import Picture  # noqa: E402
from fewshot.research.training import train  # noqa: E402
from fewshot.research.training.drawn_faces_table import drawn_face  # noqa: E402
from fewshot.research.training.folder_data import FolderDataModule  # noqa: E402
from fewshot.research.training.module import LossWeights, ProtoNet  # noqa: E402
from fewshot.research.training.network import ExpressionNetwork  # noqa: E402
from fewshot.research.training.task_sampler import TaskSampler  # noqa: E402

QUIET = ["+trainer.enable_progress_bar=false", "+trainer.enable_model_summary=false"]
SILENT = ["hydra/job_logging=none", "hydra/hydra_logging=none"]
TINY = ["backbone.backbone=test_efficientnet", "+backbone.size=48", "data.workers=0", "trainer.max_epochs=1"]

Main = Callable[..., None]


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Main:
    """``python experiments/train.py`` in this process; errors end it as on the command line."""
    monkeypatch.setenv("PL_GLOBAL_SEED", "0")
    monkeypatch.setenv("PL_SEED_WORKERS", "1")
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> None:
        place = f"hydra.run.dir={(tmp_path / 'run').as_posix()}"
        monkeypatch.setattr(sys, "argv", ["train.py", *TINY, *QUIET, *SILENT, "shared=nowhere", place, *arguments])
        train.main()

    return run


def drawn(folder: Path, *names: str) -> Path:
    """Drawn faces, each with an emotion of the name of its folder, or a neutral face."""
    rng = np.random.default_rng(0)
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        word = path.parent.name if path.parent.name in ("happy", "sad") else "neutral"
        cv2.imwrite(str(path), cv2.resize(drawn_face(word, rng), (96, 96)))
    return folder


def four_people(folder: Path, copies: int = 3) -> Path:
    people, words = ("asha", "bo", "cem", "dana"), ("happy", "sad", "confused")
    return drawn(folder, *(f"{who}/{word}/{n}.png" for who in people for word in words for n in range(copies)))


def test_a_folder_trains_with_its_own_words(main: Main, tmp_path: Path) -> None:
    four_people(tmp_path / "faces")
    main("data=folder", "data.root=faces", "data.faces=whole", "+data.size=48", "callbacks=best", "optimizer=sgd")
    saved = torch.load(tmp_path / "run/last.ckpt", weights_only=True)
    assert saved["state_dict"]["votes.weight"].shape[0] == 3 and saved["classes"] == ["happy", "sad", "confused"]
    assert (tmp_path / "run/best.ckpt").is_file()
    logged = (tmp_path / "run/metrics.csv").read_text()
    assert "val/balanced" in logged and "val/accuracy" in logged and "ferplus" not in logged


def test_class_vectors_are_taken_by_name(tmp_path: Path) -> None:
    def model(*classes: str) -> ProtoNet:
        network = ExpressionNetwork("test_efficientnet", 8, 8, size=48)
        return ProtoNet(network, LossWeights(), **({"classes": classes} if classes else {}))

    first, second = model(), model("sad", "confused", "happy")
    fresh = second.votes.weight.detach().clone()
    torch.save({"state_dict": first.state_dict()}, tmp_path / "first.ckpt")
    train.begin_with(second, str(tmp_path / "first.ckpt"))
    happy, sad = (FERPLUS_CLASSES.index(word) for word in ("happy", "sad"))
    expected = torch.stack([first.votes.weight[sad], fresh[1], first.votes.weight[happy]])
    assert torch.equal(second.votes.weight, expected)


def test_the_smoke_run_needs_no_data(main: Main, tmp_path: Path) -> None:
    main("experiment=smoke", "data.limit=64", "logger=csv", "callbacks=none", "+data.size=48")
    assert (tmp_path / "run/last.ckpt").is_file() and not list((tmp_path / "run").glob("events*"))


def test_episodes_are_batches(main: Main, tmp_path: Path) -> None:
    four_people(tmp_path / "faces")
    task = ["task=episodes", "data.task.shots=1", "data.task.queries=2", "data.task.tasks=3", "loss=episodic"]
    main("data=folder", "data.root=faces", "data.faces=whole", "+data.size=48", "logger=csv", *task)
    lines = (tmp_path / "run/metrics.csv").read_text().splitlines()
    assert any("2" in line.split(",") for line in lines[1:])  # three steps: 0, 1, 2


def test_subjects_are_in_one_part_only(tmp_path: Path) -> None:
    pictures = [Picture("own", f"{who}/{n}", f"s{who}", word) for who in range(20) for n, word in enumerate("abc")]
    parts = divided(pictures, seed=3)
    of = {part: {p.subject for p in parts if p.part == part} for part in ("train", "val", "test")}
    assert [len(of[part]) for part in ("train", "val", "test")] == [14, 3, 3]
    assert not of["train"] & of["val"] and not of["train"] & of["test"] and not of["val"] & of["test"]
    assert divided(pictures, seed=3) == parts != divided(pictures, seed=4)
    assert [p.path for p in parts] == [p.path for p in pictures]
    # The order in which a disk lists its folders changes nothing.
    assert {(p.path, p.part) for p in divided(pictures[::-1], seed=3)} == {(p.path, p.part) for p in parts}


def test_parts_that_are_given_stay(tmp_path: Path) -> None:
    given = [Picture("own", f"{n}", "", "ab"[n % 2], part="test" if n < 4 else "train") for n in range(24)]
    parts = divided(given)
    assert {p.path for p in parts if p.part == "test"} == {str(n) for n in range(4)}
    val = [p for p in parts if p.part == "val"]
    assert len(val) == 4 and {p.emotion for p in val} == {"a", "b"}
    complete = [*given, Picture("own", "x", "", "a", part="val")]
    assert divided(complete) == complete


@pytest.mark.parametrize("form", ["folder", "csv"])
@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["asha/happy/1.png"], "1 picture, and training"),
        (["asha/happy/1.png", "asha/sad/2.png", "asha/sad/3.png"], r"one subject \(asha\).*data.by_subject=false"),
        ([f"{who}/happy/{n}.png" for who in "abcd" for n in range(3)], r"Two emotions .* found 1.*happy \(6\)"),
        ([], "No known form of data|lists no picture"),
    ],
)
def test_too_little_is_a_sentence(
    main: Main, tmp_path: Path, capfd: pytest.CaptureFixture[str], names: list[str], words: str, form: str
) -> None:
    (tmp_path / "faces").mkdir()
    drawn(tmp_path / "faces", *names)
    root = "faces"
    if form == "csv":
        rows = [f"faces/{name},{name.split('/')[1]},{name.split('/')[0]}" for name in names]
        (tmp_path / "mine.csv").write_text("\n".join(["path,emotion,subject", *rows]) + "\n")
        root = "mine.csv"
    with pytest.raises(SystemExit) as end:
        main(f"data={form}", f"data.root={root}", "data.faces=whole")
    told = capfd.readouterr().err
    assert end.value.code == 2 and "Traceback" not in told
    assert re.search(words, told)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["data=folder"], "data.root=FOLDER"),
        (["data=folder", "data.root=none"], "No folder none"),
        (["data=folder", "data.root=faces", "data.blendshapes=true"], "FER2013 only"),
        (["data=folder", "data.root=faces", "data.faces=half"], "data.faces=half"),
        (["data=folder", "data.root=faces", "data.faces=whole", "backbone.backbone=vit_tiny_patch16_224"], "vit_tiny"),
        (["data=folder", "data.root=faces", "data.faces=whole", "backbone.backbone=resnet81"], "no model 'resnet81'"),
        (["data=folder", "data.root=faces", "data.faces=whole", "logger=wandb"], "pip install wandb"),
        (["data=folder", "data.root=faces", "data.faces=whole", "logger=mlflow"], "pip install mlflow"),
        (["data=folder", "data.root=faces", "data.faces=whole", "logger=[csv,mlflow]"], "logger=csv"),
        (["data=folder", "data.root=faces", "data.faces=whole", "start=gone.ckpt"], "no checkpoint gone.ckpt"),
        (["experiment=smoke", "data.limit=16", "callbacks=best", "callbacks.best.monitor=val/luck"], "val/luck"),
        (["experiment=smoke", "data.limit=16", "task=episodes", "data.task.shots=90"], "data.task.shots"),
        (["experiment=smoke", "data.blendshapes=true"], "Drawn faces have no blendshapes"),
        (["data.prepared=none"], "No fer2013_prepared.npz"),
    ],
)
def test_what_cannot_be_is_a_sentence(
    main: Main,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    words: str,
) -> None:
    for package in ("wandb", "mlflow", "mlflow.tracking"):
        monkeypatch.setitem(sys.modules, package, None)
    four_people(tmp_path / "faces", copies=1)
    with pytest.raises(SystemExit) as end:
        main(*arguments)
    told = capfd.readouterr().err
    assert end.value.code == 2 and words in told and "Traceback" not in told


def test_pictures_without_a_face_are_left_out(tmp_path: Path) -> None:
    four_people(tmp_path / "faces", copies=1)
    for number, path in enumerate(sorted((tmp_path / "faces").rglob("*.png"))):
        cv2.imwrite(str(path), np.full((200, 200), number, np.uint8))
    data = FolderDataModule(str(tmp_path / "faces"), None, prepared=str(tmp_path), detector="cascade")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"data\.faces=whole"):
        data.setup("fit")


def test_a_bad_name_and_a_lost_file_cost_only_themselves(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    four_people(tmp_path / "faces", copies=1)
    drawn(tmp_path / "faces", "-eve/happy/1.png")
    (tmp_path / "faces/bo/sad/broken.png").write_bytes(b"not a picture")
    data = FolderDataModule(str(tmp_path / "faces"), None, prepared=str(tmp_path), faces="whole")  # type: ignore[arg-type]
    data.setup("fit")
    assert list(data.classes) == ["happy", "sad", "confused"]
    assert len(data.tables["train"]) + len(data.tables["public"]) >= 8
    assert "'-eve'" in caplog.text and "broken.png" in caplog.text
    (tmp_path / "mine.csv").write_text(
        "path,emotion\n" + "".join(f"faces/{who}/{word}/0.png,{word}\n" for who in ("asha", "bo", "cem", "dana")
                                   for word in ("happy", "sad")) + "faces/gone.png,sad\n"
    )  # fmt: skip
    data = FolderDataModule(str(tmp_path / "mine.csv"), None, prepared=str(tmp_path), faces="whole")  # type: ignore[arg-type]
    data.setup("fit")
    assert "gone.png" in caplog.text and "without regard to subjects" in caplog.text


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "mixer_b16_224", "no_such_model"])
def test_backbones_that_lack_maps_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match=rf"{name}.*example one of"):
        ExpressionNetwork(name)


def test_a_stride_that_a_backbone_lacks_is_named() -> None:
    with pytest.raises(UsageError, match=r"no map at stride 7 \(its strides: .*8"):
        ExpressionNetwork("test_efficientnet", size=48, identity_stride=7)
    with pytest.raises(UsageError, match=r"model.frozen_blocks=0"):
        ExpressionNetwork("resnet10t", size=48).front(2)


def test_tasks_of_any_labels() -> None:
    labels = [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, -1, 7]
    sampler = TaskSampler(labels, ways=2, shots=1, queries=2, tasks=20, seed=1)
    batches = list(sampler)
    assert len(batches) == len(sampler) == 20 and batches == list(sampler)
    for batch in batches:
        found = [labels[row] for row in batch]
        assert found[:3] == [found[0]] * 3 and found[3:] == [found[3]] * 3 and found[0] != found[3]
        assert len(set(batch)) == 6 and not {-1, 7} & set(found)
    sampler.set_epoch(1)
    assert list(sampler) != batches
    assert sampler.is_support.tolist() == [True, False, False] * 2
    for wrong in ({"ways": 4}, {"ways": 1}, {"shots": 0}, {"ways": 0}, {"shots": 3}):
        with pytest.raises(UsageError):
            TaskSampler(labels, **{"ways": 2, "shots": 1, "queries": 2, **wrong})
