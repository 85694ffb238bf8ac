"""Reports as files, read back: HTML, PDF, CSV, Parquet, and the view without names."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from fewshot.errors import UsageError
from fewshot.research.simulation.made_lessons import Planted, make_lesson
from fewshot.session.analysis.words import LAW, UNCERTAINTY
from fewshot.session.lesson import Lesson, Marker
from fewshot.session.report import gather, report_bytes, write_report
from fewshot.session.report import words as sentences
from fewshot.session.report.contents import LEFT_OUT
from fewshot.session.report.fonts import Fonts
from fewshot.session.report.pdf import _Page
from fewshot.session.summary import clock

for library in ("altair", "vl_convert", "pyarrow", "fpdf", "uharfbuzz"):
    pytest.importorskip(library)

EVENT = Planted(400, 120, "confused", 0.8)
LESSON = make_lesson(12, 900, 3, [EVENT], unlike={"Fatima": {"sad": 0.8}}, number=6)
EARLIER = [make_lesson(12, 900, 3, number=number) for number in range(1, 6)]
EVIL = "<script>alert(1)</script>"


class Page(HTMLParser):
    """What an HTML file has: tags with attributes, text, and whether everything that opens is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "path", "circle", "line", "rect", "stop"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(report_bytes(LESSON, ".html", EARLIER)[".html"].decode("utf-8"))


def test_html_says_everything(page: Page) -> None:
    headings = [tag for tag, _ in page.tags if tag in ("h1", "h2")]
    assert headings.count("h1") == 1 and headings.count("h2") == 6 and page.open == []
    for words in (
        *LESSON.students,
        UNCERTAINTY,
        LAW,
        "More confused faces than usual",
        "made-up 1",
        "Sample",
        "2026-10-12",
    ):
        assert words in page.text, words
    assert "More sad than usual" in page.text and "5 earlier lessons" in page.text


def test_html_is_one_file_and_fetches_nothing(page: Page) -> None:
    assert not {"script", "link", "iframe", "img"} & {tag for tag, _ in page.tags}
    addresses = [v for _, attributes in page.tags for k, v in attributes.items() if k in ("src", "href", "xlink:href")]
    assert addresses == []
    policy = next(a["content"] for tag, a in page.tags if tag == "meta" and "http-equiv" in a)
    assert policy is not None and policy.startswith("default-src 'none'")


def test_html_can_be_read_without_eyes_and_on_paper(page: Page) -> None:
    images = [a for tag, a in page.tags if tag == "svg" and a.get("aria-hidden") != "true"]
    assert len(images) >= 4 and all(a.get("role") == "img" and a.get("aria-label") for a in images)
    identifiers = [a["id"] for _, a in page.tags if "id" in a]
    assert len(identifiers) == len(set(identifiers))
    assert sum(tag == "table" for tag, _ in page.tags) >= 3
    assert "@media print" in page.text and "prefers-color-scheme:dark" in page.text


def test_paper_and_pdf_say_the_same() -> None:
    """On paper everything that is folded is open, and in the same order as in the PDF."""
    html = Page(report_bytes(LESSON, ".html", EARLIER)[".html"].decode("utf-8"))
    assert "details::details-content{content-visibility:visible" in "".join(html.words)
    contents, pdf = gather(LESSON, EARLIER), pdf_words(report_bytes(LESSON, ".pdf", EARLIER)[".pdf"])
    paper, pdf = (" ".join(text.replace("\N{NO-BREAK SPACE}", " ").split()) for text in (html.text, pdf))
    mood, students = sentences.mood_table(contents.mood), sentences.student_table(contents)
    parts = [
        *sentences.lead(contents),
        "Markers",
        *(f"{clock(marker.second)} {marker.text}" for marker in contents.markers),
        *(moment.text for moment in contents.moments.found),
        *(row[0] for row in students[1]),
        *(line for item in contents.items for line in (sentences.item_state(item), *sentences.item_words(item))),
        *mood[0],
        *(cell for row in mood[1] for cell in row),
        sentences.moment_words(contents.moments),
    ]
    order = [
        "Mood of the class", "Moments that stand out", "Each student", sentences.CHECK_IN, "The class over weeks",
        "The mood in numbers", sentences.METHOD,
    ]  # fmt: skip
    for text in (paper, pdf):
        assert [part for part in [*parts, *order] if part not in text] == []
        places = [text.index(heading) for heading in order]
        assert places == sorted(places)


def test_what_people_type_is_escaped() -> None:
    lesson = replace(make_lesson(6, 400), students=[EVIL, "b & c", "d", "e", "f", "g"], markers=[Marker(1, 5.0, EVIL)])
    lesson = replace(lesson, info=replace(lesson.info, title=EVIL, classroom=EVIL, source=EVIL))
    html = report_bytes(lesson, ".html")[".html"].decode("utf-8")
    assert EVIL not in html and "&lt;script&gt;" in html and Page(html).open == []


@pytest.mark.parametrize("size", [(0, 0), (3, 5), (12, 90)])
def test_short_and_empty_lessons_have_every_report(size: tuple[int, int]) -> None:
    lesson = make_lesson(*size)
    for suffix in (".html", ".csv", ".parquet"):
        assert all(report_bytes(lesson, suffix).values()) and all(report_bytes(lesson, suffix, aggregate=True).values())


def pdf_words(data: bytes) -> str:
    pages = pytest.importorskip("pypdfium2").PdfDocument(data)
    return " ".join(" ".join(page.get_textpage().get_text_range() for page in pages).split())


def all_text(lesson: Lesson, aggregate: bool) -> str:
    """Everything that the four files say."""
    files = {s: report_bytes(lesson, s, EARLIER, aggregate) for s in (".html", ".csv", ".pdf", ".parquet")}
    table = read_parquet(files[".parquet"][".parquet"])
    parts = [data.decode("utf-8-sig") for s in (".html", ".csv") for data in files[s].values()]
    return " ".join([*parts, pdf_words(files[".pdf"][".pdf"]), str(table.to_pydict()), str(table.schema.metadata)])


def read_parquet(data: bytes) -> object:
    import pyarrow.parquet

    return pyarrow.parquet.read_table(io.BytesIO(data))


def test_the_aggregate_view_has_no_name() -> None:
    markers = [*LESSON.markers, Marker(9, 30.0, "Fatima answers"), Marker(10, 40.0, "kofi's turn")]
    lesson = replace(LESSON, markers=markers, info=replace(LESSON.info, title="Test of Hana"))
    nameless = all_text(lesson, True)
    for name in LESSON.students:
        assert not re.search(rf"\b{name}\b", nameless, re.IGNORECASE), name
    assert "exercise 1" in nameless and LEFT_OUT in nameless and "More confused faces" in nameless


def test_the_aggregate_view_of_few_people_has_nothing() -> None:
    few = make_lesson(4, 900, planted=[EVENT])
    contents = gather(few, aggregate=True)
    assert "Fewer than 5" in contents.nothing and not contents.mood.students.any()
    assert np.isnan(contents.mood.share).all() and contents.grid is None and contents.moments.found == []
    assert len(report_bytes(few, ".csv", aggregate=True)[".csv"].splitlines()) == 1
    assert "Fewer than 5" in Page(report_bytes(few, ".html", aggregate=True)[".html"].decode()).text


def test_a_lesson_of_counts_is_always_aggregate() -> None:
    counts = make_lesson(20, 600, counts_only=True)
    contents = gather(counts)
    assert contents.aggregate and contents.nothing == "" and contents.mood.crowd
    head = report_bytes(counts, ".csv")[".csv"].decode("utf-8-sig").splitlines()[0]
    assert head == "lesson,start,end,state,share,low,high,people"


SCRIPTS = ["Chloé", "Ωmega", "Анна", "\N{EGYPTIAN HIEROGLYPH A001}li"]


@pytest.mark.parametrize(("left", "pages"), [(15, 2), (60, 1)])
def test_a_bold_line_and_its_text_are_on_one_page(left: int, pages: int) -> None:
    pdfium = pytest.importorskip("pypdfium2")
    page = _Page(Fonts(["x"]))
    page.pdf.set_y(page.pdf.page_break_trigger - left)
    page.entry("A 5:50 to 8:50", "More sad faces than usual.")
    document = pdfium.PdfDocument(page.finish("x"))
    last = document[len(document) - 1].get_textpage().get_text_range()
    assert len(document) == pages and "5:50" in last and "More sad" in last


def test_pdf_has_pages_and_words() -> None:
    pdfium = pytest.importorskip("pypdfium2")
    lesson = replace(LESSON, students=[*SCRIPTS, "سارة", *LESSON.students[5:]])
    data = report_bytes(lesson, ".pdf", EARLIER)[".pdf"]
    document, text = pdfium.PdfDocument(data), pdf_words(data)
    assert 2 <= len(document) <= 6
    for words in ("Physics, week 6", "Mood of the class", "More sad than usual", "AI Act", "made-up 1", *SCRIPTS[:3]):
        assert words in text, words
    if Fonts(SCRIPTS).missing:  # no machine at hand has hieroglyphs: the number of the letter stands there
        assert "13000li" in text and "Latin letters" in text
    picture = document[0].render(scale=0.5).to_numpy()
    assert (picture < 250).mean() > 0.05 and picture.shape[0] > picture.shape[1]


def test_fonts_are_looked_for_letter_by_letter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fonts = Fonts(["a\N{PRIVATE USE ONE}", "Chloe\N{COMBINING ACUTE ACCENT}"])
    assert fonts.showable("a  b") == "a b" and fonts.showable("Chloe\N{COMBINING ACUTE ACCENT}") == "Chloé"
    assert Fonts([]).missing == set() and Fonts([]).further == []
    # A font in the folder that the user names is preferred to one of the machine.
    (tmp_path / "DejaVuSans.ttf").write_bytes(fonts.plain.read_bytes())
    monkeypatch.setenv("FEWSHOT_FONTS", str(tmp_path))
    assert Fonts(["a"]).plain.parent == tmp_path


def test_csv_has_a_row_a_reading_and_its_description() -> None:
    evil = replace(LESSON, students=["=1+1", *LESSON.students[1:]])
    files = report_bytes(evil, ".csv")
    rows = list(csv.DictReader(io.StringIO(files[".csv"].decode("utf-8-sig"))))
    readings = LESSON.readings
    assert len(rows) == len(readings) and rows[0]["student"] in ("'=1+1", *LESSON.students)
    assert {row["student"] for row in rows} == {"'=1+1", *LESSON.students[1:]}
    for number in (0, 500, len(rows) - 1):
        row, emotion = rows[number], readings.emotion[number]
        expected = LESSON.labels[emotion] if emotion >= 0 else {-1: "unsure", -2: "not readable"}[int(emotion)]
        assert (row["state"], int(row["second"])) == (expected, readings.second[number])
        shares = [float(row[f"p_{label}"] or 0) for label in LESSON.labels]
        assert sum(shares) == pytest.approx(1.0 if readings.readable[number] else 0.0, abs=0.01)
    described = json.loads(files[".csv-metadata.json"])
    assert [column["name"] for column in described["tableSchema"]["columns"]] == list(rows[0])
    about = described["fewshot"]
    assert (about["network"], about["sample"], about["uncertainty"]) == ("made-up 1", True, UNCERTAINTY)
    assert about["markers"][0]["text"] == "homework" and about["where this may not be used"] == LAW


def test_parquet_has_the_same_rows_and_tells_where_from() -> None:
    table = read_parquet(report_bytes(LESSON, ".parquet")[".parquet"])
    assert table.num_rows == len(LESSON.readings)
    assert table["second"].to_numpy().tolist() == LESSON.readings.second.tolist()
    unreadable = int((LESSON.readings.readable == 0).sum())
    assert table["confidence"].null_count == table["p_happy"].null_count == unreadable > 0
    assert json.loads(table.schema.metadata[b"fewshot"])["lesson"] == 6


def test_files_are_written_where_asked(tmp_path: Path) -> None:
    assert write_report(LESSON, tmp_path / "a.CSV") == [tmp_path / "a.CSV", tmp_path / "a.csv-metadata.json"]
    assert all(path.stat().st_size for path in tmp_path.iterdir())
    for name, said in (
        ("a.docx", ".html, .pdf, .csv, .parquet"),
        ("a", "Choose a name"),
        ("no/a.csv", "does not exist"),
    ):
        with pytest.raises(UsageError, match=said):
            write_report(LESSON, tmp_path / name)
