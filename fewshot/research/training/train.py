"""Train the prototypical network: a hydra program, which the wheel holds with its configuration.

    python -m fewshot.research.training.train experiment=mobilenetv2
    python -m fewshot.research.training.train experiment=own data.root=FOLDER
    python -m fewshot.research.training.train backbone=resnet18 loss=episodic augmentation=gentle trainer=gpu
    python -m fewshot.research.training.train -m experiment=ablation seed=0,1,2
    python -m fewshot.research.training.train experiment=mobilenetv2 resume=outputs/train/mobilenetv2/last.ckpt

In a checkout ``experiments/train.py`` is the same. Checkpoints (every epoch, with the averaged weights in
``state_dict``) and logs go to outputs/train/.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import hydra
import pytorch_lightning as lightning
from hydra.errors import InstantiationException
from hydra.types import RunMode
from lightning_fabric.utilities.exceptions import MisconfigurationException
from omegaconf import DictConfig
from pytorch_lightning.callbacks import EMAWeightAveraging, LearningRateMonitor, ModelCheckpoint
from pytorch_lightning.loggers import Logger
from torch import Tensor

from fewshot.errors import UsageError
from fewshot.research.datasets.fer2013 import FERPLUS_CLASSES
from fewshot.research.training.epochs import EpochSeed
from fewshot.research.training.export import read_checkpoint
from fewshot.research.training.face_data import FaceDataModule
from fewshot.research.training.front import Front
from fewshot.research.training.module import ProtoNet
from fewshot.research.training.network import ExpressionNetwork
from fewshot.research.training.sentences import in_sentences

_WANDB_FOLDERS = ("WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR")
"""Where Weights & Biases keeps what would otherwise lie in the home folder; a place set from outside stays."""


def conf_folder() -> Path:
    """The configuration: ``fewshot/conf`` of an installed package, ``conf`` of a checkout."""
    package = Path(__file__).resolve().parents[2]
    installed = package / "conf"
    return installed if installed.is_dir() else package.parent / "conf"


@hydra.main(version_base=None, config_path=str(conf_folder()), config_name="train")
def _main(cfg: DictConfig) -> float | None:
    with in_sentences():
        return run(cfg)


def main() -> None:
    """Train as the configuration says; see the module."""
    _main()


def run(cfg: DictConfig) -> float | None:
    """Train once.

    Returns:
        ``cfg.objective`` at the end, for a search of settings; None if it was not measured.

    Raises:
        UsageError: the configuration asks for what is not there or cannot be.
    """
    job = hydra.core.hydra_config.HydraConfig.get()
    if job.mode == RunMode.MULTIRUN and "ddp" in cfg.trainer.get("strategy", ""):
        # Every process would start the whole sweep.
        raise UsageError("-m goes with one process: run the values one after the other, or take trainer=cpu or gpu.")
    # Advertisements, and which processors there are not.
    logging.getLogger("pytorch_lightning.utilities.rank_zero").setLevel(logging.WARNING)
    lightning.seed_everything(cfg.seed, workers=True)
    folder = job.runtime.output_dir
    loggers = made_loggers(cfg.logger)
    data: FaceDataModule = hydra.utils.instantiate(cfg.data)
    # Before the network is built: wrong data is the most frequent fault.
    data.setup("fit")
    network: ExpressionNetwork = hydra.utils.instantiate(cfg.backbone)
    if cfg.pretrained:
        if cfg.pretrained.path:
            network.start_from(cfg.pretrained.path, cfg.pretrained.scale)
        if cfg.pretrained.folded:
            network.unfold_batch_norm(next(iter(data.train_dataloader()))["grey"].float())
    model: ProtoNet = hydra.utils.instantiate(cfg.model, network=network, classes=list(data.classes))
    start = existing(cfg.start, "start")
    if start:
        begin_with(model, start)
    front = None
    if cfg.front.blocks:
        front = Front(network, cfg.front.blocks)
        data.mapped = lambda crops: front.views_of(crops, cfg.front.views if crops.augmentation else 1)
    trainer: lightning.Trainer = hydra.utils.instantiate(
        cfg.trainer,
        callbacks=[
            EMAWeightAveraging(decay=cfg.ema),
            EpochSeed(cfg.seed),
            LearningRateMonitor("epoch"),
            ModelCheckpoint(folder, filename="epoch{epoch:02d}", auto_insert_metric_name=False, save_last=True),
            *(hydra.utils.instantiate(callback) for callback in (cfg.callbacks or {}).values()),
        ],
        logger=loggers,
    )
    try:
        trainer.fit(model, datamodule=data, ckpt_path=existing(cfg.resume, "resume"))
    except MisconfigurationException as error:
        # Such as a metric that does not exist; it says what there is.
        raise UsageError(f"The training cannot run like this: {' '.join(str(error).split())}") from error
    if front is not None:
        for kept in (path for path in Path(folder).glob("*.ckpt") if path.stem in ("last", "best")):
            front.complete(kept, Path(start or ""))
    found = trainer.callback_metrics.get(cfg.objective)
    return None if found is None else float(found)


def existing(path: str | None, key: str) -> str | None:
    """The path of a checkpoint, if one is named: in the current folder, or in the checkout of the project.

    Raises:
        UsageError: there is no such file.
    """
    if path and not Path(path).is_file():
        if (kept := Path(__file__).resolve().parents[3] / path).is_file():
            return str(kept)
        raise UsageError(f"There is no checkpoint {path}. Give another one, or start without it: {key}=null.")
    return path


def begin_with(model: ProtoNet, path: str) -> None:
    """Weights of an earlier run, which may have had fewer losses; the schedule and the averages begin anew.

    Class vectors are taken by the names of the classes; those of new words are learned from the start.

    Raises:
        UsageError: the checkpoint is of another network.
    """
    checkpoint = read_checkpoint(Path(path))
    # The identity head is trained alone, afterwards, and may have been built otherwise.
    state = {name: value for name, value in checkpoint["state_dict"].items() if "identity_head" not in name}
    own, names = model.state_dict(), list(checkpoint.get("classes", FERPLUS_CLASSES))
    if tuple(names) != model.classes and "votes.weight" in state:
        state |= votes_of_known_classes(own, state, model.classes, names)
    strange = sorted(name for name, value in state.items() if name not in own or own[name].shape != value.shape)
    missing = [name for name in own if name.startswith("network.backbone.") and name not in state]
    if strange or missing:
        raise UsageError(f"{path} is of another network: {', '.join([*strange, *missing][:5])}")
    model.load_state_dict(state, strict=False)


def votes_of_known_classes(
    own: Mapping[str, Tensor], state: Mapping[str, Tensor], classes: Sequence[str], names: Sequence[str]
) -> dict[str, Tensor]:
    """Class vectors and frequencies for ``classes``: those of an earlier run where it had them, else the new ones.

    Args:
        own: state of the new model.
        state: state of the earlier run, whose classes are ``names``.
        classes, names: words, in the order of the rows.
    """
    weight, prior = own["votes.weight"].clone(), own["votes_prior"].clone()
    for row, word in enumerate(classes):
        if word in names and weight.shape[1:] == state["votes.weight"].shape[1:]:
            weight[row] = state["votes.weight"][names.index(word)]
    return {"votes.weight": weight, "votes_prior": prior}


def made_loggers(chosen: Mapping[str, Any] | None) -> list[Logger]:
    """The loggers of the group ``logger``, by name.

    Raises:
        UsageError: the library of one of them is not installed.
    """
    return [_made(name, settings) for name, settings in (chosen or {}).items()]


def _made(name: str, settings: Mapping[str, Any]) -> Logger:
    if name == "wandb" and settings.get("save_dir"):
        for variable in _WANDB_FOLDERS:
            os.environ.setdefault(variable, str(Path(settings["save_dir"]) / "wandb"))
    try:
        logger: Any = hydra.utils.instantiate(settings)
        # Weights & Biases and MLflow begin with the first number otherwise, minutes later.
        logger.experiment  # noqa: B018
    except (InstantiationException, ImportError) as error:
        if (package := _missing(error)) is None:
            raise
        raise UsageError(
            f"The logger {name} needs the package {package}, which is not installed. Type: pip install {package}. Or "
            "choose another logger: logger=csv."
        ) from error
    return cast("Logger", logger)


def _missing(error: BaseException | None) -> str | None:
    """The package that an import failed for, anywhere in the chain of errors; None if it was something else."""
    while error is not None:
        if isinstance(error, ImportError):
            words = str(error).replace("`", " ").replace("'", " ").replace("[", " ").replace(">", " ").split()
            known = ("wandb", "mlflow", "tensorboard", "tensorboardX", "comet_ml", "neptune")
            return error.name or next((package for package in known if package in words), "it names")
        error = error.__cause__ or error.__context__
    return None


if __name__ == "__main__":
    main()
