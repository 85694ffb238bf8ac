from datetime import date, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_faces import DrawnEyes, SlowEyes, draw_class, draw_frame, draw_photo, see_drawings

from fewshot import Classroom
from fewshot.classroom.store import class_names
from fewshot.errors import DimensionMismatch, StoreError, UsageError
from fewshot.faces.tracker import Tracker
from fewshot.live.loop import Loop
from fewshot.live.smoothing import Smoother
from fewshot.live.sources import FrameSource
from fewshot.session.lessons import LessonStore
from fewshot.types import EMOTIONS, Frame, Reading

ASHA, BELA, STRANGER = 1, 2, 5
HAPPY, NEUTRAL = 3, 6


@pytest.fixture(autouse=True)
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    see_drawings(monkeypatch)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two photos of each of two students."""
    return draw_class(tmp_path / "photos", {"asha": ASHA, "bela": BELA})


def lesson(tmp_path: Path, people: dict[int, int], frames: int = 12) -> list[Frame]:
    return [draw_frame(tmp_path / "lesson.png", people)] * frames


def test_a_photo_that_looks_otherwise_is_enrolled_as_said_and_pointed_out(photos: Path) -> None:
    draw_photo(photos / "asha/sad/3.png", {ASHA: 100}, emotion=HAPPY, seed=71)
    report = Classroom.temporary("physics").enroll_folder(photos, consent_by="their parents")
    asha, bela = report.students
    assert asha.count("accepted") == 3 and bela.doubtful == []
    (photo,) = asha.doubtful
    assert photo.path.name == "3.png" and photo.doubt == "looks happy, but is enrolled as sad. Is that right?"


def test_a_photo_that_was_moved_to_another_folder_counts_as_that(photos: Path) -> None:
    wrong = draw_photo(photos / "asha/sad/3.png", {ASHA: 100}, emotion=HAPPY, seed=71)
    Classroom.open("physics").enroll_folder(photos, consent_by="their parents")
    wrong.rename(photos / "asha/happy/3.png")
    room = Classroom.open("physics")
    asha, _ = room.enroll_folder(photos).students
    assert asha.count("already enrolled") == 3 and asha.doubtful == []
    assert "happy/3.png was enrolled as sad and is now enrolled as happy" in asha.notes
    assert room.enroll_folder(photos).students[0].doubtful == []
    (photos / "asha/happy/3.png").rename(photos / "asha/sad/3.png")
    assert [photo.looks for photo in room.enroll_folder(photos).students[0].doubtful] == ["happy"]
    (photos / "asha/sad/3.png").rename(photos / "asha/happy/3.png")
    room.enroll_folder(photos)
    again = Classroom.open("physics")
    assert again.roster().students["asha"].emotions() == {"happy": 2, "neutral": 1}
    store = again.vectors()
    assert store is not None and sorted(map(str, store.supports_of("asha").emotions)) == ["happy", "happy", "neutral"]


def test_enroll_watch_remove(photos: Path, tmp_path: Path, fewshot_home: Path) -> None:
    room = Classroom.open("physics")
    assert not room.exists
    report = room.enroll_folder(photos, consent_by="their parents")
    assert report.standing == ["asha", "bela"]
    assert class_names() == ["physics"]
    again = Classroom.open("physics")
    assert again.students == ["asha", "bela"]
    results = list(again.watch(lesson(tmp_path, {ASHA: 100, STRANGER: 90, BELA: 80})))
    assert len(results) == 12
    last = results[-1].readings
    assert [reading.student for reading in last] == ["asha", None, "bela"]
    assert [reading.emotion for reading in last] == ["happy"] * 3
    assert [reading.prototypes for reading in last] == ["personal", "class", "personal"]
    again.remove("asha")
    assert again.students == ["bela"]
    left = b"".join(path.read_bytes() for path in fewshot_home.rglob("*") if path.is_file())
    # Names are sealed; tests/vault looks with the keys for what an erasure leaves.
    assert left and b"asha" not in left and b"bela" not in left
    assert [r.student for r in list(again.watch(lesson(tmp_path, {ASHA: 100})))[-1].readings] == [None]
    again.remove("bela")
    assert class_names() == []


def test_enroll_files_of_one_student(photos: Path) -> None:
    room = Classroom.open("physics")
    files = [photos / "asha/happy/1.png", str(photos / "asha/neutral/2.png"), "nowhere.png"]
    result = room.enroll("asha", files, consent_by="her mother, 2026-11-20")
    assert result.stands
    assert [photo.status for photo in result.photos] == ["accepted", "accepted", "rejected"]
    assert "no file nowhere.png" in result.photos[2].reason
    assert room.roster().students["asha"].emotions() == {None: 2}
    assert room.enroll("bela", photos / "bela", consent_by="himself").count("accepted") == 2
    assert room.roster().students["bela"].emotions() == {"happy": 1, "neutral": 1}
    labelled = draw_photo(photos / "x.png", {BELA: 100}, emotion=1, seed=77)
    room.enroll("bela", labelled, emotion="Confused")
    assert room.roster().students["bela"].emotions()["confused"] == 1


@pytest.mark.parametrize("wrong", ["zoe", "Asha", "", "as/ha"])
def test_only_a_student_who_is_there_can_be_a_double(photos: Path, wrong: str) -> None:
    room = Classroom.open("physics")
    room.enroll("asha", photos / "asha", consent_by="her mother")
    room.perception.find = None  # type: ignore[assignment]  # the name is checked before any photo is looked at
    with pytest.raises(UsageError, match=r"Students: asha, mia|cannot be the name of a student"):
        room.enroll("mia", photos / "bela", consent_by="her mother", looks_like=[wrong])
    assert room.students == ["asha"]


@pytest.mark.parametrize("names", [["asha"], " asha\u200b ", ["mia"]])
def test_a_double_may_be_typed_in_any_spelling(photos: Path, names: str | list[str]) -> None:
    room = Classroom.open("physics")
    room.enroll("asha", photos / "asha", consent_by="her mother")
    for emotion, seed in ((HAPPY, 11), (NEUTRAL, 12)):
        draw_photo(photos / f"mia/{seed}.png", {ASHA: 100}, emotion=emotion, seed=seed)
    assert room.enroll("mia", photos / "mia", consent_by="her mother").looks_like == "asha"
    assert room.enroll("mia", photos / "mia", consent_by="her mother", looks_like=names).stands


def test_without_consent_nobody_is_enrolled(photos: Path, fewshot_home: Path) -> None:
    room = Classroom.open("physics")
    with pytest.raises(UsageError, match=r"fewshot enroll physics .*--consent-by"):
        room.enroll_folder(photos)
    with pytest.raises(UsageError, match="--consent-by"):
        room.enroll("asha", [photos / "asha/happy/1.png"])
    assert class_names() == []


def test_consent_file_counts_student_by_student(photos: Path) -> None:
    (photos / "consent.csv").write_text(
        "student,given_by,date,until\nasha,her mother,2026-01-01,\n"
        "bela,him,2020-01-01,2020-12-31\ncarl,he,2026-01-01,\n"
    )
    report = Classroom.open("physics").enroll_folder(photos, consent_by="the school")
    assert report.standing == ["asha"]
    assert report.students[1].photos[0].reason == "no consent that is valid today"
    assert "carl" in report.notes[0]


def test_who_lost_consent_is_not_recognised(photos: Path, tmp_path: Path) -> None:
    room = Classroom.open("physics")
    room.enroll_folder(photos, consent_by="their parents", consent_until=date.today() + timedelta(days=30))
    room.store.withdraw_consent("physics", "asha")
    assert room.ended_consents() == ["asha"]
    result = list(room.watch(lesson(tmp_path, {ASHA: 100, BELA: 90})))[-1]
    assert [reading.student for reading in result.readings] == [None, "bela"]
    assert room.students == ["asha", "bela"]


def test_nobody_accepted_makes_no_class(tmp_path: Path) -> None:
    draw_photo(tmp_path / "photos/asha/1.png", {}, seed=1)
    report = Classroom.open("physics").enroll_folder(tmp_path / "photos", consent_by="her mother")
    assert report.standing == []
    assert class_names() == []


def test_pictures_outside_the_students_folders_are_named(photos: Path) -> None:
    draw_photo(photos / "loose.png", {ASHA: 100}, seed=8)
    notes = Classroom.open("physics").enroll_folder(photos, consent_by="x").notes
    assert "1 picture in" in notes[0]


@pytest.mark.parametrize("action", ["watch", "remove"])
def test_a_class_that_does_not_exist(photos: Path, action: str) -> None:
    Classroom.open("maths").enroll_folder(photos, consent_by="x")
    room = Classroom.open("physics")
    with pytest.raises(UsageError, match=r"no class 'physics'.*maths"):
        room.watch([]) if action == "watch" else room.remove("asha")


def test_a_store_of_another_network_is_refused(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Classroom.open("physics").enroll_folder(photos, consent_by="x")
    monkeypatch.setattr(DrawnEyes, "network", "drawn-2")
    room = Classroom.open("physics")
    with pytest.raises(StoreError, match="drawn-2"):
        room.watch([])
    with pytest.raises(StoreError, match="drawn-2"):
        room.enroll_folder(photos, consent_by="x")


def test_a_damaged_database_is_named_and_never_written_over(photos: Path, fewshot_home: Path) -> None:
    Classroom.open("physics").enroll_folder(photos, consent_by="x")
    path = fewshot_home / "fewshot.db"
    path.write_bytes(b"not a database at all" * 100)
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(StoreError, match=r"fewshot\.db is damaged"):
            Classroom.open("physics").enroll_folder(photos, consent_by="x")
    assert path.read_bytes() == before


def test_a_folder_with_a_class_of_its_own(photos: Path, tmp_path: Path) -> None:
    room = Classroom.in_folder(tmp_path / "demo")
    room.enroll_folder(photos, consent_by="x")
    assert room.name == "demo"
    assert Classroom.in_folder(tmp_path / "demo").students == ["asha", "bela"]
    assert class_names() == []


def test_a_correction_is_learned_by_the_loop_that_runs_and_can_be_undone(photos: Path, tmp_path: Path) -> None:
    room = Classroom.open("physics")
    room.enroll_folder(photos, consent_by="x")
    loop, frames = room.loop(), lesson(tmp_path, {ASHA: 100})
    recorder = room.recorder("a picture", "first")
    steps = list(loop.run(FrameSource(frames, 15.0)))
    before = room.vectors().prototypes_of("asha")
    vector = steps[-1].faces[0].expression
    assert steps[-1].result.readings[0].emotion == "happy"
    for step in steps:
        recorder.write(step.result, step.frame)
    recorder.close()
    number = room.correct(recorder.lesson, "asha", 0.5, "Concentrating", vector, said="happy")
    shown = list(loop.run(FrameSource(frames, 15.0)))[-1].result.readings[0]
    assert shown.probabilities["concentrating"] > 0.3
    after = room.vectors().prototypes_of("asha")
    assert after.emotions == (*before.emotions, "concentrating")
    kept = LessonStore().load(recorder.lesson)
    assert [(c.id, c.student, c.said, c.actually, c.undone) for c in kept.corrections] == [
        (number, "asha", "happy", "concentrating", False)
    ]
    (learned,) = Classroom.open("physics").corrections()  # whoever opens the class later sees it
    assert (learned.id, learned.student, learned.said, learned.actually) == (number, "asha", "happy", "concentrating")
    assert learned.lesson == recorder.lesson and learned.second == 0.5
    room.undo(number)
    room.undo(number)
    assert room.corrections() == []
    assert "concentrating" not in list(loop.run(FrameSource(frames, 15.0)))[-1].result.readings[0].probabilities
    np.testing.assert_array_equal(room.vectors().prototypes_of("asha").matrix, before.matrix)
    assert LessonStore().load(recorder.lesson).corrections[0].undone


def test_a_correction_moves_the_prototype_of_a_known_emotion(photos: Path) -> None:
    room = Classroom.open("physics")
    room.enroll_folder(photos, consent_by="x")
    number = room.recorder().lesson
    vector = np.eye(8, dtype=np.float32)[5]
    place = EMOTIONS.index("sad")
    before = room.vectors().prototypes_of("asha").matrix[place]
    room.correct(number, "asha", 0.0, "sad", vector)
    after = room.vectors().prototypes_of("asha").matrix[place]
    assert np.linalg.norm(after - vector) < np.linalg.norm(before - vector) - 0.1


def test_corrections_that_cannot_be(photos: Path) -> None:
    room = Classroom.open("physics")
    room.enroll_folder(photos, consent_by="x")
    number, vector = room.recorder().lesson, np.eye(8, dtype=np.float32)[5]
    with pytest.raises(UsageError, match="no lesson 99"):
        room.correct(99, "asha", 0.0, "sad", vector)
    with pytest.raises(UsageError, match="no student 'zoe'"):
        room.correct(number, "zoe", 0.0, "sad", vector)
    with pytest.raises(UsageError, match="name of a state"):
        room.correct(number, "asha", 0.0, "unsure", vector)
    with pytest.raises(DimensionMismatch, match="another network"):
        room.correct(number, "asha", 0.0, "sad", vector[:4])
    with pytest.raises(UsageError, match="not readable"):
        room.correct(number, "asha", 0.0, "sad", vector * np.nan)
    with pytest.raises(UsageError, match="no correction 1,"):
        room.undo(1)
    counts = room.recorder(aggregate=True).lesson
    with pytest.raises(UsageError, match="counts only"):
        room.correct(counts, "asha", 0.0, "sad", vector)


def test_who_is_removed_in_mid_run_is_a_stranger_from_the_next_frame_on(photos: Path, tmp_path: Path) -> None:
    room = Classroom.open("physics")
    room.enroll_folder(photos, consent_by="x")
    frames = lesson(tmp_path, {ASHA: 100, BELA: 90}, frames=30)
    named = []
    for number, step in enumerate(room.loop().run(FrameSource(frames, 15.0))):
        if number == 15:
            room.remove("asha")
        named.append([reading.student for reading in step.result.readings])
    assert named[14] == ["asha", "bela"]
    assert named[-1] == [None, "bela"]
    assert "asha" not in {name for row in named[16:] for name in row}


def test_a_sample_class_needs_no_consent(photos: Path) -> None:
    room = Classroom.open("sample")
    room.create(sample=True)
    assert room.exists
    assert room.enroll_folder(photos).standing == ["asha", "bela"]
    assert room.enroll("chen", draw_photo(photos / "x.png", {3: 100}, seed=9)).stands
    assert room.ended_consents() == []
    assert LessonStore().info(room.recorder().lesson).sample


def test_a_class_keeps_to_the_recogniser_it_was_enrolled_with(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def open_perception(*args: object, **options: str) -> DrawnEyes:
        asked.append(options["recogniser"])
        return DrawnEyes()

    monkeypatch.setattr("fewshot.class_models.open_perception", open_perception)
    monkeypatch.setattr(DrawnEyes, "identity_network", "drawn-1:identity")
    Classroom.open("physics").enroll_folder(photos, consent_by="x")
    Classroom.open("physics").watch([])
    monkeypatch.setattr(DrawnEyes, "identity_network", "w600k_mbf")
    Classroom.open("maths").enroll_folder(photos, consent_by="x")
    Classroom.open("maths").watch([])
    assert asked == ["auto", "own", "auto", "mobilefacenet"]


@pytest.fixture
def enrolled(photos: Path) -> Classroom:
    Classroom.open("physics").enroll_folder(photos, consent_by="their parents")
    return Classroom.open("physics")


def after_a_change(loop: Loop, tmp_path: Path) -> Reading:
    """Asha was happy for a second at 10 frames per second; this is her first neutral frame."""
    happy = lesson(tmp_path, {ASHA: 100}, frames=10)
    neutral = cv2.imread(str(draw_photo(tmp_path / "neutral.png", {ASHA: 100}, emotion=NEUTRAL, seed=99)))
    steps = list(loop.run(FrameSource([*happy, np.asarray(neutral, np.uint8)], 10.0)))
    (reading,) = steps[-1].result.readings
    assert reading.student == "asha"
    return reading


def test_the_loop_of_a_class_obeys_the_smoother(enrolled: Classroom, tmp_path: Path) -> None:
    at_once = after_a_change(enrolled.loop(smoother=Smoother(0)), tmp_path)
    slowly = after_a_change(enrolled.loop(smoother=Smoother(60.0)), tmp_path)
    assert at_once.emotion == "neutral"
    assert slowly.probabilities["happy"] > 0.5 > at_once.probabilities["happy"]
    # None is the usual one, not none at all.
    assert after_a_change(enrolled.loop(), tmp_path).probabilities["happy"] > at_once.probabilities["happy"]


def test_the_loop_of_a_class_obeys_the_tracker(enrolled: Classroom, tmp_path: Path) -> None:
    tracker = Tracker()
    frames = lesson(tmp_path, {ASHA: 100, BELA: 90})
    first, second = ([step.result for step in enrolled.loop(tracker=tracker).run(FrameSource(frames))] for _ in "12")
    # A tracker never gives a number twice, so the second run goes on where the first ended.
    assert {reading.track for result in first for reading in result.readings} == {0, 1}
    assert {reading.track for result in second for reading in result.readings} == {2, 3}
    assert tracker.alive() == {2, 3}


def test_the_loop_of_a_class_obeys_the_budget(
    enrolled: Classroom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    eyes = SlowEyes()
    monkeypatch.setattr("fewshot.class_models.open_perception", lambda *args, **options: eyes)
    frames = lesson(tmp_path, {ASHA: 100, BELA: 90, STRANGER: 80}, frames=7)
    results = [step.result for step in enrolled.loop(budget=0.001).run(FrameSource(frames, 10.0))]
    # What a face costs is known after the first frame: from then on there is time for one, and each has its turn.
    assert eyes.embedded == [3, 1, 1, 1, 1, 1, 1]
    assert [reading.age for reading in results[0].readings] == [0.0] * 3
    assert sorted(reading.age for reading in results[-1].readings) == pytest.approx([0.0, 0.1, 0.2])
    eyes.embedded.clear()
    list(enrolled.loop().run(FrameSource(frames, 10.0)))
    assert eyes.embedded == [3] * 7
    with pytest.raises(UsageError, match="A budget of 0 ms per frame is impossible"):
        enrolled.loop(budget=0.0)
