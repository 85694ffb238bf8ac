"""The report as PDF with fpdf2: text of every script is shaped and embedded, charts are pictures of 300 dpi."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from fewshot.session.analysis.words import UNCERTAINTY, law
from fewshot.session.charts.legend import band_words, legend_chart
from fewshot.session.charts.mood import evidence_chart, letter, mood_chart
from fewshot.session.charts.render import add_fonts, to_png
from fewshot.session.charts.students import bands_chart, row_height
from fewshot.session.charts.theme import LIGHT, PADDING, Chart, stacking
from fewshot.session.charts.trend_charts import trend_chart
from fewshot.session.optional_imports import need
from fewshot.session.report import words
from fewshot.session.report.contents import Contents
from fewshot.session.report.fonts import Fonts, can_write
from fewshot.session.summary import clock
from fewshot.translation import ENGLISH, LANGUAGE, later, tr
from fewshot.translation.words import emotion_word

_WIDE = 180
"""Width of the text on A4, millimetres."""
_SCALE = 2.5
_NAMES = 30
"""Width of the names beside the strips, millimetres."""
_RULE = "#c9ced4"
_OWN = (words.METHOD, words.ORDER, words.CORRECTIONS, words.VISIBILITY, words.CHECK_IN, words.STRIPS, words.COURSE)
"""Sentences of every report, keys of ``tr``: a font that has their letters has those of the language."""
NO_FONT = (
    "This PDF is in English, because no font on this computer has the letters of the chosen language. Install fonts "
    "(Debian, Ubuntu: fonts-noto-core, fonts-noto-cjk), or set the variable FEWSHOT_FONTS to a folder of fonts. The "
    "HTML report needs no fonts."
)
"""Never translated: its letters could not be shown."""


def writable_language() -> str:
    """The reader's language, or English if no font on this computer has its letters.

    Raises:
        UsageError: there is no font to write with.
    """
    language = LANGUAGE.get()
    return language if language == ENGLISH or can_write([tr(UNCERTAINTY), *law(), *map(tr, _OWN)]) else ENGLISH


def pdf_report(contents: Contents, note: str = "") -> bytes:
    """The whole document.

    Args:
        contents: gathered in the language in which it is written.
        note: what to say on the first page about the document.

    Raises:
        UsageError: fpdf2 is not installed, or there is no font to write with.
    """
    fonts = Fonts(_texts(contents))
    add_fonts(path.parent for path in fonts.further)
    page = _Page(fonts)
    shown = _showable(contents, fonts)
    _head(page, shown, note)
    if not shown.nothing:
        _mood(page, shown)
        _moments(page, shown)
        _students(page, shown)
        _rest(page, shown)
        _method(page, shown)
    return page.finish(words.title(shown.info))


class _Page:
    """Text and charts from top to bottom."""

    def __init__(self, fonts: Fonts) -> None:
        self.fonts = fonts
        self._drawn = fonts.for_charts(map(tr, _OWN))
        self.pdf: Any = _writer()(format="A4")
        self.pdf.set_margin(15)
        self.pdf.set_auto_page_break(True, 18)
        self.pdf.add_font("text", "", fonts.plain)
        self.pdf.add_font("text", "B", fonts.bold)
        for number, file in enumerate(fonts.further):
            self.pdf.add_font(f"further{number}", "", file)
        self.pdf.set_fallback_fonts([f"further{number}" for number in range(len(fonts.further))], exact_match=False)
        need("uharfbuzz", later("PDF reports"))
        self.pdf.set_text_shaping(True)
        self.pdf.add_page()

    def write(self, text: str, size: float = 9.5, bold: bool = False, quiet: bool = False, after: float = 2) -> None:
        self.pdf.set_font("text", "B" if bold else "", size)
        self.pdf.set_text_color(LIGHT.quiet if quiet else LIGHT.ink)
        # Left-aligned: the library's default justification tears short lines apart.
        text = self.fonts.showable(text).replace(" %", "\N{NO-BREAK SPACE}%")
        self.pdf.multi_cell(_WIDE, size * 0.5, text, align="L", new_x="LMARGIN", new_y="NEXT")
        self.pdf.ln(after)

    def entry(self, head: str, text: str) -> None:
        """A bold line with the text that belongs to it, which does not begin on the next page."""
        if self.pdf.will_page_break(22):
            self.pdf.add_page()
        self.write(head, 10, bold=True, after=0)
        self.write(text, 9.5)

    def heading(self, text: str, room: float = 60) -> None:
        """``room``: millimetres that must be left on the page for the content below the heading."""
        if self.pdf.will_page_break(room):
            self.pdf.add_page()
        else:
            self.pdf.ln(3)
        self.pdf.start_section(text)
        self.write(text, 14, bold=True)

    def chart(self, chart: Chart, says: str, left: float = 0, names: Sequence[str] = (), row: int = 1) -> None:
        """A chart over the whole width; on a new page if it does not fit.

        Args:
            left: millimetres to leave free for ``names``, one per row. They are written here because the renderer of
                the pictures does not shape every script.
            row: pixels of the chart per name.
        """
        picture = need("PIL.Image", later("PDF reports")).open(
            io.BytesIO(to_png(chart, scale=_SCALE, fonts=self._drawn))
        )
        height = min((_WIDE - left) * picture.height / picture.width, self.pdf.eph)
        wide = height * picture.width / picture.height
        if self.pdf.will_page_break(height):
            self.pdf.add_page()
        top, pixel = self.pdf.get_y(), height / picture.height * _SCALE
        self.pdf.image(picture, x=15 + left, w=wide, h=height, alt_text=says)
        bottom = self.pdf.get_y()
        for number, name in enumerate(names):
            self._name(name, top + (PADDING + row * number) * pixel, left, row * pixel)
        self.pdf.set_y(bottom + 2)

    def _name(self, name: str, top: float, wide: float, height: float) -> None:
        """A name at the left of its row, shortened if necessary."""
        self.pdf.set_font("text", "", min(9.0, 2.3 * height))
        self.pdf.set_text_color(LIGHT.ink)
        short = name
        while len(short) > 2 and self.pdf.get_string_width(short) > wide - 2:
            short = short.rstrip("…")[:-1] + "…"
        self.pdf.set_xy(15, top)
        self.pdf.cell(wide, height, short, align="R")

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float]) -> None:
        self.pdf.set_font("text", "", 8)
        self.pdf.set_text_color(LIGHT.ink)
        self.pdf.set_draw_color(_RULE)
        with self.pdf.table(
            col_widths=tuple(widths), line_height=4.4, text_align="LEFT", borders_layout="HORIZONTAL_LINES", padding=0.6
        ) as table:
            for row in [head, *rows]:
                table.row([self.fonts.showable(cell) for cell in row])
        self.pdf.ln(2)

    def finish(self, title: str) -> bytes:
        self.pdf.set_title(title)
        self.pdf.set_lang(LANGUAGE.get())
        if self.fonts.missing:
            self.write(tr(words.TRANSLITERATED), 8, quiet=True)
        return bytes(self.pdf.output())


@functools.cache
def _writer() -> Any:
    """The class that writes the file."""

    class Writer(need("fpdf", later("PDF reports")).FPDF):  # type: ignore[misc]
        """In fpdf2 2.8.9 a line that begins with a further font sets the text font for that line only, and notes that
        it is set for the page: the lines after it are then in whatever font was before. Here it is set for the page."""

        def _render_styled_text_line(self, *args: Any, **options: Any) -> Any:
            if self.current_font is not None and not self.current_font_is_set_on_page:
                self._out(self._set_font_for_page(self.current_font, self.font_size_pt))
            return super()._render_styled_text_line(*args, **options)

    return Writer


def _head(page: _Page, contents: Contents, note: str) -> None:
    page.write(words.title(contents.info), 20, bold=True)
    for line in words.lead(contents):
        page.write(line, 11)
    for what, value in words.facts(contents):
        page.write(words.pair(what, value), 9, quiet=True, after=0)
    page.pdf.ln(3)
    if note:
        page.write(note, 8.5, bold=True)
    for text in (tr(UNCERTAINTY), *law()):
        page.write(text, 8.5)


def _mood(page: _Page, contents: Contents) -> None:
    mood, moments = contents.mood, contents.moments.found
    page.heading(tr("Mood of the class"))
    page.chart(legend_chart(stacking(mood.states)), tr("Legend"))
    page.chart(mood_chart(mood, contents.markers, moments), words.summary_words(contents))
    if contents.markers:
        numbered = enumerate(contents.markers, 1)
        marked = "; ".join(f"{number}) {clock(marker.second)} {marker.text}" for number, marker in numbered)
        page.write(tr("Markers: {markers}.", markers=marked), 8.5, quiet=True)


def _moments(page: _Page, contents: Contents) -> None:
    page.heading(tr("Moments that stand out"), room=25)  # on the first page, with the chart
    for number, moment in enumerate(contents.moments.found):
        after = words.before(contents.markers, moment.start)
        when = f"{letter(number)}  {words.span(moment.start, moment.end)}"
        told = words.joined(words.moment_sentences(moment), words.sentence(moment.sure))
        page.entry(f"{when}, {after}" if after else when, told)
    if not contents.moments.found:
        page.write(words.lead(contents)[1], 9.5)


def _method(page: _Page, contents: Contents) -> None:
    head, rows = words.mood_table(contents.mood)
    page.heading(tr("The mood in numbers"), room=40)
    page.write(tr(words.MOOD_NUMBERS), 8.5, quiet=True)
    page.table(head, rows, [max(7, len(word)) for word in head])  # no word is cut
    page.heading(tr(words.METHOD))
    for what, value in words.origin(contents):
        page.write(words.pair(what, value), 8.5, quiet=True, after=0)
    page.write(words.mood_words(contents.mood), 8.5, quiet=True)
    page.write(words.moment_words(contents.moments), 8.5, quiet=True)
    page.chart(evidence_chart(contents.mood, contents.moments.found), tr(words.EVIDENCE_FIGURE))


def _students(page: _Page, contents: Contents) -> None:
    grid = contents.grid
    if grid is None or not grid.students:
        return
    page.heading(tr("Each student"), room=230)
    page.chart(legend_chart(band_words(grid.states)), tr("Legend"))
    chart = bands_chart(grid, contents.visible, contents.markers, names=False)
    row = row_height(len(grid.students))
    page.chart(chart, tr("What each student showed. The sums are in the table."), _NAMES, grid.students, row)
    order = tr(words.ORDER) if contents.checks is not None else ""
    page.write(words.joined(tr(words.STRIPS), order, tr(words.VISIBILITY)), 8.5, quiet=True)
    head, rows = words.student_table(contents)
    page.table(head, rows, (46, 29, 27, 78))


def _rest(page: _Page, contents: Contents) -> None:
    if contents.checks is not None:
        page.heading(tr(words.CHECK_IN), room=40)
        for item in contents.items:
            page.entry(words.pair(item.student, words.item_state(item)), " ".join(words.item_words(item)))
        page.write(words.check_in_words(contents.checks), 8.5, quiet=True)
    if contents.course is not None:
        page.heading(tr("The class over weeks"), room=75)
        page.chart(trend_chart(contents.course), tr("The class over lessons, state by state."))
    if contents.corrections:
        page.heading(tr("The teacher's corrections"), room=30)
        page.table(*words.correction_table(contents), (20, 60, 50, 50))
        page.write(tr(words.CORRECTIONS), 8.5, quiet=True)


def _texts(contents: Contents) -> Iterable[str]:
    """All texts that users may have typed, and the special characters of our own texts."""
    yield from ("“”…", tr(UNCERTAINTY), *law(), *map(tr, _OWN))
    yield from (contents.info.title, contents.info.classroom, contents.info.source)
    yield from (marker.text for marker in contents.markers)
    yield from map(emotion_word, contents.mood.states)
    yield from contents.grid.students if contents.grid is not None else ()


def _showable(contents: Contents, fonts: Fonts) -> Contents:
    """The contents with names that the charts can also show."""
    markers = [replace(marker, text=fonts.showable(marker.text)) for marker in contents.markers]
    if contents.grid is None:
        return replace(contents, markers=markers)
    grid = replace(contents.grid, students=[fonts.showable(name) for name in contents.grid.students])
    visible = [replace(line, student=fonts.showable(line.student)) for line in contents.visible]
    return replace(contents, markers=markers, grid=grid, visible=visible)
