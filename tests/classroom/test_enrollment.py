from pathlib import Path

import cv2
import numpy as np
from drawn_faces import Desk, draw_photo

from fewshot.classroom.enrollment_report import StudentResult

ASHA, BELA, CHEN = 1, 2, 3


def reasons(result: StudentResult) -> dict[str, str]:
    return {photo.path.name: photo.reason for photo in result.photos if photo.status == "rejected"}


def test_labelled_and_unlabelled_photos_are_kept_as_vectors(desk: Desk) -> None:
    draw_photo(desk.photos / "asha/Happiness/1.png", {ASHA: 100}, emotion=3, seed=1)
    draw_photo(desk.photos / "asha/confused/2.png", {ASHA: 90}, emotion=5, seed=2)
    draw_photo(desk.photos / "asha/3.png", {ASHA: 80}, emotion=6, seed=3)
    result = desk.enroll("asha")
    assert result.stands
    assert result.count("accepted") == 3
    assert desk.roster.students["asha"].emotions() == {None: 1, "happy": 1, "confused": 1}
    supports = desk.store.supports_of("asha")
    shown = dict(zip(supports.emotions, supports.vectors.argmax(axis=1).tolist(), strict=True))
    assert shown == {None: 6, "happy": 3, "confused": 5}
    assert len(desk.store.identities_of("asha")) == 3


def test_an_empty_folder_enrolls_nobody(desk: Desk) -> None:
    (desk.photos / "asha").mkdir(parents=True)
    result = desk.enroll("asha")
    assert not result.stands
    assert result.photos == []
    assert "asha" not in desk.roster.students


def test_enrolling_again_adds(desk: Desk) -> None:
    draw_photo(desk.photos / "asha/happy/1.png", {ASHA: 100}, seed=1)
    desk.enroll("asha")
    draw_photo(desk.photos / "asha/sad/2.png", {ASHA: 100}, seed=2)
    result = desk.enroll("asha")
    assert [photo.status for photo in result.photos] == ["already enrolled", "accepted"]
    assert result.photos[0].reason == "already enrolled as happy"
    assert len(desk.store.supports_of("asha")) == 2
    again = desk.enroll("asha")
    assert again.count("already enrolled") == 2
    assert again.stands


def test_faults_of_single_photos_have_reasons_and_the_rest_goes_on(desk: Desk) -> None:
    folder = desk.photos / "asha" / "happy"
    draw_photo(folder / "good.png", {ASHA: 100}, seed=1)
    draw_photo(folder / "nobody.png", {}, seed=2)
    draw_photo(folder / "pair.png", {ASHA: 100, BELA: 90}, seed=3)
    draw_photo(folder / "subject.png", {ASHA: 120, BELA: 50}, seed=4)
    draw_photo(folder / "tiny.png", {ASHA: 30}, seed=5)
    (folder / "text.jpg").write_text("not a picture")
    (folder / "notes.txt").write_text("shopping")
    (folder / ".DS_Store").write_text("")
    draw_photo(desk.photos / "asha/unsure/x.png", {ASHA: 100}, seed=6)
    result = desk.enroll("asha")
    found = reasons(result)
    assert set(found) == {"nobody.png", "pair.png", "tiny.png", "text.jpg", "notes.txt", "x.png"}
    assert "no face found" in found["nobody.png"]
    assert "2 faces, and none is clearly the largest" in found["pair.png"]
    assert "too small" in found["tiny.png"]
    assert "not a picture" in found["text.jpg"]
    assert "name of a state" in found["x.png"]
    assert result.count("accepted") == 2


def test_the_same_photo_twice(desk: Desk) -> None:
    one = draw_photo(desk.photos / "asha/happy/1.png", {ASHA: 100}, seed=1)
    (desk.photos / "asha/happy/2.png").write_bytes(one.read_bytes())
    picture = cv2.imread(str(one))
    cv2.imwrite(str(desk.photos / "asha/happy/3.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 95])
    found = reasons(desk.enroll("asha"))
    assert "the same photo as happy/1.png" in found["2.png"]
    assert "a copy of happy/1.png, saved again" in found["3.jpg"]
    cv2.imwrite(str(desk.photos / "asha/happy/4.bmp"), picture)
    assert desk.enroll("asha").photos[3].status == "already enrolled"


def test_a_photo_of_somebody_else_among_a_students(desk: Desk) -> None:
    for number in range(3):
        draw_photo(desk.photos / f"bela/happy/{number}.png", {BELA: 100}, seed=number)
        draw_photo(desk.photos / f"asha/happy/{number}.png", {ASHA: 100}, seed=10 + number)
    desk.enroll("bela")
    draw_photo(desk.photos / "asha/sad/wrong.png", {BELA: 100}, seed=20)
    result = desk.enroll("asha")
    assert reasons(result) == {"wrong.png": "not the same person as in asha's other photos; it looks like bela"}
    draw_photo(desk.photos / "asha/sad/later.png", {CHEN: 100}, seed=21)
    assert reasons(desk.enroll("asha"))["later.png"] == "not the same person as in asha's other photos"


def test_two_photos_of_two_people_enroll_nobody(desk: Desk) -> None:
    draw_photo(desk.photos / "asha/happy/1.png", {ASHA: 100}, seed=1)
    draw_photo(desk.photos / "asha/happy/2.png", {BELA: 100}, seed=2)
    result = desk.enroll("asha")
    assert not result.stands
    assert all("not clear who asha is" in reason for reason in reasons(result).values())


def test_a_student_who_is_somebody_else_already(desk: Desk) -> None:
    draw_photo(desk.photos / "asha/happy/1.png", {ASHA: 100}, seed=1)
    draw_photo(desk.photos / "zoe/sad/1.png", {ASHA: 90}, seed=2)
    (desk.photos / "yan").mkdir()
    (desk.photos / "yan/1.png").write_bytes((desk.photos / "asha/happy/1.png").read_bytes())
    assert desk.enroll("asha").stands
    zoe, yan = desk.enroll("zoe"), desk.enroll("yan")
    assert not zoe.stands
    assert "shows asha, who is already enrolled" in reasons(zoe)["1.png"]
    assert not yan.stands
    assert "the same photo is enrolled for asha" in reasons(yan)["1.png"]
    assert list(desk.store.students()) == ["asha"]


def test_a_student_without_a_neutral_face_is_told(desk: Desk) -> None:
    desk.neutral = False
    draw_photo(desk.photos / "asha/confused/1.png", {ASHA: 100}, seed=1)
    notes = desk.enroll("asha").notes
    assert "no photo of a neutral face" in notes[0]
    assert "confused will be shown as unsure" in notes[0]
    draw_photo(desk.photos / "asha/2.png", {ASHA: 100}, seed=2)
    assert "no photo is clearly neutral" in desk.enroll("asha").notes[0]


def test_large_photos_are_looked_at_in_a_moderate_size(desk: Desk) -> None:
    path = desk.photos / "asha" / "large.png"
    draw_photo(path, {ASHA: 100}, seed=1)
    cv2.imwrite(str(path), cv2.resize(cv2.imread(str(path)), (4800, 3200), interpolation=cv2.INTER_NEAREST))
    assert desk.enroll("asha").stands


def test_an_unreadable_student_folder_name(desk: Desk, tmp_path: Path) -> None:
    photo = np.zeros((8, 8, 3), np.uint8)
    (desk.photos / "asha").mkdir(parents=True)
    cv2.imwrite(str(desk.photos / "asha" / "1.png"), photo)
    assert "no face found (8x8)" in desk.enroll("asha").photos[0].reason


def test_a_face_that_is_small_only_in_the_reduced_photo_is_used(desk: Desk) -> None:
    path = draw_photo(desk.photos / "asha" / "neutral" / "1.png", {ASHA: 100}, seed=1)
    whole = np.full((4000, 6000, 3), 128, np.uint8)
    small = cv2.imread(str(path))
    whole[: small.shape[0], : small.shape[1]] = small
    cv2.imwrite(str(path), whole)
    result = desk.enroll("asha")
    assert result.count("accepted") == 1, reasons(result)
    assert desk.roster.students["asha"].emotions() == {"neutral": 1}
