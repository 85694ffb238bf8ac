from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import save_file
from small_world_of_people import CLASSES, album_of, made_album, world

from fewshot.errors import DimensionMismatch, UsageError
from fewshot.models.files import WEIGHTS
from fewshot.prototypes.estimators import Hierarchical
from fewshot.research.datasets.subjects import Picture
from fewshot.research.evaluation.album import Album, faces_found
from fewshot.research.evaluation.controls import (
    ANOTHER,
    CLASSMATES,
    CONTROLS,
    LOOKS,
    NO_NEUTRAL,
    NO_PHOTO,
    OWN,
    OWN_NO_NEUTRAL,
    Readings,
    by_subject,
    false_neutral,
    gained,
    nearest,
    read_class,
)
from fewshot.research.evaluation.enrolled_class import Room
from fewshot.research.evaluation.enrollment_protocol import Enrollment, classified, controls_of, everybody, plots_of
from fewshot.research.evaluation.enrollment_schemes import schemes_of
from fewshot.research.evaluation.estimators import Mean
from fewshot.research.evaluation.peer_population import centred_means
from fewshot.research.evaluation.protocol_results import Context
from fewshot.research.evaluation.support_draws import Draw, choose, each, few_shots, leave_one_emotion_out, only, uneven
from fewshot.research.evaluation.vectors import Embedded
from fewshot.types import EMOTIONS

NOBODY = Album(np.zeros((0, 16), np.float32), (), ())


def test_an_album_keeps_found_faces_of_the_emotions_that_were_asked_for():
    assert len(Album.of([], np.zeros((0, 4), np.float32), np.zeros(0, bool))) == 0
    pictures = [Picture("x", "a", "p1", "happy"), Picture("x", "b", "p1", "contempt"), Picture("x", "c", "p2", "sad")]
    album = Album.of(pictures, np.eye(3, dtype=np.float32), np.array([True, True, False]))
    assert (album.subjects, album.emotions) == (("p1",), ("happy",))
    assert Album.of(pictures, np.eye(3, dtype=np.float32), np.ones(3, bool), ["contempt"]).subjects == ("p1",)


def test_an_album_must_belong_together():
    with pytest.raises(UsageError, match="same photos"):
        Album(np.zeros((2, 3), np.float32), ("a",), ("happy", "sad"))
    with pytest.raises(DimensionMismatch):
        Album(np.zeros(3, np.float32), ("a",) * 3, ("happy",) * 3)


def test_an_album_may_be_enrolled_with_more_care_than_it_is_read():
    album = album_of({"a": {"neutral": 2}})
    careful = replace(album, enrolled=album.vectors + 1)
    np.testing.assert_array_equal(careful.supports([1]).vectors, album.vectors[[1]] + 1)
    np.testing.assert_array_equal(album.supports([1]).vectors, album.vectors[[1]])
    with pytest.raises(DimensionMismatch, match="as they are enrolled"):
        replace(album, enrolled=album.vectors[:1])


def test_ten_looks_are_a_row_of_their_own():
    population, rng = world()
    album = made_album(population, rng, people=3, takes=2)
    protocol = Enrollment(draws=2, resamples=20)
    schemes = schemes_of("jaffe", album, 2, seed=0)[:4]
    found = protocol.measure(population, replace(album, enrolled=album.vectors), schemes, [Hierarchical()], seed=0)
    gains = [row for row in protocol.gains(found, schemes, "jaffe", "ours", 0) if row["this"] == LOOKS]
    assert [row["gain"].value for row in gains] == [0.0] * 3  # the same vectors
    noisy = replace(album, enrolled=rng.normal(size=album.vectors.shape).astype(np.float32))
    found = protocol.measure(population, noisy, schemes, [Hierarchical()], seed=0)
    gains = [row for row in protocol.gains(found, schemes, "jaffe", "ours", 0) if row["this"] == LOOKS]
    assert max(row["gain"].value for row in gains) < 0


def test_all_takes_are_enrolled_equally_often():
    album = album_of({"p": {"happy": 3, "sad": 4, "neutral": 2}})
    for shots in (1, 2):
        used = Counter(row for draw in range(12) for row in choose(album, each(shots), draw, seed=1)["p"])
        per_take = {emotion: [used[row] for row in album.cells()["p"][emotion]] for emotion in ("happy", "sad")}
        assert per_take == {"happy": [4 * shots] * 3, "sad": [3 * shots] * 4}
        # Of two takes one is always kept to be asked about.
        assert [used[row] for row in album.cells()["p"]["neutral"]] == [6, 6]


def test_draws_are_the_same_for_a_seed_and_differ_between_seeds():
    album = album_of({f"p{k}": {"happy": 4, "neutral": 4} for k in range(5)})
    one, again, other = (few_shots(album, each(2), each(2), 6, seed) for seed in (1, 1, 2))
    assert one == again
    assert one != other


@pytest.mark.parametrize(
    ("album", "tested"),
    [
        (NOBODY, {}),
        (album_of({"a": {"happy": 2}}), {}),  # nothing to bring
        (album_of({"a": {"neutral": 1, "happy": 2}}), {}),  # the one neutral is kept to be asked
        (album_of({"a": {"neutral": 2, "happy": 2}, "b": {"happy": 1}}), {"a": 3}),
    ],
)
def test_who_brings_nothing_is_not_tested_and_nobody_is_asked_what_they_brought(album, tested):
    (draw,) = few_shots(album, only(neutral=1), only(neutral=1), 1, seed=0)
    assert {who: len(rows) for who, rows in draw.queries.items() if rows} == tested
    for who, rows in draw.queries.items():
        assert not set(rows) & set(draw.own[who])


def test_uneven_draws_bring_every_number_of_photos():
    album = album_of({f"p{k}": dict.fromkeys(EMOTIONS, 4) for k in range(20)})
    rows = choose(album, uneven(3, seed=0), 0, seed=0)
    counts = Counter((who, album.emotions[row]) for who, mine in rows.items() for row in mine)
    numbers = Counter(counts[f"p{k}", emotion] for k in range(20) for emotion in EMOTIONS)
    assert set(numbers) == {0, 1, 2, 3}
    assert min(numbers.values()) > 140 / 4 / 2


@pytest.mark.parametrize("class_has_it", [False, True])
def test_leaving_one_emotion_out(class_has_it):
    album = album_of({"a": {"neutral": 1, "happy": 1, "sad": 1}, "b": {"happy": 1, "sad": 1}})
    draws = leave_one_emotion_out(album, class_has_it, EMOTIONS)
    assert len(draws) == 6
    happy = draws[[emotion for emotion in EMOTIONS if emotion != "neutral"].index("happy")]
    assert [album.emotions[row] for row in happy.queries["a"]] == ["happy"]
    assert happy.queries["b"] == []  # has no neutral photo
    assert {album.emotions[row] for row in happy.own["a"]} == {"neutral", "sad"}
    assert ("happy" in {album.emotions[row] for row in happy.brought["b"]}) is class_has_it


def test_scores_by_subject():
    readings = Readings()
    assert by_subject(readings) == {} == false_neutral(readings)
    readings.add("b", ["happy", "neutral", "neutral", "neutral"], ["neutral", "neutral", "neutral", "sad"])
    readings.add("a", ["sad"], ["sad"])
    assert by_subject(readings) == {"a": 1.0, "b": 0.5}
    assert by_subject(readings, balanced=True) == {"a": 1.0, "b": pytest.approx((0 + 2 / 3) / 2)}
    assert false_neutral(readings) == {"a": 0.0, "b": 1.0}


def test_nearest_prototype_and_one_left_out():
    population, _ = world()
    prototypes = Hierarchical().prototypes(population, None, [])
    z = population.prototypes + population.mean
    assert nearest(population, prototypes, z) == list(CLASSES)
    without = nearest(population, prototypes, z, ["neutral"])
    assert "neutral" not in without
    assert without[:-1] == list(CLASSES[:-1])


@pytest.mark.parametrize("estimator", [Hierarchical(), Hierarchical(classroom=False), Hierarchical(False, True, False)])
@pytest.mark.parametrize("giver", ["p0", "p3", None])
def test_a_room_gives_what_the_estimator_gives(estimator, giver):
    population, rng = world()
    album = made_album(population, rng, people=6, takes=2)
    (draw,) = few_shots(album, each(1), each(1), 1, seed=0)
    room = Room(population, estimator, album, draw)
    mates = [photos for who, photos in room.brought.items() if who not in ("p0", giver)]
    expected = estimator.prototypes(population, room.own.get(giver), mates)
    made = room.prototypes("p0", giver, classmates=True)
    np.testing.assert_allclose([p.vector for p in made], [p.vector for p in expected], atol=1e-6)
    assert [p.level for p in made] == [p.level for p in expected]


def test_a_student_alone_has_no_class():
    population, rng = world()
    album = made_album(population, rng, people=1, takes=2)
    (draw,) = few_shots(album, each(1), each(1), 1, seed=0)
    made = Room(population, Hierarchical(), album, draw).prototypes("p0", None, classmates=True)
    np.testing.assert_array_equal([p.vector for p in made], population.prototypes)


def test_a_lent_photo_is_that_of_another_and_their_place_is_empty():
    population, rng = world()
    album = made_album(population, rng, people=3, takes=2)
    (draw,) = few_shots(album, only(neutral=1), only(neutral=1), 1, seed=0)
    room = Room(population, Mean(), album, draw)
    made = room.prototypes("p0", "p2", classmates=True)
    lent = population.transform(album.vectors[draw.own["p2"]])[0]
    np.testing.assert_allclose(made[CLASSES.index("neutral")].vector, lent, atol=1e-6)


def test_the_controls_order_themselves_as_the_world_was_made():
    """With a camera of its own and students with offsets: own > classmates' > nobody's, and own > another's."""
    population, rng = world()
    album = made_album(population, rng, people=12, takes=3, camera=1.1, person=0.7)
    draws = few_shots(album, each(1), each(1), 3, seed=0)
    read = read_class(population, Hierarchical(), album, draws, CONTROLS, others=3)
    mean = {control: np.mean(list(by_subject(readings).values())) for control, readings in read.items()}
    assert mean[OWN] > mean[CLASSMATES] > mean[NO_PHOTO]
    assert mean[OWN] > mean[ANOTHER]
    assert len(read[ANOTHER]) == 3 * len(read[OWN])
    for control in (NO_NEUTRAL, OWN_NO_NEUTRAL):
        assert set(false_neutral(read[control]).values()) == {0.0}


def test_in_a_world_where_people_are_alike_nobodys_photos_matter():
    """The control of the controls: no gain is found where there is none to find."""
    population, rng = world()
    same = replace(population, variances=replace(population.variances, classroom=0.0, student=0.0, common=0.0))
    album = made_album(same, rng, people=12, takes=3, camera=0.0, person=0.0, own_way=0.0)
    protocol = Enrollment(resamples=500)
    read = read_class(same, Hierarchical(), album, few_shots(album, each(1), each(1), 3, seed=0))
    gain, subjects = gained(read[OWN], read[NO_PHOTO], 0, protocol.resamples)
    assert subjects == 12
    assert abs(gain.value) < 0.05


def test_an_unlabelled_draw_carries_no_labels():
    album = album_of({"a": {"neutral": 2}})
    (draw,) = few_shots(album, each(1), each(1), 1, seed=0, labelled=False)
    assert album.supports(draw.own["a"], draw.labelled).emotions == [None]


@pytest.mark.parametrize("dataset", ["ckplus", "jaffe", "cfee"])
def test_every_data_set_makes_its_tables(dataset):
    population, rng = world()
    album = made_album(population, rng, people=4, takes=3)
    protocol = Enrollment(draws=3, others=2, resamples=50)
    schemes = schemes_of(dataset, album, protocol.draws, seed=0)
    found = protocol.measure(population, album, schemes, [Hierarchical(), Mean()], seed=0)
    levels = protocol.levels(found, schemes, dataset, "ours", seed=0)
    gains = protocol.gains(found, schemes, dataset, "ours", seed=0)
    assert len(levels) == 1 + sum(len(controls_of(scheme, album)) + 1 for scheme in schemes[1:])
    assert len(gains) == (len(schemes) - 1) * 6
    assert {row["subject"] for row in everybody(found, schemes)} == {"p0", "p1", "p2", "p3"}
    assert protocol.levels(found, schemes, dataset, "ours", seed=0) == levels
    own = next(row for row in levels if row["read by"] == OWN)
    assert own["accuracy"].low <= own["accuracy"].value <= own["accuracy"].high
    assert own["worst tenth"] <= own["accuracy"].value


def test_the_neutral_prototype_is_removed_only_where_no_neutral_picture_is_asked():
    album = album_of({"a": {"neutral": 2, "happy": 2}, "b": {"neutral": 2, "happy": 2}})
    for scheme in schemes_of("jaffe", album, 2, seed=0)[1:]:
        assert not {NO_NEUTRAL, OWN_NO_NEUTRAL} & set(controls_of(scheme, album))
    left_out = [s for s in schemes_of("cfee", album, 3, seed=0) if s.own == "all but the one asked"]
    assert all(controls_of(scheme, album) == list(CONTROLS) for scheme in left_out)


def test_gains_are_written_with_their_sign():
    one, other = Readings(), Readings()
    one.add("a", ["happy"], ["sad"])
    other.add("a", ["happy"], ["happy"])
    gain, _ = gained(one, other, 0, 10)
    assert str(gain) == "-1.000 (-1.000 to -1.000)"


def test_an_unknown_data_set_is_refused():
    with pytest.raises(UsageError, match="Known: ckplus"):
        schemes_of("faces94", NOBODY, 1, 0)


def test_nothing_in_common_cannot_be_compared():
    one, other = Readings(), Readings()
    one.add("a", ["happy"], ["happy"])
    other.add("b", ["happy"], ["happy"])
    with pytest.raises(UsageError, match="pairs"):
        gained(one, other, 0, 10)


def test_a_draw_of_nobody_reads_nothing():
    population, _ = world()
    read = read_class(population, Hierarchical(), NOBODY, [Draw({}, {}, {})])
    assert {len(readings) for readings in read.values()} == {0}


@pytest.mark.parametrize(
    ("dataset", "plots"),
    [("ckplus", {"gains_ckplus"}), ("jaffe", {"gains_jaffe", "shots_jaffe"}), ("cfee", {"gains_cfee"})],
)
def test_plots(dataset, plots, tmp_path):
    pytest.importorskip("matplotlib")
    population, rng = world()
    album = made_album(population, rng, people=3, takes=3)
    schemes = schemes_of(dataset, album, 3, seed=0)
    found = Enrollment(draws=3).measure(population, album, schemes, [Hierarchical()], seed=0)
    made = plots_of(found, schemes, dataset, seed=0, resamples=20)
    assert set(made) == plots
    for name, plot in made.items():
        plot(tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_nobody_gives_no_plot():
    assert plots_of({("nothing | nothing", "mean", NO_PHOTO): Readings()}, [], "jaffe", 0, 10) == {}


def test_two_networks_are_compared_on_the_same_people():
    population, rng = world()
    album = made_album(population, rng, people=4, takes=3)
    worse = replace(album, vectors=rng.normal(size=album.vectors.shape).astype(np.float32))
    schemes = schemes_of("jaffe", album, 3, seed=0)[:3]
    protocol = Enrollment(draws=3, resamples=50)
    ours, theirs = (protocol.measure(population, photos, schemes, [Hierarchical()], 0) for photos in (album, worse))
    rows = protocol.against(ours, theirs, schemes, "jaffe", "peer", seed=0)
    assert [row["this"] for row in rows] == [f"{NO_PHOTO}, ours"] + [f"{NO_PHOTO}, ours", f"{OWN}, ours"] * 2
    assert min(row["gain"].value for row in rows) > 0


def test_class_means_of_a_peers_features_pinned():
    vectors = np.array([[2, 0], [4, 0], [0, 2], [0, 2]], np.float32)
    means, b = centred_means(vectors, np.array([0, 0, 1, 1]), 2)
    np.testing.assert_allclose(b, [1.5, 1.0])  # the mean of (3, 0) and (0, 2), not of all four
    away = np.array([[0.5, -1.0], [2.5, -1.0]]) / np.sqrt([[1.25], [7.25]])
    np.testing.assert_allclose(means, [away.mean(axis=0), np.array([-1.5, 1.0]) / np.sqrt(3.25)], atol=1e-6)


def test_faces_that_were_not_found_are_told():
    pictures = [Picture("x", "a", "p", "happy"), Picture("x", "b", "p", "happy"), Picture("x", "c", "p", "contempt")]
    seen = Embedded(pictures, np.zeros((3, 4), np.float32), None, np.array([True, False, False]))
    assert faces_found(seen, "x") == "x 1 of 2"
    assert faces_found(seen.only(np.zeros(3, bool)), "x") == "x 0 of 0"


def test_own_photos_are_asked_whatever_they_allow():
    album = album_of({who: dict.fromkeys(CLASSES, 3) for who in "abcd"})
    assert [scheme.name for scheme in schemes_of("own", album, 2, 0)] == [
        "nothing | nothing",
        "1 neutral | 1 neutral",
        "1 neutral | 1 an emotion",
        "1 an emotion | 1 an emotion",
        "2 an emotion | 2 an emotion",
        "all but the one asked | 1 an emotion",
    ]


def test_own_photos_of_one_take_each_enroll_the_only_neutral_one():
    album = album_of({who: {"neutral": 1, "happy": 1} for who in ("a", "b")})
    schemes = {scheme.name: scheme for scheme in schemes_of("own", album, 2, 0)}
    assert "1 an emotion | 1 an emotion" not in schemes
    draw = schemes["1 neutral | 1 neutral"].draws[0]
    assert {album.emotions[row] for rows in draw.own.values() for row in rows} == {"neutral"}
    assert {album.emotions[row] for rows in draw.queries.values() for row in rows} == {"happy"}


def test_own_photos_of_which_none_is_left_to_ask_are_refused():
    with pytest.raises(UsageError, match="count_pictures"):
        schemes_of("own", album_of({"a": {"happy": 1}, "b": {"sad": 1}}), 2, 0)


def test_a_single_person_is_read_without_anybody_else_s_photos(tmp_path):
    population, album = world()[0], album_of({"a": dict.fromkeys(CLASSES, 3)})
    protocol = Enrollment(["own"], looks=False, peers=False, draws=2, resamples=50)
    schemes = schemes_of("own", album, 2, 0)
    found = protocol.measure(population, album, schemes, [Hierarchical()], 0)
    assert {control for _, _, control in found} >= {NO_PHOTO, OWN} and ANOTHER not in {c for _, _, c in found}
    rows = protocol.levels(found, schemes, "own", "ours", 0)
    assert len(rows) == len(found) and protocol.gains(found, schemes, "own", "ours", 0)
    assert all(ANOTHER not in row for row in everybody(found, schemes))
    for name, plot in plots_of(found, schemes, "own", 0, 50).items():
        plot(tmp_path / f"{name}.png")
    assert {path.name for path in tmp_path.iterdir()} == {"gains_own.png", "shots_own.png"}


def test_classifiers_alone_are_asked_about_the_same_pictures(tmp_path):
    # A space with an axis a class, in which everybody's sad picture lies where happy ones should.
    axes = np.eye(8, dtype=np.float32)
    heads = {f"{head}.{part}": value for head, k in (("votes", 8), ("labels", 7)) for part, value in (
        ("weight", axes[:k]), ("log_scale", np.zeros((), np.float32)))}  # fmt: skip
    save_file(heads | {"votes_prior": np.log(np.full(8, 1 / 8, np.float32))}, tmp_path / "expression.safetensors")
    pictures = [Picture("x", f"{who}{kind}", who, kind) for who in "ab" for kind in ("happy", "sad", "contempt")]
    shown = [picture for picture in pictures if picture.emotion in EMOTIONS]
    place = {"happy": EMOTIONS.index("happy"), "sad": EMOTIONS.index("happy")}
    seen = Embedded(shown, axes[[place[p.emotion] for p in shown]], None, np.array([True, True, True, False]))
    context = SimpleNamespace(
        network=tmp_path / "expression_fp32.onnx",
        shared=tmp_path,
        cache=tmp_path,
        embed=lambda dataset: seen,
        faces=lambda dataset: (pictures, np.zeros((len(pictures), 8, 8), np.uint8)),
    )
    found = list(classified(context, "jaffe"))
    # The votes with and without the frequencies they came in, the labels without; no peer lies in that folder.
    assert [network for network, _, _ in found] == ["ours"] * 3
    for _, _, readings in found:
        assert (readings.truth, readings.predicted) == (["happy", "sad", "happy"], ["happy"] * 3)
        assert list(by_subject(readings).values()) == [0.5, 1.0]


class FewPictures(Context):
    """The first pictures of every data set."""

    def pictures(self, dataset, emotions=EMOTIONS):
        return super().pictures(dataset, emotions)[:21]


def test_every_network_is_asked_about_real_people(tmp_path, shared):
    context = FewPictures(shared, WEIGHTS / "expression.onnx", tmp_path)
    found = {network: readings for network, _, readings in classified(context, "jaffe")}
    assert set(found) >= {"ours", "face-api.js"}
    assert len({(*readings.truth, *readings.subjects) for readings in found.values()}) == 1
    for readings in found.values():
        assert np.mean(np.array(readings.truth) == np.array(readings.predicted)) > 0.3
