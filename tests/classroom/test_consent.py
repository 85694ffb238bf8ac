from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fewshot.classroom.consent import CONSENT_FILE, Consent, make_consent, read_consent_list, write_consent_list
from fewshot.classroom.dates import day_comes_first, parse_day
from fewshot.classroom.store import ClassStore
from fewshot.cli import app
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
    consents = read_consent_list(path).consents
    assert consents["asha"] == Consent("her mother", TODAY, "a study", date(2027, 7, 31))
    assert consents["bela"].until is None
    assert consents["bela"].purpose


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_consent_file_from_excel(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path / "consent.csv", "Student;Given_by;Date\nZoë;ihre Mutter;2026-11-20\n", encoding)
    assert read_consent_list(path).consents["Zoë"].given_by == "ihre Mutter"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "no column"),
        ("student,date\nasha,2026-11-20\n", "given_by"),
        ("student,given_by,date\nasha,,2026-11-20\n", "line 2: given_by is empty"),
        ("student,given_by,date\nasha,herself,20.13.2026\n", "not a date"),
        ("student,given_by,date\nasha,a,2026-11-20\nasha,b,2026-11-20\n", "two rows"),
        ("student,given_by,date\n../x,a,2026-11-20\n", "cannot be the name"),
    ],
)
def test_faulty_consent_files_name_the_fault(tmp_path: Path, text: str, word: str) -> None:
    try:
        listed = read_consent_list(write(tmp_path / "consent.csv", text))
        said = " ".join([*listed.problems.values(), *listed.faults])
    except UsageError as error:  # without its columns nobody's row can be read
        said = str(error)
    assert word in said


def test_a_consent_does_not_hold_before_its_date() -> None:
    consent = Consent("herself", TODAY)
    assert [consent.holds(day) for day in (date(2026, 11, 19), TODAY)] == [False, True]
    assert consent.why_not(date(2026, 11, 19)) == "the consent is dated 2026-11-20, which is in the future"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20", "20.11.2026", "20.11.26", "20/11/2026", "11/20/2026", "20-11-2026", "2026/11/20", "46346",
        "46346.0", "20 Nov 2026", "20-Nov-26", "20. November 2026", "November 20, 2026", "20.11.2026 00:00",
        "2026-11-20T08:30:00", "20 novembre 2026", " 20 . 11 . 2026 ",
        "46346.35417", "46346,35417", "Friday, November 20, 2026", "Fri, 20 Nov 2026", "Freitag, 20. November 2026",
        "20th November 2026", "Nov. 20th, 2026", "2026年11月20日", "2026. 11. 20.", "20-XI-2026",
        "2026-11-20 08:30:00+01:00", "2026-11-20T08:30:00.000Z",
    ],
)  # fmt: skip
def test_dates_as_people_and_spreadsheets_write_them(text: str) -> None:
    assert parse_day(text, "here") == TODAY


@pytest.mark.parametrize(
    "text",
    [
        "tomorrow",
        "31.02.2026",
        "20.13.2026",
        "2026",
        "1.1.1",
        "20 Foo 2026",
        "",
        "20.11.",
        "99/99/2026",
        "46346.",
        "Friday",
        "20-XIII-2026",
        "Foo, 20 Nov",
    ],
)
def test_what_is_no_date_is_named(text: str) -> None:
    with pytest.raises(UsageError, match=r"here: .* is not a date"):
        parse_day(text, "here")


def test_a_date_that_may_be_two_days_is_asked_about() -> None:
    with pytest.raises(UsageError, match="5 June 2026 or 6 May 2026"):
        parse_day("5/6/2026", "here")
    assert parse_day("5/6/2026", "here", day_first=True) == date(2026, 6, 5)
    assert parse_day("5/6/2026", "here", day_first=False) == date(2026, 5, 6)
    assert parse_day("5/5/2026", "here") == date(2026, 5, 5)
    assert [day_comes_first(texts) for texts in (["5/6/2026", "20/6/2026"], ["6/20/2026"], ["20/6/26", "6/20/26"])] == [
        True,
        False,
        None,
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "mac_roman", "cp850"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize(("lead", "end"), [("", "\n"), ("sep={}\n", "\r\n"), ("\n", "\r")])
def test_consent_files_of_spreadsheets(tmp_path: Path, encoding: str, separator: str, lead: str, end: str) -> None:
    rows = [["Student", "Given by", "Date"], ["Zoë", "ihre Mutter", "20.11.2026"]]
    text = lead.format(separator) + "".join(separator.join(row) + "\n" for row in rows)
    path = tmp_path / "consent.csv"
    path.write_bytes(text.replace("\n", end).encode(encoding))
    assert read_consent_list(path, ["Zoë"]).consents == {"Zoë": Consent("ihre Mutter", TODAY)}


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("cp1257", "Šarūnas"), ("cp775", "Ģirts"), ("cp852", "Łukasz"), ("koi8_r", "Анна"), ("cp874", "สมชาย")],
)
def test_consent_files_of_other_countries(tmp_path: Path, encoding: str, name: str) -> None:
    path = tmp_path / "consent.csv"
    path.write_bytes(f"student,given_by,date\n{name},x,2026-11-20\n".encode(encoding))
    assert read_consent_list(path, [name]).consents == {name: Consent("x", TODAY)}


@pytest.mark.parametrize(
    ("encoding", "given"),
    [
        ("cp1252", "Jörg Müller, Vater"), ("mac_roman", "Jürgen Müller, père René"), ("mac_roman", "Zoë Ängström"),
        ("mac_roman", "JÜRGEN MÜLLER"), ("mac_roman", "São José, Iñaki"), ("cp850", "Gisèle Müller"),
        ("cp1252", "Sean O\u2019Brien"), ("cp1252", "D\u2019Angelo, mère d\u2019Anna"), ("cp1252", "Škoda Žižek"),
        ("cp1252", "JOSÉ MUÑOZ"), ("cp1252", "Ærø Ångström"),
    ],
)  # fmt: skip
def test_a_guardian_whom_no_folder_names_is_written_as_in_the_file(tmp_path: Path, encoding: str, given: str) -> None:
    path = tmp_path / "consent.csv"
    path.write_bytes(f'student,given_by,date\nanna,"{given}",2026-11-20\n'.encode(encoding))
    assert read_consent_list(path, ["anna"]).consents == {"anna": Consent(given, TODAY)}


def test_one_faulty_row_costs_one_student(tmp_path: Path) -> None:
    path = write(
        tmp_path / "consent.csv",
        "student,given_by,date\nanna,x,soon\nbo,x,2026-11-20\ncleo,,2026-11-20\n,x,2026-11-20\na/b,x,2026-11-20\n"
        "dan,x,2026-11-20\ndan,x,2026-11-20\n",
    )
    listed = read_consent_list(path)
    assert list(listed.consents) == ["bo", "dan"]
    assert list(listed.problems) == ["anna", "cleo"] and "line 2: 'soon' is not a date" in listed.problems["anna"]
    assert "line 5: student is empty" in listed.faults[0] and "line 6: 'a/b'" in listed.faults[1]
    assert "line 4: given_by is empty" in listed.problems["cleo"]


def test_the_list_to_fill_in_is_read_again_with_every_name_as_it_was(tmp_path: Path) -> None:
    names = ["Asha P.", "=SUM", "+1", "@ben", "\u05d3\u05e0\u05d4", "\U0001f98a Fox", "O'Hara, Liz", "'quoted'"]
    known = {name: Consent(f"{name}'s mother", TODAY, until=date(2027, 7, 1)) for name in names}
    path = tmp_path / CONSENT_FILE
    path.write_bytes(write_consent_list(names, known))
    assert read_consent_list(path).consents == known
    assert not [line for line in path.read_text("utf-8-sig").splitlines() if line.startswith(("=", "+", "-", "@"))]


def test_a_row_that_nobody_has_filled_in_is_no_consent(tmp_path: Path) -> None:
    path = tmp_path / CONSENT_FILE
    path.write_bytes(write_consent_list(["asha"], {}))
    listed = read_consent_list(path)
    assert listed.consents == {} and "nobody has given consent for asha yet" in listed.problems["asha"]


def test_the_command_line_ends_a_consent(fewshot_home: Path) -> None:
    store = ClassStore()
    store.create("physics")
    for name in ("asha", "ben"):
        store.record_consent("physics", name, make_consent("the parents"))

    def roster(*words: str) -> str:
        return " ".join(CliRunner().invoke(app, ["roster", *words]).output.split())

    assert "asha in physics ends today" in roster("PHYSICS", "--withdraw", "asha")
    students = store.roster("physics").students
    assert not students["asha"].consent.holds(date.today()) and students["ben"].consent.holds(date.today())
    assert "There is no student 'dan'" in roster("physics", "--withdraw", "dan")
    assert "needs the name of a class" in roster("--withdraw", "asha")
    assert "one after the other" in roster("physics", "--withdraw", "ben", "--remove", "ben")
    assert list(store.roster("physics").students) == ["asha", "ben"]
