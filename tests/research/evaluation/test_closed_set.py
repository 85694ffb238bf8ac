"""The closed set: which pictures count, how readers read, and what the report says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from fewshot.errors import FewshotError, UsageError
from fewshot.prototypes.calibration import Calibration
from fewshot.prototypes.population import Population, Variances
from fewshot.research.datasets.fer2013 import PRIVATE_TEST, PUBLIC_TEST, TRAINING, Fer2013
from fewshot.research.evaluation import closed_set
from fewshot.research.evaluation.closed_set import ClosedSet, worst_mistakes
from fewshot.research.evaluation.fer import (
    CHOOSING,
    FRAMINGS,
    PLURALITY,
    PRIVATE,
    PUBLIC,
    PUBLISHED,
    PUBLISHED_8,
    SHORT,
    VALIDATION,
    FerSplits,
    fer_splits,
    fer_tests,
)
from fewshot.research.evaluation.protocol_results import Context
from fewshot.research.evaluation.readers import NEAREST, RUNTIME, WITH_PRIOR, class_vectors, runtime_reader
from fewshot.types import EMOTIONS

USAGES = (TRAINING, PUBLIC_TEST, PRIVATE_TEST)


def fer_of(votes: list[list[int]], labels: list[int], usage: list[int]) -> Fer2013:
    n = len(labels)
    columns = np.array(votes, np.float32).reshape(n, 10)
    faces = np.random.default_rng(0).integers(0, 255, (n, 48, 48)).astype(np.uint8)
    return Fer2013(faces, np.array(labels, np.int64), np.array(usage, np.int64), columns, np.zeros(n, bool))


def votes_for(**votes: int) -> list[int]:
    return [votes.get(name, 0) for name in (*EMOTIONS, "contempt", "unknown", "none")]


def test_no_pictures_are_in_no_test() -> None:
    assert {len(labels) for labels in fer_tests(fer_of([], [], []), np.zeros(0, bool)).values()} == {0}


@pytest.mark.parametrize(
    ("votes", "published", "with_contempt", "plurality"),
    [
        (votes_for(happy=10), 3, 3, 3),
        (votes_for(happy=5, sad=5), -1, -1, 3),  # no more than half
        (votes_for(happy=4, sad=1, fear=1, angry=1, surprise=1, neutral=1), 3, 3, 3),  # single votes are dropped
        (votes_for(contempt=8, neutral=2), -1, 7, -1),
        (votes_for(unknown=9), -1, -1, -1),
        (votes_for(), -1, -1, -1),
    ],
)
def test_rules_of_the_labels(votes: list[int], published: int, with_contempt: int, plurality: int) -> None:
    found = fer_tests(fer_of([votes], [5], [PRIVATE_TEST]), np.zeros(1, bool))
    assert [int(found[name][0]) for name in (PUBLISHED, PUBLISHED_8, PLURALITY, PRIVATE)] == [
        published,
        with_contempt,
        plurality,
        5,
    ]


def test_splits_do_not_mix_and_what_recurs_is_not_chosen_on() -> None:
    fer = fer_of([votes_for(sad=10)] * 4, [4] * 4, [TRAINING, PUBLIC_TEST, PUBLIC_TEST, PRIVATE_TEST])
    found = fer_tests(fer, np.array([False, False, True, True]))
    assert found[PUBLISHED].tolist() == [-1, -1, -1, 4]
    assert found[VALIDATION].tolist() == found[PUBLIC].tolist() == [-1, 4, -1, -1]
    assert set(CHOOSING) <= set(SHORT) and set(CHOOSING.values()) <= set(SHORT)


def test_unprepared_data_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"prepare\.py"):
        fer_splits(None, fer_of([], [], []), tmp_path / "none.npz", tmp_path)  # type: ignore[arg-type]


def weights_at(path: Path, prior: bool) -> Path:
    """Class vectors on the axes; with a prior that makes neutral far more frequent than all others."""
    arrays = {}
    for head, kinds in (("votes", 8), ("labels", 7)):
        arrays[f"{head}.weight"] = 3.0 * np.eye(kinds, 8, dtype=np.float16)
        arrays[f"{head}.log_scale"] = np.array(np.log(4.0), np.float16)
        if prior:
            arrays[f"{head}_prior"] = np.where(np.arange(kinds) == 6, 0.0, -4.0).astype(np.float16)
    save_file(arrays, str(path), metadata={"config": json.dumps({})})
    return path


def test_class_vectors_with_and_without_the_prior(tmp_path: Path) -> None:
    between = np.array([[0.8, 0, 0, 0, 0, 0, 0.6, 0]], np.float32)  # nearer to angry than to neutral
    plain = class_vectors(weights_at(tmp_path / "plain.safetensors", False), "votes")
    assert [reader.name for reader in plain.readers(7)] == [NEAREST]
    assert plain.scale == pytest.approx(4.0, rel=1e-3)
    prior = class_vectors(weights_at(tmp_path / "prior.safetensors", True), "votes")
    read = {reader.name: reader.logits(between) for reader in prior.readers(7)}
    assert EMOTIONS[int(read[NEAREST].argmax())] == "angry"
    assert EMOTIONS[int(read[WITH_PRIOR].argmax())] == "neutral"
    # -4 |z - p|^2 with |z - p|^2 = 2 - 2 * 0.8.
    assert read[NEAREST][0, 0] == pytest.approx(-4.0 * 0.4, rel=1e-3) and read[NEAREST].shape == (1, 7)
    assert prior.logits(between, True, 8).shape == (1, 8)
    with pytest.raises(FewshotError, match=r"identity\.weight"):
        class_vectors(tmp_path / "plain.safetensors", "identity")


def population() -> Population:
    mean = np.zeros(8, np.float32)
    prototypes = np.eye(7, 8, dtype=np.float32)
    return Population(
        "made-1", EMOTIONS, mean, prototypes, Variances(0.1, 0.1, 0.1, 0.1), Calibration((0,), (0.3,), (2,), (0,))
    )


def test_the_runtime_reads_by_its_prototypes() -> None:
    logits = runtime_reader(population()).logits(np.eye(8, dtype=np.float32)[[2]])
    assert logits.argmax() == 2 and logits[0, 2] == 0 and logits[0, 3] == pytest.approx(-2.0)


class Small(Context):
    """A context whose network was never opened."""

    embedder: Any = None
    population: Any = population()


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """Thirty pictures of each split whose vectors lie near their labels, and no peer."""
    rng, kinds = np.random.default_rng(3), np.arange(90) % 7
    votes = [votes_for(**{EMOTIONS[kind]: 10}) for kind in kinds]
    fer = fer_of(votes, kinds.tolist(), [USAGES[row // 30] for row in range(90)])
    rows = np.arange(30, 90)
    plain = {}
    for framing, noise in zip(FRAMINGS, (0.6, 0.05), strict=True):
        z = np.eye(8)[kinds[rows]] + noise * rng.normal(size=(60, 8))
        plain[framing] = (z / np.linalg.norm(z, axis=1, keepdims=True)).astype(np.float32)
    splits = FerSplits(rows, plain, plain, np.zeros(90, bool))
    monkeypatch.setattr(closed_set, "load_fer2013", lambda folder: fer)
    monkeypatch.setattr(closed_set, "fer_splits", lambda *arguments: splits)
    monkeypatch.setattr(ClosedSet, "_maps", lambda self, context: {})
    weights_at(tmp_path / "net.safetensors", True)
    return Small(shared=tmp_path, network=tmp_path / "net.onnx", outputs=tmp_path, command="it")


def test_the_reader_is_chosen_on_the_validation_set(small: Context) -> None:
    report = ClosedSet(resamples=50).run(small)
    rows = list(report.tables[0].rows)
    assert {row["test"] for row in rows} == set(CHOOSING)
    # Three readers (two of eight classes), two framings, with and without flip.
    assert len(rows) == 3 * 12 + 8
    chosen = [row for row in rows if row["chosen"]]
    assert len(chosen) == 8 and {row["framing"] for row in chosen} == {"aligned"}
    assert {row["reader"] for row in rows} == {NEAREST, WITH_PRIOR, RUNTIME}
    assert all(row["accuracy"].value == 1.0 for row in chosen)  # type: ignore[union-attr]
    assert any(row["accuracy"].value < 0.95 for row in rows if row["framing"] == "published")  # type: ignore[union-attr]
    assert report.tables[1].rows == []
    # Pictures of faces go where git does not look.
    assert (small.outputs / "sheets/closed_set_fer2013.png").is_file()


def test_development_reads_no_test(small: Context) -> None:
    rows = ClosedSet(resamples=50, development=True).run(small).tables[0].rows
    assert {str(row["test"]) for row in rows} == {VALIDATION, CHOOSING[PUBLISHED_8], PUBLIC}


def test_surest_mistakes_come_first() -> None:
    assert worst_mistakes(np.zeros((0, 7)), np.zeros(0, np.int64), np.zeros(0, np.int64)) == []
    probabilities = np.array([[0.9, 0.1], [0.3, 0.7], [0.6, 0.4], [0.2, 0.8]])
    found = worst_mistakes(probabilities, np.array([0, 0, 1, 0]), np.array([10, 11, 12, 13]), count=2)
    assert found == [(13, "angry\nread disgust\n0.80"), (11, "angry\nread disgust\n0.70")]


def test_plots_are_of_what_was_chosen(small: Context, tmp_path: Path) -> None:
    report = ClosedSet(resamples=50).run(small)
    assert set(report.plots) == {"reliability", *(f"confusion_{SHORT[test]}" for test in CHOOSING)}
    report.plots["confusion_ferplus_8"](tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 5000
