"""Train the prototypical network: a hydra program, which the wheel holds with its configuration.

    python -m fewshot.research.training.train experiment=mobilenetv2
    python -m fewshot.research.training.train backbone=resnet18 loss=episodic augmentation=gentle trainer=gpu
    python -m fewshot.research.training.train -m experiment=ablation seed=0,1,2
    python -m fewshot.research.training.train experiment=mobilenetv2 resume=outputs/train/mobilenetv2/last.ckpt

In a checkout ``experiments/train.py`` is the same. Checkpoints (every epoch, with the averaged weights in
``state_dict``), CSV and TensorBoard logs go to outputs/train/.
"""

from __future__ import annotations

from pathlib import Path

import hydra
import pytorch_lightning as lightning
from hydra.types import RunMode
from omegaconf import DictConfig
from pytorch_lightning.callbacks import EMAWeightAveraging, LearningRateMonitor, ModelCheckpoint
from pytorch_lightning.loggers import CSVLogger, TensorBoardLogger

from fewshot.errors import UsageError
from fewshot.research.training.epochs import EpochSeed
from fewshot.research.training.export import read_checkpoint
from fewshot.research.training.front import Front
from fewshot.research.training.module import ProtoNet
from fewshot.research.training.network import ExpressionNetwork


def conf_folder() -> Path:
    """The configuration: ``fewshot/conf`` of an installed package, ``conf`` of a checkout."""
    package = Path(__file__).resolve().parents[2]
    installed = package / "conf"
    return installed if installed.is_dir() else package.parent / "conf"


@hydra.main(version_base=None, config_path=str(conf_folder()), config_name="train")
def main(cfg: DictConfig) -> None:
    """Train as the configuration says; see the module."""
    job = hydra.core.hydra_config.HydraConfig.get()
    if job.mode == RunMode.MULTIRUN and "ddp" in cfg.trainer.get("strategy", ""):
        # Every process would start the whole sweep.
        raise UsageError("-m goes with one process: run the values one after the other, or take trainer=cpu or gpu.")
    lightning.seed_everything(cfg.seed, workers=True)
    folder = job.runtime.output_dir
    data = hydra.utils.instantiate(cfg.data)
    network: ExpressionNetwork = hydra.utils.instantiate(cfg.backbone)
    if cfg.pretrained:
        if cfg.pretrained.path:
            network.start_from(cfg.pretrained.path, cfg.pretrained.scale)
        if cfg.pretrained.folded:
            data.setup("fit")
            network.unfold_batch_norm(next(iter(data.train_dataloader()))["grey"].float())
    model: ProtoNet = hydra.utils.instantiate(cfg.model, network=network)
    if cfg.start:
        begin_with(model, cfg.start)
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
        ],
        logger=[CSVLogger(folder, name="", version=""), TensorBoardLogger(folder, name="", version="")],
    )
    trainer.fit(model, datamodule=data, ckpt_path=cfg.resume)
    if front is not None:
        front.complete(Path(folder) / "last.ckpt", Path(cfg.start))


def begin_with(model: ProtoNet, path: str) -> None:
    """Weights of an earlier run, which may have had fewer losses; the schedule and the averages begin anew.

    Raises:
        UsageError: the checkpoint is of another network.
    """
    saved = read_checkpoint(Path(path))["state_dict"]
    # The identity head is trained alone, afterwards, and may have been built otherwise.
    state = {name: value for name, value in saved.items() if "identity_head" not in name}
    own = model.state_dict()
    strange = sorted(name for name, value in state.items() if name not in own or own[name].shape != value.shape)
    missing = [name for name in own if name.startswith("network.backbone.") and name not in state]
    if strange or missing:
        raise UsageError(f"{path} is of another network: {', '.join([*strange, *missing][:5])}")
    model.load_state_dict(state, strict=False)


if __name__ == "__main__":
    main()
