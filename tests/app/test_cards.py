"""Cards of the roster: consent, photos, and what is missing."""

from __future__ import annotations

from datetime import date

import pytest

from fewshot.app.cards import advice, card_html, consent_words, roster_data
from fewshot.classroom.consent import Consent
from fewshot.classroom.roster import Photo, Student

TODAY = date(2026, 11, 20)
CONSENT = Consent("her mother", date(2026, 9, 1))


def student(*emotions: str | None, consent: Consent = CONSENT, sharpness: float | None = 0.9) -> Student:
    photos = {str(n): Photo(emotion, TODAY, "00", 120.0, sharpness) for n, emotion in enumerate(emotions)}
    return Student("Asha", consent, photos)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (student(), "No photo yet"),
        (student("happy"), "A neutral photo"),
        (student(None), "A neutral photo"),
        (student("neutral"), "another expression"),
        (student("neutral", "confused"), "another expression"),
        (student("neutral", "happy"), ""),
        (student("neutral", "happy", sharpness=0.1), "Sharper"),
        (student("neutral", "happy", sharpness=None), ""),
        (student("neutral", consent=Consent("x", date(2026, 1, 1), until=date(2026, 2, 1))), "Consent has ended"),
    ],
)
def test_what_would_help_most(one: Student, words: str) -> None:
    assert advice(one, TODAY).startswith(words) if not words else words in advice(one, TODAY)
    assert bool(advice(one, TODAY)) == bool(words) and advice(one, TODAY, sample=True) == ""


def test_consent_in_words() -> None:
    assert consent_words(student(), TODAY) == "consent: her mother, 01 Sep 2026"
    ended = student(consent=Consent("x", date(2026, 1, 1), until=date(2026, 2, 1)))
    assert consent_words(ended, TODAY) == "consent ended on 01 Feb 2026"


def test_a_card_shows_photos_a_state_and_escapes_names() -> None:
    one = student("neutral", "happy", "happy")
    one.key = "<b>Asha"
    html = card_html(one, TODAY)
    assert "happy x 2" in html and "neutral" in html and "<b>Asha" not in html
    assert "data:image/jpeg" in card_html(one, TODAY, portrait=b"\xff\xd8") and "data:image/jpeg" not in html


def test_the_roster_is_sorted_and_says_everything_aloud() -> None:
    roster = {name: Student(name, CONSENT) for name in ("zoe", "Ben")}
    data = roster_data(roster, TODAY)
    assert [card[0] for card in data["tiles"]] == ["Ben", "zoe"] and "her mother" in data["tiles"][0][1]
    assert roster_data({}, TODAY)["tiles"] == []
