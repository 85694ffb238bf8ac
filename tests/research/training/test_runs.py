"""Runs of experiments/train.py: what they are composed of, that they can be repeated, resumed, swept and shared out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'train'")

import hydra  # noqa: E402
from made_up_fer2013 import write_blendshapes, write_fer2013, write_prepared  # noqa: E402
from omegaconf import DictConfig, OmegaConf  # noqa: E402

from fewshot.errors import UsageError  # noqa: E402
from fewshot.research.training import train  # noqa: E402
from fewshot.research.training.augment import Augmentation  # noqa: E402
from fewshot.research.training.datamodule import FerDataModule  # noqa: E402
from fewshot.research.training.epochs import EpochSeed, ShuffledFaces, shared_out  # noqa: E402
from fewshot.research.training.export import from_checkpoint  # noqa: E402
from fewshot.research.training.losses import standardised_error  # noqa: E402
from fewshot.research.training.module import LossWeights, ProtoNet  # noqa: E402
from fewshot.research.training.network import ExpressionNetwork  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
CONF = ROOT / "conf"
TRAINERS = {"cpu": {"accelerator": "cpu"}, "gpu": {"precision": "bf16-mixed"}, "ddp": {"devices": 2}}


def names(group: str) -> list[str]:
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


def composed(*overrides: str) -> DictConfig:
    with hydra.initialize_config_dir(str(CONF), version_base=None):
        return hydra.compose("train", overrides=[*overrides, "trainer.default_root_dir=."])


@pytest.mark.parametrize("experiment", names("experiment"))
def test_every_experiment_composes_for_every_trainer(experiment: str) -> None:
    assert names("trainer") == sorted(TRAINERS)
    for trainer, expected in TRAINERS.items():
        cfg = composed(f"experiment={experiment}", f"trainer={trainer}")
        assert expected.items() <= dict(cfg.trainer).items()
        assert ("strategy" in cfg.trainer) == (trainer == "ddp")
        assert set(cfg.model.losses) == {"_target_", *(field.name for field in fields(LossWeights))}
        weights = hydra.utils.instantiate(cfg.model.losses)
        assert isinstance(weights, LossWeights)
        # What a loss learns from must be read too.
        assert bool(weights.shapes) == cfg.data.blendshapes and bool(weights.seen) == cfg.data.seen


def test_losses_and_augmentations_are_groups() -> None:
    assert isinstance(hydra.utils.instantiate(composed("augmentation=none").data.augmentation), Augmentation)
    assert composed("augmentation=gentle", "data.augmentation.light=0").data.augmentation.rotation == 6.0
    for name in names("augmentation"):
        assert set(composed(f"augmentation={name}").data.augmentation) == set(composed().data.augmentation)
    for name in names("loss"):
        assert set(composed(f"loss={name}").model.losses) == set(composed().model.losses)
    # An experiment's own choice gives way to what is asked for, and what it says besides holds.
    losses = composed("experiment=mobilenetv2", "loss=episodic", "model.losses.labels=0.25").model.losses
    assert (losses.votes, losses.labels, losses.episodic, losses.identity) == (0.0, 0.25, 1.0, 0.0)


@pytest.mark.parametrize("name", names("logger"))
def test_a_logger_writes_only_into_the_folder_of_its_run(name: str) -> None:
    (settings,) = OmegaConf.load(CONF / "logger" / f"{name}.yaml").values()
    told = OmegaConf.to_container(settings, resolve=False)
    assert isinstance(told, dict)
    places = [told[key] for key in ("save_dir", "tracking_uri", "artifact_location") if key in told]
    assert places and all("${hydra:runtime.output_dir}" in place for place in places)
    assert name != "mlflow" or len(places) == 2  # without the second, MLflow makes mlruns where one stands


def test_the_shipped_checkpoint_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``experiment=own`` names it relative to the checkout."""
    monkeypatch.chdir(tmp_path)
    start = composed("experiment=own").start
    assert Path(str(train.existing(start, "start"))).is_file()
    assert train.existing(None, "start") is None
    with pytest.raises(UsageError, match="There is no checkpoint gone"):
        train.existing("gone.ckpt", "start")


class NineFaces:
    epoch = 0

    def __len__(self) -> int:
        return 9


def test_processes_share_the_faces_of_an_epoch() -> None:
    faces = NineFaces()
    both: list[Any] = [SimpleNamespace(world_size=2, global_rank=rank) for rank in (0, 1)]
    first, second = (list(shared_out(faces, trainer) or ()) for trainer in both)
    assert sorted(first + second) == list(range(9))
    assert shared_out(faces, None) is None
    parts = [ShuffledFaces(faces, trainer, seed=3, epoch=1) for trainer in both]
    assert faces.epoch == 1
    # Training repeats one, so that every process makes as many steps.
    assert sorted(set(parts[0]) | set(parts[1])) == list(range(9)) and len(parts[0]) == len(parts[1]) == 5
    alone = ShuffledFaces(faces, None, seed=3, epoch=1)
    order = list(alone)
    assert sorted(order) == list(range(9)) and order == list(ShuffledFaces(faces, None, seed=3, epoch=1))
    assert order != list(ShuffledFaces(faces, None, seed=4, epoch=1))
    alone.set_epoch(2)
    assert faces.epoch == 2 and list(alone) != order


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Arguments of a run of seconds: two epochs of a tiny network on made-up faces."""
    base = tmp_path_factory.mktemp("data")
    write_fer2013(base / "fer2013")
    write_prepared(base)
    write_blendshapes(base)
    paths = [f"data.root={base.as_posix()}/fer2013", f"data.prepared={base.as_posix()}", f"shared={base.as_posix()}"]
    network = ["backbone.backbone=test_efficientnet", "+backbone.size=48", "+data.size=48", "data.resolutions=[32,48]"]
    quiet = ["+trainer.enable_progress_bar=false", "+trainer.enable_model_summary=false"]
    return [*paths, *network, *quiet, "data.batch_size=64", "data.full_size_epochs=1", "trainer.max_epochs=2"]


Main = Callable[..., None]


@pytest.fixture
def main(toy: list[str], monkeypatch: pytest.MonkeyPatch) -> Main:
    """``python experiments/train.py`` with the arguments of ``toy`` and more, in this process."""
    monkeypatch.setenv("PL_GLOBAL_SEED", "0")
    monkeypatch.setenv("PL_SEED_WORKERS", "1")
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    silent = ["hydra/job_logging=none", "hydra/hydra_logging=none"]

    def run(*arguments: str, sweep: bool = False) -> None:
        options = ["-m"] if sweep else []
        monkeypatch.setattr(sys, "argv", ["train.py", *options, *toy, *silent, *arguments])
        train.main()

    return run


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """The averaged weights and those that the next step would have gone on from."""
    checkpoint = torch.load(folder / "last.ckpt", weights_only=True)
    return checkpoint["state_dict"] | {f"own {name}": one for name, one in checkpoint["current_model_state"].items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_resumed_run_ends_as_one_that_was_never_stopped(
    main: Main, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    def go(name: str, *arguments: str) -> dict[str, torch.Tensor]:
        main(f"data.workers={workers}", f"hydra.run.dir={(tmp_path / name).as_posix()}", *arguments)
        return weights(tmp_path / name)

    whole = go("whole")
    with monkeypatch.context() as patch:
        stop = lambda self, trainer, module: setattr(trainer, "should_stop", True)  # noqa: E731
        patch.setattr(EpochSeed, "on_train_epoch_end", stop)
        assert not same(whole, go("stopped"))
    assert same(whole, go("resumed", f"resume={(tmp_path / 'stopped/last.ckpt').as_posix()}"))
    # Whoever exports it opens it as plain values: nothing in it may need more.
    network, learned = from_checkpoint(tmp_path / "whole/last.ckpt")
    assert all(torch.equal(value, whole[f"network.{name}"]) for name, value in network.state_dict().items())
    assert learned
    # The logs that a run must leave.
    assert (tmp_path / "whole/metrics.csv").is_file() and list((tmp_path / "whole").glob("events.out.tfevents*"))


def test_a_sweep_runs_every_value_and_a_seed_decides_everything(main: Main, tmp_path: Path) -> None:
    main("data.workers=0", "seed=5,6", f"hydra.sweep.dir={(tmp_path / 'sweep').as_posix()}", sweep=True)
    # However many workers make the crops.
    main("data.workers=1", "seed=5", f"hydra.run.dir={(tmp_path / 'alone').as_posix()}")
    five, six, alone = (weights(tmp_path / name) for name in ("sweep/0", "sweep/1", "alone"))
    assert same(five, alone) and not same(five, six)


def test_a_sweep_of_several_processes_is_refused(main: Main, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="one process"):
        main("trainer=ddp", "seed=5,6", f"hydra.sweep.dir={tmp_path.as_posix()}", sweep=True)


def test_two_processes_measure_what_one_does(toy: list[str], tmp_path: Path) -> None:
    """Fifteen faces to validate on, so one process has eight and the other seven."""
    arguments = ["trainer=ddp", "trainer.accelerator=cpu", "trainer.max_epochs=1", "data.workers=0", "loss=votes"]
    # No identity: layers without gradients, which are waited for in the second step.
    arguments += [
        "data.batch_size=32",
        "model.losses.identity=0",
        "model.losses.shapes=1",
        "data.blendshapes=true",
        "data.resolutions=null",
    ]
    command = [sys.executable, "experiments/train.py", *toy, *arguments, f"hydra.run.dir={tmp_path.as_posix()}"]
    # A session of its own: when the first process is stopped, the second would wait for it for ever.
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    ) as run:
        try:
            _, told = run.communicate(timeout=900)
        except BaseException:
            os.killpg(run.pid, signal.SIGKILL)
            raise
    assert run.returncode == 0, told.decode()
    measured: dict[str, float] = {}
    header, *lines = (tmp_path / "metrics.csv").read_text().splitlines()
    for line in lines:
        pairs = zip(header.split(","), line.split(","), strict=True)
        measured |= {name: float(value) for name, value in pairs if value}
    cfg = composed(*toy, "data.blendshapes=true")
    data: FerDataModule = hydra.utils.instantiate(cfg.data)
    data.setup("fit")
    module = ProtoNet(ExpressionNetwork("test_efficientnet", size=48), LossWeights(shapes=1.0))
    module.load_state_dict(torch.load(tmp_path / "last.ckpt", weights_only=True)["state_dict"])
    (batch,) = data.val_dataloader()
    with torch.inference_mode():
        features, _ = module.eval().network.features(batch["grey"].float())
        told = standardised_error(module.shapes(features), batch["shapes"], batch["has_shapes"])
        right = module.labels(module.network.project(features)).argmax(1) == batch["label"]
    assert measured["val/shapes"] == pytest.approx(float(told), rel=1e-4)
    assert measured["val/fer2013"] == pytest.approx(float(right.float().mean()))
    # Half as many steps as alone: 229 faces in batches of 32.
    assert measured["step"] == 229 // 64 - 1
    assert np.isfinite([*measured.values()]).all()
