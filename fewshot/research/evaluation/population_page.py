"""The page of results about the population prototypes: what was compared, and what was chosen."""

from __future__ import annotations

from fewshot.prototypes.estimators import REACH
from fewshot.prototypes.population import Population
from fewshot.research.evaluation.album import Album
from fewshot.research.evaluation.choosing import (
    DEARER,
    Asked,
    allowance_rows,
    chosen_reach,
    honesty_rows,
    reach_rows,
    sensitivity_rows,
)
from fewshot.research.evaluation.population_chosen import CHOSEN_BY, ENROLLED, FER_LEAST, Choice
from fewshot.research.evaluation.protocol_results import Row, in_words
from fewshot.research.evaluation.tables import markdown


def population_page(choice: Choice) -> list[str]:
    """The page as lines of Markdown. Takes some minutes: the tables of what photos change are made on CK+."""
    population = choice.population
    return [
        "# Population prototypes: what was compared",
        "",
        "    python experiments/population.py",
        "",
        f"Network `{population.network}`. Nearest prototype, 7 classes. PublicTest by FER+'s published rule, without",
        "what recurs in PrivateTest; CK+ through the whole chain (development): nobody enrolled, and everybody with",
        "one neutral photo (balanced over emotions). RAF-DB: the tenth left out of training; Taiwan: the performers",
        "left out; press photos: all. Posed: the means of RaFD's and Taiwan's training faces, in that share.",
        "",
        _table(choice.rows),
        f"Chosen for the runtime by the mean of {', '.join((*CHOSEN_BY, ENROLLED))},",
        f"of those with at least {FER_LEAST:g} on PublicTest: **{choice.name}**.",
        f"Variances from CK+: {population.variances}.",
        f"Thresholds by photos an emotion: {population.calibration}.",
        f"States to rely on without photos (confidence.md): {', '.join(population.reliable) or 'none'}.",
        "",
        *_with_photos(population, choice.album, choice.found),
    ]


def _with_photos(population: Population, album: Album, found: dict[str, Asked]) -> list[str]:
    """What was seen on CK+ with photos enrolled, as lines of Markdown."""
    reached, allowed = reach_rows(population, album), allowance_rows(population, album)
    return [
        "What is taken off the distance to a prototype for what is not known of it, as a share of its uncertainty; CK+",
        "by one's own photos: accuracy, balanced accuracy. Chosen: the best balanced accuracy of those that cost at",
        f"most {DEARER:g} of the accuracy; the schemes that ask about nothing enrolled have no say, for there more is",
        f"always better. Shipped: {population.allowance:g}.",
        "",
        _table(allowed),
        "Temperatures with photos. CK+ has one picture of a person's emotion; what stands in for others is said in",
        "research/evaluation/made_photos.py: left out is harder than real photos, made easier. The temperature without",
        "photos is kept, because temperatures fitted to these promise too much elsewhere (confidence.md).",
        "",
        _table(honesty_rows(found, population.calibration)),
        "New states by their reach: each emotion in turn taken from the population, 2 made-up photos and a real",
        "neutral one enrolled. False alarms are of real pictures; recall is flattered by the made-up photos.",
        "",
        _table(reached),
        f"Furthest reach within the false alarms allowed on CK+: {chosen_reach(reached):g} (shipped: {REACH:g}).",
        "",
        "How much it matters that the variances are right: balanced accuracy by own photos, each variance in turn made",
        "smaller and larger. They stay as estimated.",
        "",
        _table(sensitivity_rows(population, album)),
    ]


def _table(rows: list[Row]) -> str:
    """Rows as Markdown, three digits."""
    return markdown([in_words(row) for row in rows])
