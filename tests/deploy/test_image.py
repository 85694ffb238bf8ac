"""The image of ``deploy/Dockerfile``: what its trial says where it cannot run, and the trial, if it is asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from image_config import lines

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / ".ci/try_image.sh"
ASKED = "FEWSHOT_TRY_IMAGE"
"""Names a folder for base, storage and data; what was built there before is used again."""
CONFIG = {
    "User": "10001:10001",
    "Env": ["HOME=/data", "WORDS=two words"],
    "Entrypoint": ["fewshot"],
    "Cmd": ["app", "--login"],
    "Healthcheck": {"Test": ["CMD", "python", "-c", "print('it\\'s there')"]},
}
SHELL = shutil.which("sh")
pytestmark = pytest.mark.skipif(SHELL is None, reason="needs a POSIX shell")


def trial(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SHELL), str(SCRIPT), *words],
        env={**os.environ, **environment}, capture_output=True, text=True, timeout=3600, check=False,
    )  # fmt: skip


def test_without_buildah_it_says_what_to_install(tmp_path: Path) -> None:
    done = trial(str(tmp_path / "image"), PATH=str(tmp_path))
    assert done.returncode == 1 and "it needs buildah" in done.stderr and "apt-get install buildah" in done.stderr
    assert not (tmp_path / "image").exists()


def test_without_a_folder_it_asks_for_one() -> None:
    done = trial()
    assert done.returncode == 1 and "name one folder" in done.stderr


def test_the_shell_gets_the_words_of_the_image_as_they_are() -> None:
    written = lines({"Docker": {"config": CONFIG, "rootfs": {"diff_ids": ["sha256:1", "sha256:2"]}}})
    read = 'eval "set -- $image_environment $image_command $image_health"; for w in "$@"; do echo "<$w>"; done'
    script = "\n".join([*written, read, 'echo "$image_user $image_layers"'])
    done = subprocess.run([str(SHELL), "-eu", "-c", script], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.splitlines() == [
        "<HOME=/data>", "<WORDS=two words>", "<fewshot>", "<app>", "<--login>", "<python>", "<-c>",
        "<print('it\\'s there')>", "10001:10001 2",
    ]  # fmt: skip


@pytest.mark.parametrize("missing", [{"User": "root"}, {"User": "10001"}, {"Healthcheck": None}])
def test_an_image_without_a_number_or_a_health_check_is_refused(missing: dict[str, str | None]) -> None:
    with pytest.raises(ValueError, match="no user and group as numbers"):
        lines({"Docker": {"config": {**CONFIG, **missing}, "rootfs": {"diff_ids": []}}})


def test_the_image_runs_closed_and_answers() -> None:
    """Minutes long: it builds an image."""
    if not (folder := os.environ.get(ASKED)):
        pytest.skip(f"builds an image, which takes minutes; {ASKED}=FOLDER asks for it")
    if shutil.which("buildah") is None or shutil.which("debootstrap") is None or os.geteuid() != 0:
        pytest.skip("needs root, and Debian's packages buildah and debootstrap")
    done = trial(folder)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    for said in (
        "runs as: 10001:10001", "not to /srv/fewshot, /etc, /usr, /", "refuses to start", '"status":"ready"',
        "CapEff: 0000000000000000", "CapBnd: 0000000000000000", "NoNewPrivs: 1", "rows, one per face and frame",
    ):  # fmt: skip
        assert said in done.stdout, done.stdout[-5000:]
