"""The consent form for families: what it says, and that names cannot break it."""

from __future__ import annotations

import html
import re

import pytest

from fewshot.app.consent_form import FormFacts, consent_form
from fewshot.session.settings import USUAL_RETENTION


def words(page: bytes) -> str:
    plain = re.sub(r"<[^>]+>", " ", page.decode("utf-8").split("</style>")[1])
    return " ".join(html.unescape(plain).split())


def test_a_form_without_names_has_one_sheet_with_lines_to_fill_in() -> None:
    page = consent_form(FormFacts())
    assert page.count(b'class="form"') == 1 and b"script" not in page and b"http" not in page
    said = words(page)
    for part in (
        "template and no legal advice", "Article 5(1)(f)", "A signature does not change that", "You may say no",
        "withdraw this consent at any time", "Photos and videos", "Face vectors", "Class", "Student", "Teacher",
        "Purpose", "Kept until", "on the teacher's computer", "kept until the teacher deletes them", "Date, signature",
    ):  # fmt: skip
        assert part in said, part
    assert "small picture" not in said


def test_a_sheet_for_each_student_with_what_holds_for_this_class() -> None:
    facts = FormFacts("9/10 Maths", "Anna B.", USUAL_RETENTION, "the server class.example.org", portraits=True)
    said = words(consent_form(facts, ["Asha P.", "Ben"]))
    assert said.count("Anna B.") == 2 and said.count("Asha P.") == 1 and said.count("9/10 Maths") == 2
    assert f"deleted after {USUAL_RETENTION} days" in said and "the server class.example.org" in said
    assert "small picture" in said


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "\u05d3\u05e0\u05d4", "\U0001f98a", "x" * 64])
def test_odd_names_are_shown_as_they_are(name: str) -> None:
    page = consent_form(FormFacts(classroom=name), [name]).decode("utf-8")
    assert "<script" not in page and page.count("<bdi>") == 5
    assert name in page or "&lt;script&gt;" in page
