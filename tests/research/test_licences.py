"""The page of licences names every package that runs, with a licence, and the parts under the GPL."""

from __future__ import annotations

from pathlib import Path

import licences

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/reference/licences.md"


def test_every_package_that_runs_has_a_licence() -> None:
    parts = {name: licences.installed(name) for name in licences.running()}
    assert {
        name for name, part in parts.items() if part is not None and licences.licence_of(part) == "unknown"
    } == set()
    assert {"numpy", "onnxruntime", "sqlalchemy"} <= {name for name, part in parts.items() if part is not None}


def test_the_page_names_them_all() -> None:
    named = {
        line.split("|")[1].strip() for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")
    }
    assert {name for name in licences.running() if licences.installed(name)} - named == set()


def test_parts_under_the_gpl_are_named_on_the_page_and_in_the_notice() -> None:
    page, notice = PAGE.read_text(encoding="utf-8"), (ROOT / "NOTICE").read_text(encoding="utf-8")
    for name in licences.running():
        part = licences.installed(name)
        found = {file for file, licence in licences.bundled(part)} if part else set()
        gpl = {file.split(".")[0] for file in found if "x264" in file or "x265" in file}
        assert all(library in page and library in notice for library in gpl), name
    assert "libx264" in page and "libx265" in page


def test_what_would_be_passed_over_is_seen() -> None:
    """An extra of an extra (psycopg[binary]), and a package that several extras bring."""
    found = licences.running()
    assert {"psycopg-binary", "psycopg"} <= set(found) and found["psycopg-binary"] == {"postgres"}
    assert {"app", "video"} <= found["av"] and "torch" not in found and "bandit" not in found
