from datetime import date
from pathlib import Path

import pytest

from fewshot.classroom.consent import Consent
from fewshot.classroom.roster import Photo, Roster, Student, class_folder, class_names, delete_class, no_such_class
from fewshot.errors import StoreError, UsageError

DAY = date(2026, 11, 20)


def student(key: str, until: date | None = None) -> Student:
    photos = {f"{key}-1": Photo("happy", DAY, "ff"), f"{key}-2": Photo(None, DAY, "0f")}
    return Student(key, Consent("her mother", DAY, until=until), photos)


def test_there_and_back(fewshot_home: Path) -> None:
    roster = Roster(class_folder("физика"))
    roster.students["Zoë"] = student("Zoë", until=date(2027, 7, 31))
    roster.save()
    again = Roster.load(class_folder("физика"))
    assert again.students == roster.students
    assert again.students["Zoë"].emotions() == {"happy": 1, None: 1}
    assert again.owner_of("Zoë-2") == "Zoë"
    assert again.owner_of("nobody's") is None
    assert class_names() == ["физика"]
    assert [path.name for path in again.folder.iterdir()] == ["roster.json"]


def test_a_class_that_does_not_exist_is_empty() -> None:
    assert Roster.load(class_folder("physics")).students == {}
    assert class_names() == []
    assert "no class here yet" in str(no_such_class("physics"))


def test_consent_that_ended_is_none() -> None:
    roster = Roster(class_folder("physics"), {"asha": student("asha", until=DAY), "bela": student("bela")})
    assert roster.consenting(DAY) == ["asha", "bela"]
    assert roster.consenting(date(2026, 11, 21)) == ["bela"]


def test_removing_leaves_nothing(fewshot_home: Path) -> None:
    roster = Roster(class_folder("physics"), {"asha": student("asha"), "bela": student("bela")})
    roster.save()
    roster.remove("asha")
    roster.save()
    everything = b"".join(path.read_bytes() for path in fewshot_home.rglob("*") if path.is_file())
    assert b"asha" not in everything
    assert b"bela" in everything
    with pytest.raises(UsageError, match=r"No student 'asha'.*bela"):
        roster.remove("asha")
    delete_class(roster.folder)
    assert class_names() == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}', '{"version": 1, "students": {"asha": {}}}', "\xff"])
def test_a_damaged_roster_is_named_and_kept(text: str) -> None:
    folder = class_folder("physics")
    folder.mkdir(parents=True)
    (folder / "roster.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(StoreError, match=r"roster\.json is damaged"):
        Roster.load(folder)
    assert (folder / "roster.json").read_bytes() == text.encode("latin-1")


def test_a_newer_roster_is_refused() -> None:
    folder = class_folder("physics")
    folder.mkdir(parents=True)
    (folder / "roster.json").write_text('{"version": 2, "students": {}}')
    with pytest.raises(StoreError, match="another version"):
        Roster.load(folder)


def test_a_failed_save_keeps_the_old_roster(monkeypatch: pytest.MonkeyPatch) -> None:
    roster = Roster(class_folder("physics"), {"asha": student("asha")})
    roster.save()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    roster.students["bela"] = student("bela")
    with pytest.raises(StoreError, match="No space left"):
        roster.save()
    assert list(Roster.load(roster.folder).students) == ["asha"]
    assert [path.name for path in roster.folder.iterdir()] == ["roster.json"]
