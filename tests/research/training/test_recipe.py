"""The training recipe: its graph, what counts as done, and what happens when something ends it half-way."""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

hydra = pytest.importorskip("hydra", reason="needs the extra 'train'")

from omegaconf import DictConfig, OmegaConf  # noqa: E402
from rich.console import Console  # noqa: E402

from experiments import reproduce  # noqa: E402
from fewshot.errors import FewshotError, UsageError  # noqa: E402
from fewshot.research.training import recipe_run  # noqa: E402
from fewshot.research.training.recipe import Recipe, Step  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
FOLDER = Path("stamps")
TRAINING = "python train.py run/last.ckpt"
SCRIPT = """
import os, sys, zipfile
from pathlib import Path

target, given = Path(sys.argv[1]), dict(word.split("=") for word in sys.argv[2:])
first = 0
if "resume" in given:
    with zipfile.ZipFile(given["resume"]) as before:
        first = int(before.read("epoch")) + 1
for epoch in range(first, 4):
    target.parent.mkdir(exist_ok=True)
    for path in (target.with_name(f"epoch{epoch:02d}.ckpt"), target):
        with zipfile.ZipFile(path, "w") as saved:
            saved.writestr(zipfile.ZipInfo("epoch"), str(epoch))
    print("trained epoch", epoch)
    if Path("stop").exists() and Path("stop").read_text() == str(epoch):
        os._exit(3)
"""


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(SCRIPT)


def copies(name: str, source: str, target: str, *needs: str) -> Step:
    """A step that appends its name to a file's content, and to ``ran``."""
    code = (
        f"from pathlib import Path; Path('{target}').write_text(Path('{source}').read_text() + ' {name}'); "
        f"open('ran', 'a').write('{name} '); print('copied', '{source}')"
    )
    return Step(name, f'python -c "{code}"', needs, [target], 1)


def three_steps() -> Recipe:
    Path("given").touch()
    return Recipe(
        [copies("a", "given", "a.txt"), copies("b", "a.txt", "b.txt", "a"), copies("c", "b.txt", "c.txt", "b")], FOLDER
    )


def run(recipe: Recipe, *only: str) -> str:
    """What is told on the terminal."""
    told = io.StringIO()
    recipe_run.run(recipe, recipe.chosen(only), Console(file=told, width=200))
    return told.getvalue()


def ran() -> list[str]:
    """Names of the steps that ran since the last question."""
    path = Path("ran")
    names = path.read_text().split() if path.exists() else []
    path.write_text("")
    return names


# --- the recipe that ships


@pytest.fixture(scope="module")
def shipped() -> DictConfig:
    with hydra.initialize_config_dir(str(ROOT / "conf"), version_base=None):
        return hydra.compose("reproduce")


def test_the_shipped_recipe_has_no_circle_and_runs_as_it_is_written(shipped: DictConfig) -> None:
    recipe = reproduce.recipe_of(shipped)
    assert list(recipe.steps) == list(shipped.steps)
    assert len(recipe.steps) == 17 and recipe.chosen(until="shapes") == ["prepare", "mobilenetv2", "shapes"]


def test_every_step_has_a_script_and_needs_the_steps_whose_files_it_reads(shipped: DictConfig) -> None:
    recipe = reproduce.recipe_of(shipped)
    before: list[Step] = []
    for step in recipe.steps.values():
        program, script, *arguments = step.command.split()
        assert program == "python" and (ROOT / script).is_file()
        read = {word for word in arguments if word not in step.makes}
        if step.training:
            assert arguments[1] == f"hydra.run.dir={Path(step.makes[0]).parent}"
            with hydra.initialize_config_dir(str(ROOT / "conf"), version_base=None):
                cfg = hydra.compose("train", overrides=[arguments[0], "trainer.default_root_dir=."])
            read |= {cfg.start} | ({"outputs/fer2013_answers.npz"} if cfg.data.answers or cfg.data.seen else set())
            read |= {"outputs/fer2013_prepared.npz"}
        # The last step before this one that made a file is the one whose file it reads.
        makers = {path: earlier.name for earlier in before for path in earlier.makes}
        assert {makers[path] for path in read if path in makers} <= set(step.needs)
        if step.training and cfg.start:
            assert cfg.start in makers
        before.append(step)


def test_what_the_recipe_makes_last_is_what_ships(shipped: DictConfig) -> None:
    for name in ("export", "population"):
        for path in shipped.steps[name].makes:
            assert (ROOT / path).is_file(), path


# --- the graph


def test_a_circle_and_an_unknown_step_are_named() -> None:
    with pytest.raises(UsageError, match=r"a -> b -> a|b -> a -> b"):
        Recipe([copies("a", "x", "y", "b"), copies("b", "x", "y", "a")], FOLDER)
    with pytest.raises(UsageError, match="a needs nothing"):
        Recipe([copies("a", "x", "y", "nothing")], FOLDER)
    with pytest.raises(UsageError, match="Choose from: a, b, c"):
        three_steps().chosen(["d"])


def test_a_step_follows_what_it_needs_wherever_it_is_written() -> None:
    steps = [copies("c", "b.txt", "c.txt", "b"), copies("a", "given", "a.txt"), copies("b", "a.txt", "b.txt", "a")]
    assert list(Recipe(steps, FOLDER).steps) == ["a", "b", "c"]


# --- what is done


def test_steps_that_are_done_are_skipped_until_their_input_changes() -> None:
    recipe = three_steps()
    assert "c, about 1 min (not done)" in run(recipe) and ran() == ["a", "b", "c"]
    assert "b: done before" in run(recipe) and ran() == []
    Path("given").write_text("new")
    Path("stamps/a.json").unlink()
    run(recipe)
    assert ran() == ["a", "b", "c"] and Path("c.txt").read_text() == "new a b c"
    # It made the same file again, so what follows stays as it is.
    Path("stamps/a.json").unlink()
    run(recipe)
    assert ran() == ["a"]
    # Somebody else wrote over a file.
    Path("b.txt").write_text("other")
    assert recipe.standing() == {
        "a": None,
        "b": "b.txt is gone or was changed",
        "c": "done, runs again if b makes another file",
    }
    run(recipe)
    assert ran() == ["b"] and set(recipe.standing().values()) == {None}
    again = Recipe([recipe.steps["a"], copies("b", "given", "b.txt", "a")], FOLDER)
    assert again.standing()["b"] == "its command has changed"


def test_a_file_that_two_steps_make_is_to_each_what_it_read_first() -> None:
    Path("given").touch()
    steps = [
        copies("teach", "given", "answers"),
        copies("taught", "answers", "taught.txt", "teach"),
        copies("again", "taught.txt", "answers", "taught"),
        copies("seen", "answers", "seen.txt", "again"),
    ]
    recipe = Recipe(steps, FOLDER)
    run(recipe)
    assert ran() == ["teach", "taught", "again", "seen"]
    run(recipe)
    assert ran() == []
    Path("stamps/taught.json").unlink()
    run(recipe)
    assert ran() == ["taught"] and Path("taught.txt").read_text() == " teach taught"
    Path("stamps/seen.json").unlink()
    run(recipe)
    assert ran() == ["seen"] and Path("seen.txt").read_text() == " teach taught again seen"


def test_only_refuses_a_step_whose_needs_are_not_done() -> None:
    recipe = three_steps()
    with pytest.raises(UsageError, match=r"b needs the step a, which .*\(not done\)"):
        run(recipe, "b", "c")
    run(recipe, "a")
    run(recipe, "b")
    assert ran() == ["a", "b"]


def test_a_missing_module_is_named_before_anything_runs() -> None:
    Path("given").touch()
    last = Step("b", "python -c pass", ["a"], [], 1, modules=["no_such_module"])
    with pytest.raises(UsageError, match=r"b needs no_such_module, .*: uv pip install no-such-module"):
        run(Recipe([copies("a", "given", "a.txt"), last], FOLDER))
    assert ran() == []


# --- what ends half-way


def training(*needs: Step) -> Recipe:
    step = Step("training", TRAINING, [need.name for need in needs], ["run/last.ckpt"], 1, training=True)
    return Recipe([*needs, step], FOLDER)


def stopped_after(epoch: int, recipe: Recipe) -> None:
    Path("stop").write_text(str(epoch))
    with pytest.raises(FewshotError, match="exit code 3"):
        run(recipe)
    Path("stop").unlink()


def trained(told: str, since: int) -> None:
    """The last run trained the epochs from one on."""
    output = (FOLDER / "training.log").read_text().rsplit("\n$ ", 1)[1]
    assert [line for line in output.splitlines() if "trained" in line] == [
        f"trained epoch {n}" for n in range(since, 4)
    ]
    assert "done in" in told and Path("run/last.ckpt").is_file() and not Path("stamps/training.begun.json").exists()


def test_an_interrupted_training_continues_from_its_last_checkpoint() -> None:
    recipe = training()
    stopped_after(0, recipe)
    assert recipe.standing()["training"] == f"interrupted, continues from {Path('run/last.ckpt')}"
    stopped_after(2, recipe)
    assert f"resume={Path('run-1/last.ckpt')}" in (FOLDER / "training.log").read_text()
    assert not Path("stamps/training.json").exists()
    trained(run(recipe), 3)
    # What the earlier runs left is still there.
    assert Path("run-1/epoch00.ckpt").is_file() and Path("run-2/epoch02.ckpt").is_file()
    assert "done before" in run(recipe)


def test_a_resumed_training_that_ends_before_its_first_epoch_loses_nothing() -> None:
    recipe = training()
    stopped_after(1, recipe)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe_run, "_call", lambda *_: (-9, 0))
        with pytest.raises(FewshotError, match=r"SIGKILL \(often: too little memory\)"):
            run(recipe)
    assert not Path("run").exists()
    trained(run(recipe), 2)


def test_a_checkpoint_that_was_cut_short_is_not_used() -> None:
    recipe = training()
    stopped_after(2, recipe)
    last = Path("run/last.ckpt")
    last.write_bytes(last.read_bytes()[:20])
    trained(run(recipe), 3)
    assert f"resume={Path('run-1/epoch02.ckpt')}" in (FOLDER / "training.log").read_text()


def test_a_training_that_lacks_only_its_stamp_is_not_trained_again() -> None:
    """Resumed, it has no epoch left, so it writes no checkpoint."""
    recipe = training()
    stopped_after(3, recipe)
    before = Path("run/last.ckpt").read_bytes()
    trained(run(recipe), 4)
    assert Path("run/last.ckpt").read_bytes() == before


def test_a_training_of_other_inputs_begins_anew() -> None:
    Path("given").touch()
    recipe = training(copies("a", "given", "a.txt"))
    stopped_after(2, recipe)
    Path("given").write_text("new")
    Path("stamps/a.json").unlink()
    trained(run(recipe), 0)
    assert Path("run-1/epoch02.ckpt").is_file()


def test_a_step_that_writes_nothing_is_not_done() -> None:
    Path("a.txt").write_text("of another day")
    recipe = Recipe([Step("a", "python -c \"print('No blendshapes.')\"", [], ["a.txt"], 1)], FOLDER)
    with pytest.raises(FewshotError, match=r"(?s)a ended without writing a.txt.*No blendshapes"):
        run(recipe)
    assert recipe.standing()["a"] == "not done"


def test_a_full_disk_leaves_no_stamp(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    recipe = three_steps()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(FewshotError, match=r"a did not finish: .*No space left"):
            run(recipe)
    assert ran() == ["a"] and not Path("stamps/a.json").exists()
    run(recipe)
    assert ran() == ["a", "b", "c"]


def test_a_damaged_stamp_is_named() -> None:
    recipe = three_steps()
    run(recipe, "a")
    Path("stamps/a.json").write_text("{")
    with pytest.raises(UsageError, match=r"a\.json is damaged\. Delete it"):
        run(recipe)


# --- the script


def script(steps: dict[str, dict[str, object]], *arguments: str) -> list[str]:
    """The command line of experiments/reproduce.py with other steps."""
    Path("conf").mkdir(exist_ok=True)
    cfg = OmegaConf.load(ROOT / "conf/reproduce.yaml")
    OmegaConf.save(OmegaConf.create({**cfg, "steps": steps, "folder": str(FOLDER)}), "conf/reproduce.yaml")
    return [
        sys.executable,
        str(ROOT / "experiments/reproduce.py"),
        "--config-path",
        str(Path("conf").resolve()),
        *arguments,
    ]


def test_a_failed_step_ends_the_script_with_its_command_and_log() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    steps = {
        "good": {"command": "python -c pass", "needs": [], "makes": [], "minutes": 1},
        "bad": {"command": "python -c \"raise SystemExit('no faces')\"", "needs": ["good"], "makes": [], "minutes": 2},
        "last": {"command": "python -c pass", "needs": ["bad"], "makes": [], "minutes": 3},
    }
    done = subprocess.run(script(steps), env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "bad failed with exit code 1: python -c" in done.stderr and str(Path("stamps/bad.log")) in done.stderr
    assert "no faces" in done.stderr and "no faces" in Path("stamps/bad.log").read_text()
    assert not Path("stamps/bad.json").exists() and not Path("stamps/last.log").exists()
    assert json.loads(Path("stamps/good.json").read_text())["command"] == "python -c pass"
    dry = subprocess.run(
        script(steps, "dry_run=true"), env=environment, capture_output=True, text=True, check=True, timeout=60
    ).stdout.splitlines()
    states = [line.split(" min  ")[1].split(":")[0] for line in dry if " min  " in line]
    assert [state.split()[0] for state in states] == ["done", "next", "later"]
    assert dry[-1].startswith("3 steps, 2 to run, about 0 h 5 min")


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_two_runs_at_once_are_refused_even_when_the_first_left_its_step_behind() -> None:
    steps = {"slow": {"command": "python -c 'import time; time.sleep(60)'", "needs": [], "makes": [], "minutes": 1}}
    first = subprocess.Popen(script(steps), env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL)
    try:
        about = waited_for(lambda: json.loads((FOLDER / "lock").read_text()), "runs_as")
        with pytest.raises(FewshotError, match=f"stamps is in use: by process {first.pid} .* step slow"):
            run(three_steps())
    finally:
        first.kill()
        first.wait()
    try:
        with pytest.raises(FewshotError, match=f"step slow as process {about['runs_as']}"):
            run(three_steps())
    finally:
        os.kill(about["runs_as"], signal.SIGKILL)
    waited_for(lambda: {"told": run(three_steps())}, "told")
    assert ran() == ["a", "b", "c"] and not Path("stamps/slow.json").exists()


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_run_that_is_ended_ends_its_step() -> None:
    steps = {"slow": {"command": "python -c 'import time; time.sleep(60)'", "needs": [], "makes": [], "minutes": 1}}
    first = subprocess.Popen(
        script(steps), env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    waited_for(lambda: json.loads((FOLDER / "lock").read_text()), "runs_as")
    first.terminate()
    _, told = first.communicate(timeout=40)
    assert first.returncode == 1 and b"Stopped. Run the same again" in told
    run(three_steps())
    assert ran() == ["a", "b", "c"] and not Path("stamps/slow.json").exists()


def waited_for(look, key: str) -> dict:  # type: ignore[no-untyped-def]
    """What ``look`` returns as soon as it has the key."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            found = look()
            if key in found:
                return found
        except (OSError, ValueError, FewshotError):
            pass
        time.sleep(0.1)
    raise AssertionError(f"no {key} within a minute")
