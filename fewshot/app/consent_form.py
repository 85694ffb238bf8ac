"""What a teacher gives to families: a consent form to print, and the list of consents to fill in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from fewshot.translation import LANGUAGE, later, tr

_STYLE = """
@page { margin: 13mm 15mm; }
body { margin: 0 auto; max-width: 180mm; font: 10pt/1.38 "Segoe UI", "Helvetica Neue", Arial, sans-serif; color: #111; }
.form { break-after: page; padding: 4mm 0; }
.form:last-child { break-after: auto; }
h1 { font-size: 15pt; margin: 0 0 1mm; } h2 { font-size: 10.5pt; margin: 2.6mm 0 .6mm; }
p, ul { margin: .4mm 0; } ul { padding-left: 5mm; } li { margin: .3mm 0; }
.template { font-size: 9pt; }
.fields { width: 100%; border-collapse: collapse; margin: 2.2mm 0; }
.fields th { width: 36mm; text-align: left; font-weight: 600; vertical-align: bottom; padding: 1.1mm 2mm .4mm 0; }
.fields td { border-bottom: .3mm solid #555; height: 5.6mm; vertical-align: bottom; overflow-wrap: anywhere; }
.law { border: .5mm solid #b3261e; padding: 1.2mm 2.2mm; margin: 2mm 0; }
.sign { margin-top: 2.2mm; break-inside: avoid; }
.box { display: inline-block; width: 3.4mm; height: 3.4mm; border: .3mm solid #111;
  vertical-align: -.4mm; margin-right: 1.4mm; }
"""

HERE, _SERVER = "the teacher's computer", "the server "
_TITLE = later("Consent: facial expressions in lessons")
_TEMPLATE = later("This is a template and no legal advice.")
_CHANGE = later(
    "Ask the person responsible for data protection at your school which rules hold, and change this text before you "
    "use it."
)
_WHERE = later("Where this may not be used.")
_LAW = later(
    "In the European Union it is prohibited to infer emotions from faces in education and at work, except for medical "
    "or safety reasons (AI Act, Article 5(1)(f)). A signature does not change that."
)
_DOES = later(
    "It looks at the faces in a lesson or a video call and compares them with a few photos of each student. It shows "
    "the teacher which expression it recognises, such as happy or neutral, or “unsure”. An expression is not a "
    "feeling, and the program is often wrong."
)
_NAME = later("The student's name, and this consent: who gave it, when, and until when.")
_PHOTOS = later("Photos and videos. The photos are deleted after the vectors are made.")
_OTHERS = later("Anything about people who did not consent. Nothing is sent to a company.")
_NO = later(
    "You may say no. Nothing bad follows from it, and the student takes part in the lesson like everybody else."
)
_WITHDRAW = later(
    "You may withdraw this consent at any time, without a reason: tell the teacher. From that day on the program does "
    "not recognise the student. On request everything about the student is deleted."
)
_COPY = later("You may see what is stored: the teacher can give you a copy.")


@dataclass(frozen=True, slots=True)
class FormFacts:
    """What the form says about this class and this program.

    Attributes:
        classroom, teacher: may be "", to be filled in by hand.
        days: after how many days the readings of a lesson are deleted; None: when the teacher deletes them.
        place: of the computer that keeps the data, as families know it.
        portraits: a student's card may have a small picture.
    """

    classroom: str = ""
    teacher: str = ""
    days: int | None = None
    place: str = HERE
    portraits: bool = False


def consent_form(facts: FormFacts, students: Sequence[str] = ()) -> bytes:
    """An HTML page to print: one sheet of paper per student, or one sheet without a name.

    It needs nothing else: no script, no picture, nothing from the internet.
    """
    sheets = "".join(_sheet(facts, student) for student in students or ("",))
    page = (
        f'<!doctype html><html lang="{LANGUAGE.get()}"><head><meta charset="utf-8">'
        f"<title>{escape(tr('Consent form'))}</title>"
        f"<style>{_STYLE}</style></head><body>{sheets}</body></html>"
    )
    return page.encode("utf-8")


def _sheet(facts: FormFacts, student: str) -> str:
    fields = "".join(
        f'<tr><th scope="row">{_said(name)}</th><td><bdi>{escape(value)}</bdi></td></tr>'
        for name, value in (
            (later("Class"), facts.classroom),
            (later("Student"), student),
            (later("Teacher"), facts.teacher),
            (
                later("Purpose"),
                tr("The teacher sees in the lesson which facial expressions the program recognises."),
            ),
            (later("Kept until"), ""),
        )
    )
    return f"""<section class="form">
<h1>{_said(_TITLE)}</h1>
<p class="template"><b>{_said(_TEMPLATE)}</b> {_said(_CHANGE)}</p>
<table class="fields">{fields}</table>
<div class="law"><b>{_said(_WHERE)}</b> {_said(_LAW)}{_law_in_english()}</div>
<h2>{_said(later("What the program does"))}</h2>
<p>{_said(_DOES)}</p>
<h2>{escape(_where(facts.place))}</h2>
{_list(_NAME, _vectors(facts), _readings(facts))}
<h2>{_said(later("What is not stored"))}</h2>
{_list(_PHOTOS, _OTHERS)}
<h2>{_said(later("What it is never used for"))}</h2>
<p>{_said(later("Grades, discipline, or any decision about a student."))}</p>
<h2>{_said(later("Your rights"))}</h2>
{_list(_NO, _WITHDRAW, _COPY)}
<div class="sign"><p><span class="box"></span>{_said(later("Yes, I agree."))} &nbsp; &nbsp;
<span class="box"></span>{_said(later("No, I do not agree."))}</p>
<table class="fields"><tr><th scope="row">{_said(later("Name"))}</th><td></td></tr>
<tr><th scope="row">{_said(later("I am the student's"))}</th><td></td></tr>
<tr><th scope="row">{_said(later("Date, signature"))}</th><td></td></tr></table></div>
</section>"""


def _said(text: str) -> str:
    """A text of the form in the reader's language, as HTML. Quotes stay: it stands in no attribute."""
    return escape(tr(text), quote=False)


def _list(*texts: str) -> str:
    points = "\n".join(f"<li>{_said(text)}</li>" for text in texts)
    return f"<ul>{points}</ul>"


def _law_in_english() -> str:
    """The law's words below a translation of them."""
    return "" if tr(_LAW) == _LAW else f'<p class="template" lang="en">{escape(_WHERE)} {escape(_LAW)}</p>'


def _where(place: str) -> str:
    if place == HERE:
        return tr("What is stored, on the teacher's computer")
    if place.startswith(_SERVER):
        return tr("What is stored, on the server {server}", server=place.removeprefix(_SERVER))
    return f"What is stored, on {place}"


def _vectors(facts: FormFacts) -> str:
    text = tr("Face vectors: lists of numbers made from the photos. They are biometric data.")
    picture = tr("A small picture for the teacher's list of students, if the teacher adds one.")
    return f"{text} {picture}" if facts.portraits else text


def _readings(facts: FormFacts) -> str:
    text = tr("For each lesson, which expression was recognised at which time.")
    if facts.days is None:
        return f"{text} {tr('The readings of a lesson are kept until the teacher deletes them.')}"
    kept = tr("The readings of a lesson are deleted after {number} days.", number=facts.days)
    return f"{text} {kept}"
