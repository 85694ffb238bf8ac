"""Whose name a label says: names alike within a class are never confused, and doubtful labels are nobody's."""

from __future__ import annotations

import time

import pytest

from fewshot.call_labels.matching import NameBook
from fewshot.call_labels.written import plain_name


def said(label: str, *students: str) -> str | None:
    found = NameBook(students).match(label)
    return None if found is None else found.student


@pytest.mark.parametrize(
    "label",
    [
        "Asha Patel", "asha patel", "ASHA PATEL", "  Asha   Patel ", "Asha Patel (Host)", "Asha Patel (she/her)",
        "Asha Patel (she/her) (Host)", "Asha Patel (Host, you)", "Asha Patel [they/them]", "Asha Patel (Ho…",
        "Patel, Asha", "Patel Asha", "Asha P.", "Asha P", "A. Patel", "Asha", "Asha Pat…", "Asha Patel…",
        "Asha Pate...",
        "Asha's iPad", "Asha\u2019s iPhone", "Asha Patel's MacBook Air", "iPad von Asha", "iPhone de Asha Patel",
        "AshaPatel", "Asha Pate1", "Asha R. Patel", "Asha-Patel",
    ],
)  # fmt: skip
def test_one_name_in_many_ways(label: str) -> None:
    assert said(label, "Asha Patel", "Ben Okafor", "Clara") == "Asha Patel"


@pytest.mark.parametrize(
    "label",
    [
        "", "   ", "…", "(Host)", "iPad", "Patel", "A.", "A. P.", "As…", "Asha Kumar", "Asma Patel", "Asha Patil",
        "Asha Patel's mum", "Ravi Patel", "Zoom user", "Ash", "Asha (Ravi's phone)", "🙂", "123", "Ben K.", "Clar…",
    ],
)  # fmt: skip
def test_what_could_be_somebody_else_is_nobody(label: str) -> None:
    assert said(label, "Asha Patel", "Ben Okafor", "Clara") is None


@pytest.mark.parametrize(
    ("label", "students", "student"),
    [
        ("Anna", ("Anna", "Anne"), "Anna"),
        ("Anne", ("Anna", "Anne"), "Anne"),
        ("Ann", ("Anna", "Anne"), None),
        ("Ann…", ("Anna", "Anne"), None),
        ("Anna B.", ("Anna Berg", "Anna Becker"), None),
        ("Anna Be…", ("Anna Berg", "Anna Becker"), None),
        ("Anna Berg", ("Anna Berg", "Anna Becker"), "Anna Berg"),
        ("Asha P.", ("Asha P.", "Asha Patel"), None),
        ("Asha", ("Asha", "Asha Patel"), None),
        ("Asha Patel", ("Asha P.", "Asha Patel"), "Asha Patel"),
        ("Asha Patel", ("Asha P.", "Asha K."), "Asha P."),
        ("Asha", ("Asha P.", "Asha K."), None),
        ("Asha Kumar", ("Asha P.", "Asha K."), "Asha K."),
        ("Paul Martin", ("Paul Martin", "Martin Paul"), None),
        ("Paul,Martin", ("Paul Martin",), "Paul Martin"),  # a spot between the words
        ("Paul,Martin", ("Paul Martin", "Martin Paul"), None),
        ("Paul, Anna", ("Anna Paul", "Paul Adam"), "Anna Paul"),
        ("PaulAndersen-Du…", ("Paul Andersen-Dubois", "Paula Silva"), "Paul Andersen-Dubois"),
        ("PaulAndersen-Du…", ("Paul Andersen-Dubois", "Paul Andersen-Durand"), None),
        ("PaulAndersen-Du", ("Paul Andersen-Dubois",), None),  # nothing says that it was cut off
        ("PaulAnd…", ("Paul Andersen-Dubois",), None),
        ("Maximilian…", ("Maximilian Berg", "Maximiliane Rossi"), None),
        ("Anna Maria", ("Anna", "Maria"), None),
        ("Anna-Maria Berg", ("Anna Maria Berg", "Anna Berg"), "Anna Maria Berg"),
        ("Anna M. Berg", ("Anna Maria Berg", "Anna Berg"), None),
        ("Jose", ("Jose", "José"), None),
        ("Mia", ("Mia", "Mla"), None),
        ("Anna 2", ("Anna", "Anna 2"), "Anna 2"),
        ("Anna (2)", ("Anna", "Anna 2"), "Anna 2"),
        ("Anna", ("Anna", "Anna 2"), None),
        ("Łucja Żeromska", ("Łucja Żeromska", "Luca"), "Łucja Żeromska"),
        ("Lucja Zeromska", ("Łucja Żeromska", "Luca"), "Łucja Żeromska"),
        ("Zoe\u0308 Mu\u0308ller", ("Zoë Müller",), "Zoë Müller"),
        ("ŞULE IŞIK", ("Şule Iş\u0131k",), "Şule Iş\u0131k"),
        ("WEISS Eva", ("Eva Weiß",), "Eva Weiß"),
        ("Sean O'Brien", ("Seán O\u2019Brien",), "Seán O\u2019Brien"),
        ("李明", ("李明", "李朋"), "李明"),
        ("משה כהן", ("משה כהן",), "משה כהן"),
        ("asha", ("asha", "ben"), "asha"),
        ("Asha Patel", ("asha", "ben"), "asha"),
        ("Patel, Asha", ("asha", "ben"), "asha"),
        ("Asha", ("🙂", "Asha"), "Asha"),
        ("Asha Patel's mum", ("asha", "ben"), None),
        ("Asha mum", ("asha", "ben"), None),
        ("Asha's mum's iPhone", ("asha", "ben"), None),
        ("Eltern Asha", ("asha", "ben"), None),
    ],
)  # fmt: skip
def test_names_alike_in_a_class(label: str, students: tuple[str, ...], student: str | None) -> None:
    assert said(label, *students) == student


def test_who_has_not_consented_is_a_rival_and_is_not_named() -> None:
    book = NameBook(["Anna", "Anne", "Asha Patel", "Asha Pillai"], consenting=["Anne", "Asha Patel"])
    assert book.match("Anna").may is False and book.match("Anne").may is True
    assert book.match("Asha P.") is None


def test_it_says_when_a_slip_could_have_made_the_name_of_somebody_else() -> None:
    book = NameBook(["Anna", "Anne", "Benedikt", "Asha Patel", "Asma Patel"])
    assert [book.match(label).near for label in ("Anna", "Anna Meier", "Benedikt", "Asha Patel")] == [
        True, True, False, True,
    ]  # fmt: skip


@pytest.mark.parametrize("label", ["a " * 40, "a. b. c. d. e. f. g. h. i. j.", "(" * 200, "x's iPad " * 20, "é" * 5000])
def test_odd_labels_take_no_time(label: str) -> None:
    begun = time.process_time()
    assert (
        said(label, "a b c d e f g h i j k l m n o p q r s t u v w x y z", "Asha Patel", *map(str, range(200))) is None
    )
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Asha Patel (she/her)", "Asha Patel"), ("Asha Patel (Host)", "Asha Patel"), ("Zoë  Müller", "Zoë Müller"),
        ("Asha Pat…", ""), ("Asha's iPad", ""), ("x", ""), ("1234 56", ""), ("<b>Asha", ""), ("", ""), ("...", ""),
    ],
)  # fmt: skip
def test_a_name_that_can_be_offered(label: str, name: str) -> None:
    assert plain_name(label) == name


@pytest.mark.parametrize(
    ("label", "students", "student"),
    [
        ("Søren Okafor", ("Søren Okafor-Ali", "Ben"), None),
        ("Søren Okafor-Ali", ("Søren Okafor", "Ben"), None),
        ("Søren", ("Søren Okafor-Ali", "Ben"), "Søren"),
        ("Jonas Shama", ("Jonas Sharma", "Ben"), "Jonas Sharma"),
        ("ldali", ("Ida Ali", "Ben"), "Ida Ali"),
        (")da Müller", ("Ida Müller", "Ben"), "Ida Müller"),
        ("Olga Schäter-Johansson", ("Olga Schäfer-Johansson",), "Olga Schäfer-Johansson"),
        ("Toni", ("Toni", "Foni"), None),
        ("Françoise Blohlávek", ("Françoise Bělohlávek", "Ben"), "Françoise Bělohlávek"),
        ("Blohlávek", ("Bělohlávek", "Blohlavek"), None),
        ("Zo", ("Zoë", "Ben"), None),
        ("Stanistaw Eriksen", ("Stanisław Eriksen", "Ben"), "Stanisław Eriksen"),
        ("Tadeáš Łukasik-Fer…", ("Tadeáš Łukasik-Fernández", "Ben"), "Tadeáš Łukasik-Fernández"),
        ("Tadeáš Łukasik-Fer…", ("Tadeáš Łukasik-Fernández", "Tadeáš Łukasik-Ferrari"), None),
    ],
)
def test_slips_that_small_letters_cause_and_people_who_share_two_words(
    label: str, students: tuple[str, ...], student: str | None
) -> None:
    found = said(label, *students)
    assert (found or "").startswith(student or "") and bool(found) == bool(student)


@pytest.mark.parametrize(
    ("label", "slip"),
    [
        ("0Asha Patel", True), ("Asha Patek", True), ("Asha Patel", False), ("Asha", False), ("Visitor", False),
        ("", False), ("Ben Okafor", False),
    ],
)  # fmt: skip
def test_a_text_that_is_nobodys_may_be_a_slip_of_a_whole_name(label: str, slip: bool) -> None:
    assert NameBook(["Asha Patel"]).is_slip(label, "Asha Patel") is slip
    assert not NameBook(["Asha Patel"]).is_slip(label, "Nobody")
