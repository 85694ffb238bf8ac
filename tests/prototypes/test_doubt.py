"""Labels that the rest of the class does not believe."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from small_world import DIMENSION

from fewshot.prototypes.label_doubt import DOUBTFUL, opinions
from fewshot.prototypes.population import Population
from fewshot.prototypes.supports import SupportSet
from fewshot.types import EMOTIONS

NEUTRAL, HAPPY, SAD, FEAR = (EMOTIONS.index(name) for name in ("neutral", "happy", "sad", "fear"))


def shows(population: Population, *faces: tuple[int, str | None], aside: np.ndarray | None = None) -> SupportSet:
    """Photos that lie on a prototype (plus ``aside``) and say something."""
    vectors = np.array([population.prototypes[place] for place, _ in faces])
    vectors = vectors + population.mean + (0.0 if aside is None else aside)
    names = [f"{id(faces)}-{row}" for row in range(len(faces))]
    return SupportSet(vectors.astype(np.float32), [label for _, label in faces], names)


def test_a_photo_in_the_wrong_folder_is_pointed_out_and_no_other(population: Population) -> None:
    asha = shows(population, (NEUTRAL, "neutral"), (HAPPY, "happy"), (NEUTRAL, "sad"))
    ben = shows(population, (NEUTRAL, "neutral"), (SAD, "sad"))
    ashas, bens = opinions(population, [asha, ben])
    assert [opinion.doubtful for opinion in ashas] == [False, False, True]
    assert ashas[2].looks == "neutral" and ashas[2].right < DOUBTFUL
    assert not any(opinion.doubtful for opinion in bens) and min(opinion.right for opinion in bens) > 0.99


def test_what_the_population_does_not_know_is_not_doubted(population: Population) -> None:
    odd = shows(population, (NEUTRAL, "confused"), (NEUTRAL, None), (NEUTRAL, "sad"))
    ((state, unlabelled, wrong),) = opinions(population, [odd])
    assert (state.right, unlabelled.right) == (1.0, 1.0) and wrong.doubtful


def test_classmates_who_all_show_it_so_are_believed(population: Population) -> None:
    """A camera, or a country, in which fear looks as surprise does elsewhere."""
    surprise = population.prototypes[EMOTIONS.index("surprise")]
    aside = surprise - population.prototypes[FEAR]
    strong = replace(population, variances=replace(population.variances, classroom=1.0))
    alone = shows(strong, (FEAR, "fear"), aside=aside)
    assert opinions(strong, [alone])[0][0].doubtful
    together = opinions(strong, [shows(strong, (FEAR, "fear"), aside=aside) for _ in range(8)])
    assert not any(opinion.doubtful for (opinion,) in together)


def test_a_class_whose_folders_are_mixed_up_is_pointed_out(population: Population) -> None:
    """Neutral and happy are swapped for everybody: classmates must not confirm each other."""
    strong = replace(population, variances=replace(population.variances, classroom=1.0))
    swapped = [shows(strong, (NEUTRAL, "happy"), (HAPPY, "neutral"), (SAD, "sad")) for _ in range(8)]
    found = opinions(strong, swapped)
    assert all([opinion.doubtful for opinion in row] == [True, True, False] for row in found)
    assert [opinion.looks for opinion in found[0]] == ["neutral", "happy", "sad"]
    # One such photo among many is one wrong photo, and says nothing about the class.
    right = [shows(strong, (NEUTRAL, "neutral"), (HAPPY, "happy")) for _ in range(8)]
    found = opinions(strong, [*right, swapped[0]])
    assert sum(opinion.doubtful for row in found for opinion in row) == 2


def test_nobody_speaks_for_themselves(population: Population) -> None:
    """Five photos of one student in the wrong folder do not make each other right."""
    asha = shows(population, *[(NEUTRAL, "sad")] * 5, (NEUTRAL, "neutral"))
    ben = shows(population, (NEUTRAL, "neutral"))
    found = opinions(population, [asha, ben])[0]
    assert [opinion.doubtful for opinion in found] == [True] * 5 + [False]


def test_nobody_and_nothing(population: Population) -> None:
    assert opinions(population, []) == []
    assert opinions(population, [SupportSet.empty(DIMENSION)]) == [[]]
