"""What the plots show, read back from the figures themselves."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="needs the extra 'dev'")

from matplotlib.colors import to_rgb

from fewshot.errors import UsageError
from fewshot.live.colours import EMOTION_COLOURS
from fewshot.research.evaluation import plots
from fewshot.research.evaluation.intervals import Interval
from fewshot.research.evaluation.scores import Reliability


def legend_of(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def line_named(axes, name):
    return next(line for line in axes.lines if line.get_label() == name)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.accuracy_against_shots({}),
        lambda: plots.confusion(np.zeros((0, 0)), []),
        lambda: plots.confusion(np.zeros((2, 2)), ["happy"]),
        lambda: plots.reliability({}),
        lambda: plots.coverage_accuracy({}),
        lambda: plots.paired_gains({}, {}),
        lambda: plots.pca(np.zeros((1, 8))),
        lambda: plots.pca(np.zeros((8, 1))),
        lambda: plots.embedding_map(np.zeros((0, 2)), [], []),
        lambda: plots.embedding_map(np.zeros((2, 2)), ["happy"], ["a", "b"]),
    ],
)
def test_nothing_to_plot_is_said(draw):
    with pytest.raises(UsageError):
        draw()


def test_accuracy_against_shots():
    curves = {
        "CL2N": {5: Interval(0.7, 0.68, 0.72), 1: Interval(0.5, 0.45, 0.55), 10: Interval(0.8, 0.79, 0.81)},
        "mean": {1: Interval(0.4, 0.35, 0.45), 10: Interval(0.6, 0.55, 0.65)},
    }
    (axes,) = plots.accuracy_against_shots(curves, "CFEE", chance=0.2).axes
    assert (axes.get_title(), axes.get_xlabel()) == ("CFEE", "photos of each class (shots)")
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "5", "10"]
    assert legend_of(axes) == ["CL2N", "mean", "chance"]
    np.testing.assert_allclose(line_named(axes, "CL2N").get_xydata(), [[0, 0.5], [1, 0.7], [2, 0.8]])
    np.testing.assert_allclose(line_named(axes, "mean").get_xydata(), [[0, 0.4], [2, 0.6]])
    assert set(line_named(axes, "chance").get_ydata()) == {0.2}
    bands = [path.vertices[:, 1] for band in axes.collections for path in band.get_paths()]
    assert [(band.min(), band.max()) for band in bands] == [(0.45, 0.81), (0.35, 0.65)]


def test_many_curves_differ_in_colour_or_style():
    curves = {f"way {k}": {1: Interval(0.5, 0.4, 0.6)} for k in range(20)}
    (axes,) = plots.accuracy_against_shots(curves).axes
    assert len({(line.get_color(), line.get_linestyle()) for line in axes.lines}) == 20


def test_confusion():
    (axes,) = plots.confusion([[30, 10, 0], [0, 5, 0], [0, 0, 0]], ["happy", "sad", "fear"], "FER+").axes
    assert {text.get_position(): text.get_text() for text in axes.texts} == {
        (0, 0): "75 %\n30",
        (1, 0): "25 %\n10",
        (1, 1): "100 %\n5",
    }
    np.testing.assert_allclose(axes.images[0].get_array(), [[0.75, 0.25, 0], [0, 1, 0], [0, 0, 0]])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["happy (40)", "sad (5)", "fear (0)"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["happy", "sad", "fear"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("read as", "shown")


def test_reliability():
    bins = Reliability(np.array([0.5, 0.9]), np.array([0.4, 0.8]), np.array([0.5, 0.5]))
    (axes,) = plots.reliability({"ours": bins}).axes
    assert legend_of(axes) == ["honest", "ours (ECE 0.100)"]
    np.testing.assert_allclose(line_named(axes, "ours (ECE 0.100)").get_xydata(), [[0.5, 0.4], [0.9, 0.8]])
    np.testing.assert_allclose(line_named(axes, "honest").get_xydata(), [[0, 0], [1, 1]])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("confidence", "accuracy")


def test_coverage_against_accuracy():
    curves = {"JAFFE": ([0.2, 1.0], [0.99, 0.8]), "CFEE": ([0.5, 1.0], [0.9, 0.7])}
    (axes,) = plots.coverage_accuracy(curves, {"JAFFE": (0.6, 0.9)}).axes
    assert legend_of(axes) == ["JAFFE", "CFEE", "as shipped"]
    np.testing.assert_allclose(line_named(axes, "CFEE").get_xydata(), [[0.5, 0.9], [1, 0.7]])
    marks = [line for line in axes.lines if line.get_marker() == "o" and len(line.get_xdata())]
    assert [tuple(mark.get_xydata()[0]) for mark in marks] == [(0.6, 0.9)]
    assert marks[0].get_color() == line_named(axes, "JAFFE").get_color()
    assert legend_of(plots.coverage_accuracy(curves).axes[0]) == ["JAFFE", "CFEE"]


def test_paired_gains():
    gains = {"own against classmates": [0.1, 0.1, 0.1, -0.2], "own against another's": [0.3]}
    intervals = {"own against classmates": Interval(0.025, -0.1, 0.1), "own against another's": Interval(0.3, 0.3, 0.3)}
    (axes,) = plots.paired_gains(gains, intervals).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [f"{name} ({len(v)})" for name, v in gains.items()]
    dots = [np.asarray(dot.get_offsets()) for dot in axes.collections if len(dot.get_offsets())]
    np.testing.assert_allclose(dots[0][:, 0], gains["own against classmates"])
    assert len({tuple(dot) for dot in dots[0]}) == 4  # equal gains do not hide each other
    assert np.abs(dots[0][:, 1]).max() < 0.5
    np.testing.assert_allclose(dots[1], [[0.3, 1]])
    drawn = [tuple(map(tuple, line.get_xydata())) for line in axes.lines]
    assert ((-0.1, 0.0), (0.1, 0.0)) in drawn and ((0.025, 0.0),) in drawn
    assert legend_of(axes) == ["a subject", "mean, 95 %"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first comparison is the uppermost


def test_pca_finds_the_directions_that_differ():
    rng = np.random.default_rng(0)
    spread = np.zeros((500, 6))
    spread[:, 2], spread[:, 4] = rng.normal(size=500) * 3, rng.normal(size=500)
    points, shares = plots.pca(spread + 5.0)
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=1e-9)
    assert abs(np.corrcoef(points[:, 0], spread[:, 2])[0, 1]) > 0.999
    assert np.corrcoef(points[:, 0], spread[:, 2])[0, 1] > 0  # the sign is fixed
    variances = spread.var(axis=0)
    np.testing.assert_allclose(shares, [variances[2] / variances.sum(), variances[4] / variances.sum()], atol=0.01)
    np.testing.assert_array_equal(plots.pca(np.ones((3, 4)))[1], [0, 0])


@pytest.mark.parametrize(("people", "named"), [(3, True), (40, False)])
def test_embedding_map(people, named):
    rng = np.random.default_rng(1)
    points = rng.normal(size=(120, 2))
    emotions = ["happy"] * 70 + ["neutral"] * 30 + ["confused"] * 20
    who = [f"S{k % people:02d}" for k in range(120)]
    figure = plots.embedding_map(points, emotions, who, shares=(0.4, 0.126), title="CK+")
    left, right = figure.axes
    assert (left.get_title(), right.get_title()) == ("by emotion", f"by person ({people})")
    assert left.get_xlabel() == "first direction, 40 % of the variance"
    assert left.get_ylabel() == "second direction, 13 % of the variance"
    assert legend_of(left) == ["happy", "neutral", "confused"]
    assert [len(dots.get_offsets()) for dots in left.collections] == [70, 30, 20]
    blue, green, red = EMOTION_COLOURS["happy"]
    np.testing.assert_allclose(left.collections[0].get_facecolor()[0][:3], [red / 255, green / 255, blue / 255])
    assert len({tuple(dots.get_facecolor()[0]) for dots in right.collections}) == people
    np.testing.assert_allclose(right.collections[0].get_offsets(), points[np.array(who) == "S00"])
    assert (right.get_legend() is not None) is named
    assert to_rgb(plots.COLOURS[0]) != to_rgb(plots.COLOURS[1])


def test_written_draws_when_it_knows_where(tmp_path):
    plot = plots.written(plots.confusion, [[3, 1], [0, 2]], ["happy", "sad"], title="FER+")
    assert not list(tmp_path.iterdir())
    plot(tmp_path / "closed_set_confusion.png")
    picture = cv2.imread(str(tmp_path / "closed_set_confusion.png"))
    assert min(picture.shape[:2]) > 200
    assert (picture.min(axis=2) < 250).sum() > 2000
