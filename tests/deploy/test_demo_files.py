"""The files that put the demo on Streamlit Community Cloud and Hugging Face: small, pinned, and in step."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
STREAMLIT, SPACE = ROOT / "deploy/streamlit", ROOT / "deploy/huggingface"
REQUIREMENTS = (STREAMLIT / "requirements.txt").read_text(encoding="utf-8")
DOCKERFILE = (SPACE / "Dockerfile").read_text(encoding="utf-8")
PAGE = (ROOT / "docs/deploy/demo.md").read_text(encoding="utf-8")


def options(path: Path) -> dict[str, dict[str, object]]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def test_the_requirements_are_the_package_and_what_its_pages_need() -> None:
    lines = [line for line in REQUIREMENTS.splitlines() if line and not line.startswith("#")]
    assert lines == ["-c ../../constraints.txt", ".", "streamlit", "altair"]
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "\nstreamlit==" in pinned and "\naltair==" in pinned
    assert "://" not in REQUIREMENTS and "index" not in REQUIREMENTS


def test_no_extra_of_the_package_is_asked_for() -> None:
    """The extra ``app`` brings WebRTC and its codecs, ``train`` brings torch; the demo needs neither."""
    assert "[" not in REQUIREMENTS


def test_the_script_makes_it_a_demo_before_it_loads_anything() -> None:
    tree = ast.parse((STREAMLIT / "app.py").read_text(encoding="utf-8"))
    kinds = [ast.unparse(node) for node in tree.body]
    assert kinds.index("os.environ['FEWSHOT_DEMO'] = '1'") < kinds.index("from fewshot.app.hosted.main import main")
    assert kinds[-1] == "main()"


def test_the_packages_of_debian_are_the_same_everywhere() -> None:
    named = (ROOT / "packages.txt").read_text(encoding="utf-8").split()
    installed = re.findall(r"--no-install-recommends (.*?) \\", DOCKERFILE)[0].split()
    assert named == installed == ["libgl1", "libglib2.0-0"]


def test_the_limits_of_the_server_are_those_of_the_code_and_the_page() -> None:
    pytest.importorskip("streamlit", reason="needs the extra app")
    from fewshot.app.hosted import limits, live, own_photos, visitors
    from fewshot.classroom import visits

    config = options(STREAMLIT / ".streamlit/config.toml")
    assert config["server"]["maxUploadSize"] == limits.MOST_MEGABYTES
    assert not config["server"]["enableAgentApi"] and config["server"]["enableXsrfProtection"]
    assert config["client"]["showErrorDetails"] == "none" and not config["browser"]["gatherUsageStats"]
    assert "address" not in config["server"]
    rows = {row[0].strip(): row[1].strip() for row in re.findall(r"^\|([^|]+)\|([^|]+)\|$", PAGE, re.MULTILINE)}
    assert rows["visitors at the same time"].startswith(f"{visitors.MOST};")
    assert rows["store of a visitor"] == f"{visits.LARGEST // 1_000_000} MB"
    assert rows["lessons whose pictures are analysed at the same time"].startswith(f"{live.MOST_ANALYSED},")
    pixels = limits.MOST_PIXELS // 1_000_000
    assert rows["an uploaded file"].startswith(f"{limits.MOST_MEGABYTES} MB and {pixels} million pixels")
    assert rows["uploaded files that wait"] == f"{limits.MOST_FILES} for each tab, {limits.MOST_WAITING} together"
    assert rows["photos that a visitor can teach"] == str(own_photos.MOST_TAUGHT)
    assert f"{visitors.GONE:.0f} seconds" in PAGE and f"{visitors.IDLE / 60:.0f} minutes without" in PAGE


def test_the_demo_has_the_colours_of_the_app() -> None:
    ours = options(ROOT / "fewshot/app/.streamlit/config.toml")
    assert options(STREAMLIT / ".streamlit/config.toml")["theme"] == ours["theme"]


def test_the_space_says_what_the_host_must_know() -> None:
    _, head, text = (SPACE / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    about = yaml.safe_load(head)
    assert about["sdk"] == "docker" and str(about["app_port"]) in re.findall(r"^EXPOSE (.*)$", DOCKERFILE, re.MULTILINE)
    assert len(about["short_description"]) <= 60  # the host refuses a longer one
    assert "Article 5(1)(f)" in text and "non-commercial" in text


def test_the_image_of_the_space_is_closed() -> None:
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) == ["1000:1000"]
    command = yaml.safe_load(re.findall(r"^CMD (.*)$", DOCKERFILE, re.MULTILINE)[-1])
    assert command[:2] == ["streamlit", "run"] and (ROOT / command[2]).is_file()
    assert "FEWSHOT_DEMO=1" in DOCKERFILE and "/_stcore/health" in DOCKERFILE
