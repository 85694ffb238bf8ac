"""The committed records are of the network that ships: tables, the page of results and the app's sample lessons."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fewshot.app.recording import EARLIER, SAMPLE, sample_recording
from fewshot.loops import open_population

ROOT = Path(__file__).parents[3]
RESULTS = ROOT / "experiments/results"
NAMED = re.compile(r"^(?:- n|N)etwork:? `([^`]+)`", re.MULTILINE)
EXPRESSION = {
    *("accuracy", "changed_faces", "closed_set", "enrollment", "episodes", "identity", "live", "noise", "open_set"),
    *("population", "quantised", "speed"),
}
"""Pages that measure the expression network, or what runs with it."""
ANEW = {"unlabelled", "colour"}
"""The same, for pages that may not be there."""
PAGE = ROOT / "docs/reference/results.md"
EARLIER_NETWORK = re.compile(r"^- Measured with an earlier network[^:]*: (.+?)\.$", re.MULTILINE | re.DOTALL)


def named() -> dict[str, list[str]]:
    """The networks that each page of results names as its own."""
    found = {path.stem: NAMED.findall(path.read_text(encoding="utf-8")) for path in RESULTS.glob("*.md")}
    return {name: networks for name, networks in found.items() if networks}


def test_a_page_names_one_network() -> None:
    assert EXPRESSION <= named().keys() <= EXPRESSION | ANEW
    assert [name for name, networks in named().items() if len(networks) != 1] == []


def test_the_results_say_which_pages_are_of_an_earlier_network() -> None:
    earlier = {name for name, networks in named().items() if networks != [open_population().network]}
    said = EARLIER_NETWORK.findall(PAGE.read_text(encoding="utf-8"))
    assert set(re.findall(r"`(\w+)\.md`", " ".join(said))) == earlier


@pytest.mark.parametrize("name", [SAMPLE, *EARLIER])
def test_a_sample_lesson_was_recorded_with_the_network_that_ships(name: str) -> None:
    assert sample_recording(name).about["network"] == open_population().network


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_shows_no_output_of_another_network(path: Path) -> None:
    found = set(re.findall(r"\w+_100-[0-9a-f]{12}", path.read_text(encoding="utf-8")))
    assert found <= {open_population().network}
