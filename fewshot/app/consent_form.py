"""What a teacher gives to families: a consent form to print, and the list of consents to fill in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

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
    place: str = "the teacher's computer"
    portraits: bool = False


def consent_form(facts: FormFacts, students: Sequence[str] = ()) -> bytes:
    """An HTML page to print: one sheet of paper per student, or one sheet without a name.

    It needs nothing else: no script, no picture, nothing from the internet.
    """
    sheets = "".join(_sheet(facts, student) for student in students or ("",))
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Consent form</title>'
        f"<style>{_STYLE}</style></head><body>{sheets}</body></html>"
    )
    return page.encode("utf-8")


def _sheet(facts: FormFacts, student: str) -> str:
    kept = (
        f"The readings of a lesson are deleted after {facts.days} days."
        if facts.days is not None
        else "The readings of a lesson are kept until the teacher deletes them."
    )
    picture = " A small picture for the teacher's list of students, if the teacher adds one." if facts.portraits else ""
    fields = "".join(
        f'<tr><th scope="row">{name}</th><td><bdi>{escape(value)}</bdi></td></tr>'
        for name, value in (
            ("Class", facts.classroom),
            ("Student", student),
            ("Teacher", facts.teacher),
            ("Purpose", "The teacher sees in the lesson which facial expressions the program recognises."),
            ("Kept until", ""),
        )
    )
    return f"""<section class="form">
<h1>Consent: facial expressions in lessons</h1>
<p class="template"><b>This is a template and no legal advice.</b> Ask the person responsible for data protection at
your school which rules hold, and change this text before you use it.</p>
<table class="fields">{fields}</table>
<div class="law"><b>Where this may not be used.</b> In the European Union it is prohibited to infer emotions from
faces in education and at work, except for medical or safety reasons (AI Act, Article 5(1)(f)). A signature does not
change that.</div>
<h2>What the program does</h2>
<p>It looks at the faces in a lesson or a video call and compares them with a few photos of each student. It shows the
teacher which expression it recognises, such as happy or neutral, or “unsure”. An expression is not a feeling, and the
program is often wrong.</p>
<h2>What is stored, on {escape(facts.place)}</h2>
<ul><li>The student's name, and this consent: who gave it, when, and until when.</li>
<li>Face vectors: lists of numbers made from the photos. They are biometric data.{picture}</li>
<li>For each lesson, which expression was recognised at which time. {kept}</li></ul>
<h2>What is not stored</h2>
<ul><li>Photos and videos. The photos are deleted after the vectors are made.</li>
<li>Anything about people who did not consent. Nothing is sent to a company.</li></ul>
<h2>What it is never used for</h2>
<p>Grades, discipline, or any decision about a student.</p>
<h2>Your rights</h2>
<ul><li>You may say no. Nothing bad follows from it, and the student takes part in the lesson like everybody else.</li>
<li>You may withdraw this consent at any time, without a reason: tell the teacher. From that day on the program does not
recognise the student. On request everything about the student is deleted.</li>
<li>You may see what is stored: the teacher can give you a copy.</li></ul>
<div class="sign"><p><span class="box"></span>Yes, I agree. &nbsp; &nbsp;
<span class="box"></span>No, I do not agree.</p>
<table class="fields"><tr><th scope="row">Name</th><td></td></tr>
<tr><th scope="row">I am the student's</th><td></td></tr>
<tr><th scope="row">Date, signature</th><td></td></tr></table></div>
</section>"""
