"""experiments/ablation.py: its rows are runs that compose, and some of them can be made anew beside the others."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra 'train'")

from hydra import compose, initialize_config_dir

from experiments.ablation import report, trained
from fewshot.research.evaluation import ablation
from fewshot.research.evaluation.tables import write_csv

CONF = Path(__file__).resolve().parents[2] / "conf"


@pytest.mark.parametrize("key", ablation.RUNS)
def test_a_row_composes_to_the_losses_it_says(key: str) -> None:
    run = ablation.RUNS[key]
    with initialize_config_dir(str(CONF), version_base=None):
        cfg = compose("train", overrides=run.arguments(seed=3))
    weights = {name: value for name, value in cfg.model.losses.items() if value and name != "_target_"}
    assert weights == run.weights
    assert (cfg.seed, cfg.data.limit, cfg.backbone.backbone) == (3, ablation.FACES, "mobilenetv2_100")
    assert cfg.data.blendshapes == ("shapes" in weights) and cfg.data.seen == ("seen" in weights)
    # From ImageNet, or from the run before it with the same seed.
    assert cfg.start == (f"outputs/ablation/{run.after}_3/last.ckpt" if run.after else None)
    assert (cfg.pretrained is None) == bool(run.after)


def test_only_the_last_epochs_have_random_shots() -> None:
    assert [key for key, run in ablation.RUNS.items() if run.experiment == "shots"] == ["shots"]
    with initialize_config_dir(str(CONF), version_base=None):
        cfg = compose("train", overrides=ablation.RUNS["shots"].arguments(seed=0))
    assert cfg.model.shots == 10 and cfg.trainer.max_epochs == 2


def test_a_new_row_takes_the_place_of_its_older_one_and_no_other() -> None:
    def row(key: str, seed: int, value: str) -> dict[str, str]:
        return {"losses": ablation.RUNS[key].name, "seed": str(seed), "PublicTest": value}

    rows = ablation.merged([], row("votes", 0, "0.1"))
    for new in (row("episodes", 0, "0.2"), row("votes", 10, "0.3"), row("votes", 2, "0.4"), row("votes", 0, "0.5")):
        rows = ablation.merged(rows, new)
    assert [one["PublicTest"] for one in rows] == ["0.2", "0.5", "0.4", "0.3"]
    text = report([*rows, {"losses": "a row that no run makes any more", "seed": "0", "PublicTest": "0.6"}])
    assert text.count("| a row that no run makes any more |") == 1
    assert "| votes | 0 2 10 | `train.py experiment=ablation model.losses.episodic=0 model.losses.votes=1 " in text
    assert "data.limit=6000 seed=0` |" in text and "| shots |" not in text


def test_the_table_is_read_back(tmp_path: Path) -> None:
    assert ablation.read_rows(tmp_path / "ablation.csv") == []
    rows = [{"losses": "1 neutral, class", "seed": "0"}]
    write_csv(rows, tmp_path / "ablation.csv")
    assert ablation.read_rows(tmp_path / "ablation.csv") == rows


def test_a_run_is_made_once_and_again_when_it_is_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def pretend(command: list[str], check: bool) -> None:
        folder = Path(next(one for one in command if one.startswith("hydra.run.dir=")).split("=")[1])
        # Lightning writes beside a checkpoint that is there already.
        assert check and not folder.exists()
        folder.mkdir(parents=True)
        ran.append(folder.name)

    monkeypatch.setattr(ablation, "RUNS_FOLDER", tmp_path)
    monkeypatch.setattr(subprocess, "run", pretend)
    for _ in range(2):
        assert trained("shots", 1, tmp_path) == tmp_path / "shots_1/last.ckpt"
    assert ran == ["both_1", "shots_1"]
    monkeypatch.setattr(ablation, "FACES", 100)
    trained("shots", 1, tmp_path)
    assert ran == ["both_1", "shots_1", "both_1", "shots_1"]
