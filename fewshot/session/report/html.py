"""The report as one HTML file without scripts and downloads, for screen readers and printers too."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from fewshot.session.analysis.grid import Grid
from fewshot.session.analysis.students import coarse
from fewshot.session.analysis.trends import Trend
from fewshot.session.analysis.words import UNCERTAINTY, law
from fewshot.session.charts.legend import band_words
from fewshot.session.charts.mood import evidence_chart, letter, mood_chart
from fewshot.session.charts.students import bands_chart, sparkline_svg
from fewshot.session.charts.theme import stacking
from fewshot.session.charts.trend_charts import trend_chart
from fewshot.session.lesson import Marker
from fewshot.session.report import markup, words
from fewshot.session.report.contents import Contents
from fewshot.session.report.style import STYLE
from fewshot.session.summary import clock
from fewshot.translation import LANGUAGE, tr, tr_n

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""With this policy the browser does not load anything else for the page."""


def html_report(contents: Contents) -> str:
    """The whole document."""
    title = escape(words.title(contents.info))
    body = "".join(_sections(contents))
    return (
        f'<!doctype html><html lang="{LANGUAGE.get()}"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"><style>{STYLE}</style></head>'
        f"<body><main>{body}</main></body></html>\n"
    )


def _sections(contents: Contents) -> Iterator[str]:
    yield _head(contents)
    if contents.nothing:
        yield markup.folded(tr(words.METHOD), markup.facts(words.origin(contents)))
        return
    yield _mood(contents)
    yield _moments(contents)
    if contents.grid is not None and contents.grid.students:
        yield _students(contents, contents.grid)
    yield _check_in(contents)
    if contents.course is not None:
        yield _course(contents.course, 4 if contents.grid is not None else 3)
    if contents.corrections:
        table = markup.table(tr("Corrections"), *words.correction_table(contents))
        title = escape(tr("The teacher's corrections"), quote=False)
        yield f"<h2>{title}</h2>{markup.paragraph(tr(words.CORRECTIONS), 'quiet')}{table}"
    yield _method(contents)


def _head(contents: Contents) -> str:
    sample = markup.paragraph(tr("Sample: a recorded lesson, not a real class"), "badge")
    badge = sample if contents.info.sample else ""
    summary = "".join(markup.paragraph(line, "lead") for line in words.lead(contents))
    own, *english = law()
    limits = markup.paragraph(own) + "".join(f'<p lang="en">{escape(text)}</p>' for text in english)
    read = escape(tr("How to read this"))
    return (
        f"<header><h1>{markup.name(words.title(contents.info))}</h1>{badge}{summary}"
        f"{markup.facts(words.facts(contents))}</header>"
        f'<aside aria-label="{read}">{markup.paragraph(tr(UNCERTAINTY))}{limits}</aside>'
    )


def _mood(contents: Contents) -> str:
    mood, moments = contents.mood, contents.moments.found
    stack = mood_chart(mood, contents.markers, moments)
    says = words.joined(tr("Class mood over time."), words.summary_words(contents))
    parts = [
        f"<h2>{escape(tr('Mood of the class'))}</h2>",
        markup.legend(stacking(mood.states)),
        markup.figure(stack, 1, says, tr(words.MOOD_FIGURE)),
    ]
    if contents.markers:
        items = "".join(f"<li>{_marker(marker)}</li>" for marker in contents.markers)
        listed = f'<ol class="markers">{items}</ol>'  # with the numbers that the chart has where it has no words
        parts.append(f'<div class="quiet">{escape(tr("Markers"))}{listed}</div>')
    return "".join(parts)


def _marker(marker: Marker) -> str:
    return f"{clock(marker.second)} {markup.name(marker.text)}"


def _moments(contents: Contents) -> str:
    items = []
    for number, moment in enumerate(contents.moments.found):
        told = words.unbroken(words.moment_sentences(moment))
        after = words.before(contents.markers, moment.start)
        items.append(
            f'<li><span class="letter">{letter(number)}</span><div><span class="when">'
            f"{words.span(moment.start, moment.end)}</span> {escape(after)}<br>{escape(told)}"
            f"<br><small>{escape(words.sentence(moment.sure))}</small></div></li>"
        )
    listed = f'<ol class="moments">{"".join(items)}</ol>' if items else ""
    nothing = "" if items else markup.paragraph(words.lead(contents)[1])
    return f"<h2>{escape(tr('Moments that stand out'))}</h2>{listed}{nothing}"


def _method(contents: Contents) -> str:
    bands = evidence_chart(contents.mood, contents.moments.found)
    head, rows = words.mood_table(contents.mood)
    numbers = markup.table(tr(words.MOOD_NUMBERS), head, rows)
    parts = [
        markup.facts(words.origin(contents)),
        markup.paragraph(words.mood_words(contents.mood)),
        markup.paragraph(words.moment_words(contents.moments)),
        markup.figure(bands, 2, tr("The shares of the first figure, state by state."), tr(words.EVIDENCE_FIGURE)),
    ]
    return markup.folded(tr("The mood in numbers"), numbers) + markup.folded(tr(words.METHOD), "".join(parts))


def _students(contents: Contents, grid: Grid) -> str:
    head, rows = words.student_table(contents)
    chart = bands_chart(grid, contents.visible, contents.markers)
    says = tr_n(
        "What the student showed during the lesson. The table below has the sums.",
        "What each of {number} students showed during the lesson. The table below has the sums.",
        len(grid.students),
    )
    table = markup.table(tr("In view, readable, and shown"), head, rows)
    order = tr(words.ORDER) if contents.checks else ""
    return (
        f"<h2>{escape(tr('Each student'))}</h2>{markup.legend(band_words(grid.states))}"
        f"{markup.figure(chart, 3, says, tr(words.STRIPS))}{markup.folded(tr('The students in numbers'), table)}"
        f"{markup.paragraph(words.joined(order, tr(words.VISIBILITY)), 'quiet')}"
    )


def _check_in(contents: Contents) -> str:
    if contents.checks is None or contents.grid is None:
        return ""
    grid, rows = contents.grid, []
    cells = coarse(grid, max(1, grid.seconds // 120))
    for item in contents.items:
        there = item.student in grid.students and not item.carried
        strip = sparkline_svg(cells[grid.students.index(item.student)], grid.states, 160, 14) if there else ""
        found, *more = words.item_words(item)
        evidence = "".join(f"<br><small>{escape(line)}</small>" for line in more)
        rows.append(
            f"<tr><th scope='row'>{markup.name(item.student)}</th><td>{escape(found)}{evidence}</td>"
            f"<td>{escape(words.item_state(item))}</td><td>{strip}</td></tr>"
        )
    columns = (tr("Student"), tr("What is different"), tr("Asked?"), tr("Lesson"))
    head = "".join(f'<th scope="col">{escape(word)}</th>' for word in columns)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>" if rows else ""
    scrolls = (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(tr(words.CHECK_IN))}">{table}</div>'
        if table
        else ""
    )
    about = markup.paragraph(words.check_in_words(contents.checks), "quiet")
    return f"<h2>{escape(tr(words.CHECK_IN))}</h2>{scrolls}{about}"


def _course(course: Trend, number: int) -> str:
    says = tr_n(
        "The class over {number} lesson, state by state.",
        "The class over {number} lessons, state by state.",
        len(course.lessons),
    )
    figure = markup.figure(trend_chart(course), number, says, tr(words.COURSE))
    return f"<h2>{escape(tr('The class over weeks'))}</h2>{figure}"
