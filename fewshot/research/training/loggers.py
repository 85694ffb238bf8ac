"""Where the numbers of a training run go: CSV, TensorBoard, Weights & Biases, MLflow."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import hydra
from hydra.errors import InstantiationException
from pytorch_lightning.loggers import Logger

from fewshot.errors import UsageError

_WANDB_FOLDERS = ("WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR")
"""Where Weights & Biases keeps what would otherwise lie in the home folder; a place set from outside stays."""


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
