from datetime import date
from pathlib import Path

import pytest

from fewshot.classroom.consent import Consent, make_consent, read_consent_file
from fewshot.errors import UsageError

TODAY = date(2026, 11, 20)


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_text(text, encoding=encoding)
    return path


def test_consent_holds_to_the_end_of_its_last_day() -> None:
    consent = make_consent(" her mother ", "2026-11-21", TODAY)
    assert consent.given_by == "her mother"
    assert consent.holds(date(2026, 11, 21))
    assert not consent.holds(date(2026, 11, 22))
    assert make_consent("herself", None, TODAY).holds(date(2099, 1, 1))


@pytest.mark.parametrize(
    ("given_by", "until", "word"),
    [
        ("  ", None, "not known who gave consent"),
        ("him", "tomorrow", "not a date"),
        ("him", "2026-11-19", "ended"),
        ("him", "2026-02-30", "not a"),
    ],
)
def test_consent_nobody_gave_or_that_is_over(given_by: str, until: str | None, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        make_consent(given_by, until, TODAY)


def test_consent_that_was_withdrawn_holds_no_more() -> None:
    consent = Consent("herself", TODAY, until=date(2027, 1, 1), withdrawn=date(2026, 12, 24))
    days = [date(2026, 12, 23), date(2026, 12, 24), date(2027, 1, 2)]
    assert [consent.holds(day) for day in days] == [True, False, False]


def test_consent_file(tmp_path: Path) -> None:
    path = write(
        tmp_path / "consent.csv",
        "student,given_by,date,purpose,until\nasha,her mother,2026-11-20,a study,2027-07-31\n"
        "\nbela,himself,2026-11-19\n",
    )
    consents = read_consent_file(path)
    assert consents["asha"] == Consent("her mother", TODAY, "a study", date(2027, 7, 31))
    assert consents["bela"].until is None
    assert consents["bela"].purpose


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_consent_file_from_excel(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path / "consent.csv", "Student;Given_by;Date\nZoë;ihre Mutter;2026-11-20\n", encoding)
    assert read_consent_file(path)["Zoë"].given_by == "ihre Mutter"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "no column"),
        ("student,date\nasha,2026-11-20\n", "given_by"),
        ("student,given_by,date\nasha,,2026-11-20\n", "line 2: given_by is empty"),
        ("student,given_by,date\nasha,herself,20.11.2026\n", "not a date"),
        ("student,given_by,date\nasha,a,2026-11-20\nasha,b,2026-11-20\n", "two rows"),
        ("student,given_by,date\n../x,a,2026-11-20\n", "cannot be the name"),
    ],
)
def test_faulty_consent_files_name_the_fault(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        read_consent_file(write(tmp_path / "consent.csv", text))
