"""Reports in another language: every message is looked up, the law also stands in English, numbers and dates fit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser

import pytest

from fewshot.research.simulation.made_lessons import Planted, make_lesson
from fewshot.session.analysis.checkin import CheckIn
from fewshot.session.analysis.moments import Moment
from fewshot.session.analysis.words import (
    LAW,
    TIME_ZONE,
    UNCERTAINTY,
    day,
    decimal_sign,
    how_sure,
    law,
    minutes,
    moment,
    percent,
    reader_locale,
)  # fmt: skip
from fewshot.session.lesson import CheckInAnswer, Correction, Lesson
from fewshot.session.report import gather, report_bytes, words
from fewshot.session.report.check_list import CheckItem
from fewshot.session.report.tables import about
from fewshot.translation import LANGUAGE, catalogue
from tests.bracketed import Bracketed, not_looked_up

EVENT = Planted(400, 120, "confused", 0.8)
LESSON = make_lesson(12, 900, 3, [EVENT], unlike={"Fatima": {"sad": 0.8}}, number=6)
EARLIER = [make_lesson(12, 900, 3, number=number) for number in range(1, 6)]
MARKED = replace(
    LESSON,
    info=replace(LESSON.info, sample=True),
    corrections=[Correction(1, 30.0, "Fatima", None, "sad", datetime(2026, 9, 1, tzinfo=UTC), False)],
)


class Devanagari(Bracketed):
    """Every message is the same word, in letters that the text font of a PDF does not have."""

    def get(self, message: str) -> str:
        return "कक्षा"


class Seen(HTMLParser):
    """All that a reader of a page sees or hears."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[str] = []
        self.language: str | None = ""
        self._style = False
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._style = tag == "style"
        self.language = dict(attrs)["lang"] if tag == "html" else self.language
        self.found += [value for name, value in attrs if name in ("aria-label", "title", "alt") and value]

    def handle_data(self, data: str) -> None:
        if not self._style:
            self.found.append(data)


@pytest.fixture
def bracketed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(catalogue, "catalogue", lambda language: Bracketed())
    before = LANGUAGE.set("de")
    yield
    LANGUAGE.reset(before)


def left(text: str, lesson: Lesson = LESSON) -> str:
    """What was not looked up, but names, what a user wrote, and the months of the dates."""
    info, days = lesson.info, [one.info.started for one in (lesson, *EARLIER)]
    months = {f"{when:%b}" for when in days} | set(reader_months())
    marks = [marker.text for marker in lesson.markers]
    return not_looked_up(
        text, [*LESSON.students, *marks, info.title, info.classroom, info.source, info.network, *months, "UTC"]
    )


def reader_months() -> list[str]:
    locale = reader_locale()
    return [] if locale is None else list(locale.months["format"]["abbreviated"].values())


def english(page: bytes, lesson: Lesson) -> list[str]:
    seen = Seen(page)
    assert seen.language == "de"
    return [text for text in seen.found if left(text, lesson)]


@pytest.mark.usefixtures("bracketed")
@pytest.mark.parametrize(
    ("lesson", "earlier", "aggregate"),
    [
        (MARKED, EARLIER, False),
        (MARKED, EARLIER, True),
        (LESSON, [], False),
        (make_lesson(3, 90), [], True),
        (make_lesson(12, 900, counts_only=True), [], True),
        (make_lesson(0, 0), [], False),
    ],
)
def test_nothing_in_english_is_left_but_the_law(lesson: Lesson, earlier: list[Lesson], aggregate: bool) -> None:
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    page = report_bytes(lesson, ".html", earlier, aggregate)[".html"]
    assert english(page, lesson) == [LAW]
    assert b"\xe2\x9f\xa6Where this may not be used" in page


@pytest.mark.usefixtures("bracketed")
def test_what_is_in_few_reports_is_looked_up_too() -> None:
    info, made = LESSON.info, datetime(2026, 9, 1, tzinfo=UTC)
    lines = tuple(
        CheckIn("Fatima", state, share, 0.1, 0.3, 0.2, lessons, chance)
        for state, share, lessons, chance in [("sad", 0.6, 3, 0.01), ("in view", 0.0, 9, 0.01), ("fear", 0.6, 9, 0.0)]
    )
    answers = [CheckInAnswer(1, "Fatima", answer, "", made) for answer in ("asked, fine", "not needed")]
    items = [
        CheckItem("Fatima", lines, info, also, carried, answer)
        for also in ((), (info,))
        for carried in (False, True)
        for answer in (None, *answers)
    ]
    moments = [
        Moment(300, 370, state, more, 0.6, 0.2, 12, 0.01, ("more happy", "less sad"), risen)
        for state in ("sad", "unsure")
        for more in (True, False)
        for risen in ((), ("fear",), ("fear", "surprise"))
    ]
    told = [text for item in items for text in (*words.item_words(item), words.item_state(item))]
    told += [text for one in moments for text in (words.moment_sentences(one), one.clause, one.sure)]
    told += [how_sure(chance) for chance in (0.001, 0.01, 0.05, 0.5)]
    contents = gather(LESSON, EARLIER)
    told += words.lead(replace(contents, items=items))
    told += words.lead(replace(contents, items=[item for item in items if item.answer]))
    told += words.lead(replace(contents, items=[]))
    assert contents.checks is not None
    told += words.lead(replace(contents, items=[], checks=replace(contents.checks, compared=0)))
    told += [
        words.check_in_words(replace(contents.checks, compared=compared, left_out=2, class_shift=True, too_few=["x"]))
        for compared in (0, 1, 9)
    ]
    told += [f"{head}" for head in words.mood_table(contents.mood)[0]]
    assert len(told) > 60 and [text for text in told if left(text)] == []


@pytest.mark.usefixtures("bracketed")
def test_a_description_for_programs_keeps_its_keys_and_has_the_law_in_both_languages() -> None:
    described = about(LESSON, False)
    assert described["where this may not be used"].splitlines() == [f"⟦{LAW}⟧", LAW]
    assert described["uncertainty"] == f"⟦{UNCERTAINTY}⟧" and law() == [f"⟦{LAW}⟧", LAW]
    files = report_bytes(LESSON, ".csv")
    assert files[".csv"].decode("utf-8-sig").startswith("lesson,second,student,state,confidence,")
    assert json.loads(files[".csv-metadata.json"])["fewshot"]["state"] == "ended"
    assert "⟦" not in files[".csv"].decode("utf-8-sig")


def test_in_english_the_law_stands_once() -> None:
    assert law() == [LAW] and about(LESSON, False)["where this may not be used"] == LAW


@pytest.mark.parametrize(
    ("language", "share", "shown", "when", "sign"),
    [
        ("en", "25.6 %", "01 Sep 2026", "01 Sep 2026, 08:30", "."),
        ("de", "25,6 %", "01.09.2026", "01.09.2026, 08:30", ","),
        ("es", "25,6 %", "1 sept 2026", "1 sept 2026, 8:30", ","),
        ("fr", "25,6 %", "1 sept. 2026", "1 sept. 2026, 08:30", ","),
        ("hi", "25.6%", "1 सित॰ 2026", "1 सित॰ 2026, 8:30 am", "."),
    ],
)
def test_numbers_and_dates_are_written_as_the_language_does(
    monkeypatch: pytest.MonkeyPatch, language: str, share: str, shown: str, when: str, sign: str
) -> None:
    pytest.importorskip("babel")
    monkeypatch.setattr(catalogue, "catalogue", lambda language: Bracketed())
    before, zone = LANGUAGE.set(language), TIME_ZONE.set(UTC)
    try:
        written = [percent(0.256, 1), day(date(2026, 9, 1)), moment(datetime(2026, 9, 1, 8, 30, tzinfo=UTC))]
        assert [" ".join(text.split()) for text in written] == [share, shown, when]
        assert percent(float("nan")) == "-" and decimal_sign() == sign
        assert minutes(90).startswith(f"1{sign}5")
    finally:
        LANGUAGE.reset(before)
        TIME_ZONE.reset(zone)


@pytest.mark.parametrize("fonts", [True, False])
def test_a_pdf_is_in_english_and_says_so_if_no_font_has_the_letters(
    monkeypatch: pytest.MonkeyPatch, fonts: bool
) -> None:
    for library in ("altair", "vl_convert", "fpdf", "uharfbuzz", "fontTools"):
        pytest.importorskip(library)
    pdfium = pytest.importorskip("pypdfium2")
    from fewshot.session.report.fonts import can_write

    monkeypatch.setattr(catalogue, "catalogue", lambda language: Devanagari())
    if not fonts:
        monkeypatch.setattr("fewshot.session.report.fonts._further", list)
    elif not can_write(["कक्षा"]):
        pytest.skip("this computer has no font with Devanagari")
    before = LANGUAGE.set("hi")
    try:
        data = report_bytes(make_lesson(12, 900, counts_only=True), ".pdf", aggregate=True)[".pdf"]
        assert LANGUAGE.get() == "hi"
    finally:
        LANGUAGE.reset(before)
    text = " ".join(page.get_textpage().get_text_range() for page in pdfium.PdfDocument(data))
    text = " ".join(text.split())
    assert ("This PDF is in English" in text) != fonts
    assert ("Mood of the class" in text) != fonts
    assert "Article 5(1)(f)" in text
    assert ("क" in text) == fonts
