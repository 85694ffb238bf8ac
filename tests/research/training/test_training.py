"""Data, augmentation and one real epoch on a made-up FER2013."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra 'train'")

import pytorch_lightning as lightning
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from made_up_fer2013 import write_answers, write_blendshapes, write_fer2013, write_prepared

from fewshot.errors import UsageError
from fewshot.research.datasets.fer2013 import correlates_with, load_fer2013
from fewshot.research.training.augment import Augmentation
from fewshot.research.training.datamodule import (
    FaceCrops,
    add_answers,
    add_blendshapes,
    add_seen,
    principal_axes,
    training_tables,
)
from fewshot.research.training.losses import CosinePrototypes
from fewshot.research.training.network import ExpressionNetwork
from fewshot.research.training.teachers import answers, common_axes

CONF = Path(__file__).resolve().parents[3] / "conf"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    base = tmp_path_factory.mktemp("data")
    write_fer2013(base / "fer2013")
    write_prepared(base)
    return base / "fer2013", base


def test_loader_reads_faces_votes_and_splits(folders: tuple[Path, Path]) -> None:
    fer = load_fer2013(folders[0])
    assert fer.faces.shape == (60, 48, 48)
    assert np.bincount(fer.usage).tolist() == [30, 15, 15]
    # Row 1 of the file has 8 votes for happiness and 2 for neutral: class 3 and class 6 of ours.
    distribution, usable = fer.vote_distribution()
    assert usable.all()
    assert distribution[1].tolist() == pytest.approx([0, 0, 0, 0.8, 0, 0, 0.2, 0])
    assert fer.ferplus_published(7)[1] == 3
    # Row 7 is contempt: no label among seven, the last among eight.
    assert fer.ferplus_published(7)[7] == -1 and fer.ferplus_published(8)[7] == 7


def test_loader_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"labels\.npz"):
        load_fer2013(tmp_path)


def test_near_copies_are_found_also_when_relit() -> None:
    rng = np.random.default_rng(0)
    faces = rng.integers(40, 200, (4, 48, 48), dtype=np.uint8)
    darker = (faces[2] * 0.7 + 10).astype(np.uint8)[None]
    assert correlates_with(faces, darker).tolist() == [False, False, True, False]


def test_tables_leave_out_what_leaks_and_teach_identity_alone_with_lfw(folders: tuple[Path, Path]) -> None:
    tables = training_tables(*folders)
    assert len(tables["train"]) == 29 + 200 and len(tables["public"]) == 15
    assert tables["train"].targets["has_votes"][-200:].sum() == 0
    assert (tables["train"].targets["label"][-200:] == -1).all()
    # Where the landmarks are a guess (row 5, which is row 4 once row 3 is left out) the picture keeps its framing.
    first, aligned = tables["train"].to_crop[4]
    np.testing.assert_array_equal(first, aligned)


def test_an_aligned_face_is_the_whole_picture_when_its_landmarks_lie_on_the_template(
    folders: tuple[Path, Path],
) -> None:
    whole, aligned = training_tables(*folders)["train"].to_crop[0]
    np.testing.assert_allclose(aligned[:, :2], whole[:, :2], atol=1e-3)


def test_crops_for_evaluation_do_not_change(folders: tuple[Path, Path]) -> None:
    crops = FaceCrops(training_tables(*folders)["public"])
    assert (crops[0]["grey"] == crops[0]["grey"]).all() and crops[0]["grey"].shape == (1, 112, 112)


def test_augmentation_is_drawn_anew_in_every_epoch_and_follows_its_seed(folders: tuple[Path, Path]) -> None:
    table = training_tables(*folders)["train"]
    one, two = FaceCrops(table, Augmentation(), seed=3), FaceCrops(table, Augmentation(), seed=3)
    first, again = one[0]["grey"], two[0]["grey"]
    # Whatever was asked in between, and in whichever process.
    two[7]
    assert (first == again).all() and (two[0]["grey"] == first).all()
    one.epoch = 1
    assert (one[0]["grey"] != first).any()


def test_mirroring_keeps_the_face_in_place() -> None:
    change = Augmentation(rotation=0, scale=0, shift=0)
    matrix = np.array([[1, 0, 0], [0, 1, 0]], np.float32)
    seen = {tuple(change.framing(matrix, np.random.default_rng(seed))[0].round(3)) for seed in range(8)}
    assert seen == {(1.0, 0.0, 0.0), (-1.0, 0.0, 112.0)}


def test_principal_axes_keep_cosines_of_vectors_in_their_span() -> None:
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.standard_normal((16, 3)))[0]
    vectors = (rng.standard_normal((50, 3)) @ basis.T).astype(np.float32)
    axes = principal_axes(vectors, 3)
    np.testing.assert_allclose((vectors @ axes) @ (vectors @ axes).T, vectors @ vectors.T, atol=1e-4)


def test_blendshapes_go_to_their_faces_and_to_no_other(folders: tuple[Path, Path], tmp_path: Path) -> None:
    tables = training_tables(*folders)
    with pytest.raises(UsageError, match="--only blendshapes"):
        add_blendshapes(tables, folders[0], tmp_path)
    write_blendshapes(tmp_path)
    add_blendshapes(tables, folders[0], tmp_path)
    train, public = (tables[name].targets for name in ("train", "public"))
    known = train["has_shapes"] > 0
    # Two were not seen well, one is excluded, and LFW's 200 have none.
    assert known.sum() == 30 - 2 - 1 and not known[-200:].any()
    np.testing.assert_allclose(train["shapes"][known].mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(train["shapes"][known].std(axis=0), 1, atol=1e-4)
    assert public["shapes"].shape == (15, train["shapes"].shape[1]) and public["has_shapes"].all()


def test_earlier_networks_answer_for_a_share_of_every_target(folders: tuple[Path, Path], tmp_path: Path) -> None:
    table = training_tables(*folders)["train"]
    before = table.targets["votes"].copy()
    with pytest.raises(UsageError, match=r"teach\.py"):
        add_answers(table, folders[0], tmp_path, 0.25)
    write_answers(tmp_path)
    add_answers(table, folders[0], tmp_path, 0.25)
    with np.load(tmp_path / "fer2013_answers.npz") as stored:
        votes, labels = stored["votes"], stored["labels"]
    row, label = table.targets["row"], table.targets["label"]
    mixed = table.targets["label_answers"]
    # The eleventh training face is row 11 of the file, for row 3 is left out.
    assert row[10] == 11
    np.testing.assert_allclose(table.targets["votes"][10], 0.75 * before[10] + 0.25 * votes[11], atol=1e-3)
    np.testing.assert_allclose(mixed[10], 0.75 * np.eye(7)[label[10]] + 0.25 * labels[11], atol=1e-3)
    # Faces that teach identity alone keep what they had.
    np.testing.assert_array_equal(table.targets["votes"][-200:], before[-200:])
    np.testing.assert_allclose(mixed.sum(axis=1), 1, atol=2e-3)


def test_what_other_networks_see_goes_to_its_faces(folders: tuple[Path, Path], tmp_path: Path) -> None:
    tables = training_tables(*folders)
    write_answers(tmp_path)
    with np.load(tmp_path / "fer2013_answers.npz") as stored:
        answered = dict(stored)
    add_seen(tables, folders[0], tmp_path)
    train = tables["train"].targets
    np.testing.assert_array_equal(train["seen"][10], answered["seen"][11])
    assert train["has_seen"][:-200].all() and not train["has_seen"][-200:].any()
    np.savez(tmp_path / "fer2013_answers.npz", votes=answered["votes"], labels=answered["labels"])
    with pytest.raises(UsageError, match="an older one"):
        add_seen(tables, folders[0], tmp_path)


def test_common_axes_weigh_every_network_alike() -> None:
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((500, 1))
    loud, quiet = 1000 * np.hstack([shared, rng.standard_normal((500, 1))]), np.hstack([shared, shared * 2])
    axes = common_axes([loud, quiet], 2)
    assert axes.shape == (500, 2)
    np.testing.assert_allclose(axes.std(axis=0), 1, atol=1e-5)
    assert abs(np.corrcoef(axes[:, 0], shared[:, 0])[0, 1]) > 0.98


def test_a_teacher_answers_alike_for_a_face_and_its_mirror_image(folders: tuple[Path, Path], tmp_path: Path) -> None:
    network = ExpressionNetwork("test_efficientnet", size=64).eval()
    heads = {name: CosinePrototypes(k, 128) for name, k in (("votes", 8), ("labels", 7))}
    state = {f"network.{name}": value for name, value in network.state_dict().items()}
    state |= {f"{loss}.{name}": value for loss, head in heads.items() for name, value in head.state_dict().items()}
    torch.save({"state_dict": state, "network": network.config}, tmp_path / "last.ckpt")
    table = training_tables(*folders)["public"]
    one = answers(tmp_path / "last.ckpt", table)
    table.faces = [np.ascontiguousarray(face[:, ::-1]) for face in table.faces]
    other = answers(tmp_path / "last.ckpt", table)
    assert one["votes"].shape == (15, 8) and one["labels"].shape == (15, 7)
    features = one.pop("features"), other.pop("features")
    assert features[0].shape == (15, network.project_expression.in_features)
    assert np.abs(features[0] - features[1]).mean() < 0.5 * np.abs(features[0]).mean()
    for name, values in one.items():
        np.testing.assert_allclose(values.sum(axis=1), 1, atol=1e-5)
        assert values.std(axis=0).max() > 0
        # A mirrored picture is cut a pixel beside.
        np.testing.assert_allclose(other[name], values, atol=0.05)


TEACHERS = {
    "classes alone": [],
    "with blendshapes": ["data.blendshapes=true", "model.losses.shapes=1"],
    "with earlier networks": ["data.answers=0.5"],
    "with what they see": ["data.answers=0.5", "data.seen=true", "model.losses.seen=1"],
}


@pytest.mark.parametrize("teacher", TEACHERS)
def test_the_real_configuration_trains_an_epoch(folders: tuple[Path, Path], tmp_path: Path, teacher: str) -> None:
    write_blendshapes(folders[1])
    write_answers(folders[1])
    with initialize_config_dir(str(CONF), version_base=None):
        cfg = compose(
            "train",
            overrides=[
                "experiment=smoke",
                "backbone.backbone=test_efficientnet",
                f"data.root={folders[0].as_posix()}",
                f"data.prepared={folders[1].as_posix()}",
                f"trainer.default_root_dir={tmp_path.as_posix()}",
                *TEACHERS[teacher],
            ],
        )
    model = instantiate(cfg.model, network=instantiate(cfg.backbone))
    before = model.votes.weight.detach().clone()
    trainer: lightning.Trainer = instantiate(
        cfg.trainer, logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False
    )
    trainer.fit(model, datamodule=instantiate(cfg.data))
    assert np.isfinite(float(trainer.callback_metrics["train/loss"]))
    assert 0.0 <= float(trainer.callback_metrics["val/ferplus"]) <= 1.0
    assert (model.votes.weight != before).any()
    assert ("val/shapes" in trainer.callback_metrics) == (teacher == "with blendshapes")
    assert ("val/seen" in trainer.callback_metrics) == (teacher == "with what they see")
