"""Groups of people, and what a row says of each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_world_of_people import world

from fewshot.research.evaluation.fairness import LEAST, OLDER, Person, Seen, fairness_rows, groups_of, read_people
from fewshot.types import EMOTIONS


def people() -> list[Person]:
    """Ten women and ten men; one of each did not say how old they are."""
    return [
        Person(f"{n:03d}", np.nan if n % 10 == 0 else 20.0 + n, "female" if n < 10 else "male", "white")
        for n in range(20)
    ]


def seen_by(men_smile: bool) -> Seen:
    """Everybody reads right, but for men who smile without being seen to."""
    population, _ = world()
    neutral, happy = (population.prototypes[EMOTIONS.index(emotion)] for emotion in ("neutral", "happy"))
    smiles = [happy if men_smile or person.gender == "female" else neutral for person in people()]
    identity = np.eye(24, dtype=np.float32)[:20]
    return Seen(people(), np.stack([[neutral] * 20, smiles]), np.stack([identity, identity]))


def test_groups_are_as_people_said_and_not_too_small() -> None:
    groups = groups_of(people())
    assert {name: int(chosen.sum()) for name, chosen in groups.items()} == {
        "everybody": 20, "female": 10, "male": 10, f"younger than {OLDER}": 9, f"{OLDER} and older": 9, "white": 20,
    }  # fmt: skip
    few = [*people(), *(Person(f"x{n}", 25, "male", "black") for n in range(LEAST - 1))]
    assert "black" not in groups_of(few)


@pytest.mark.parametrize(("men_smile", "men"), [(True, "1.000 (1.000-1.000)"), (False, "0.000 (0.000-0.000)")])
def test_a_group_that_is_read_worse_has_the_worse_row(men_smile: bool, men: str) -> None:
    rows = {row["group"]: row for row in fairness_rows(seen_by(men_smile), world()[0], "w600k_mbf")}
    assert rows["male"]["smile read right"] == men
    assert rows["female"]["smile read right"] == "1.000 (1.000-1.000)"
    assert rows["male"]["neutral read right"] == rows["male"]["neutral read right"] == "1.000 (1.000-1.000)"
    assert rows["everybody"]["not recognised"] == "0.000 (0.000-0.000)"
    assert rows["everybody"]["another's photo is alike"] == "0.000 (0.000-0.000)"


def test_look_alikes_and_strangers_to_themselves_are_counted() -> None:
    seen = seen_by(men_smile=True)
    seen.identity[1][0] = seen.identity[0][1]
    row = fairness_rows(seen, world()[0], "w600k_mbf")[0]
    assert str(row["not recognised"]).startswith("0.050")
    assert str(row["another's photo is alike"]).startswith("0.003")


def test_an_age_that_was_not_given_is_no_age(tmp_path: Path) -> None:
    (tmp_path / "info.csv").write_text(
        "face_id,face_age,face_gender,face_eth\n001,24,female,white\n002,NA,male,black\n"
    )
    first, second = read_people(tmp_path)
    assert first == Person("001", 24.0, "female", "white") and np.isnan(second.age)
