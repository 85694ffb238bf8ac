"""Launchers of conf/launcher: several runs at the same time, here or on a cluster."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra 'train'")

import hydra
from hydra.errors import HydraException
from omegaconf import OmegaConf

CONF = Path(__file__).resolve().parents[3] / "conf"
CLASSES = {
    "joblib": ("hydra_plugins.hydra_joblib_launcher.joblib_launcher", "JoblibLauncher"),
    "processes": ("hydra_plugins.hydra_submitit_launcher.submitit_launcher", "LocalLauncher"),
    "slurm": ("hydra_plugins.hydra_submitit_launcher.submitit_launcher", "SlurmLauncher"),
}


def test_every_launcher_is_known_here() -> None:
    assert sorted(path.stem for path in (CONF / "launcher").glob("*.yaml")) == sorted(CLASSES)


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_a_launcher_can_be_chosen_or_its_absence_is_said(name: str) -> None:
    module, launcher = CLASSES[name]
    words = [f"launcher={name}", "experiment=smoke", "trainer.default_root_dir=."]
    with hydra.initialize_config_dir(str(CONF), version_base=None):
        try:
            importlib.import_module(module)
        except ImportError:
            with pytest.raises(HydraException, match="hydra/launcher"):
                hydra.compose("train", overrides=words, return_hydra_config=True)
            return
        chosen = hydra.compose("train", overrides=words, return_hydra_config=True)
    target = OmegaConf.to_container(chosen.hydra.launcher, resolve=False)["_target_"]  # type: ignore[index,call-overload]
    assert target == f"{module}.{launcher}"
    assert chosen.hydra.launcher.get("timeout_min", 240) == 240
