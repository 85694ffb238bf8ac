"""Sentences in the reader's language; English where a catalogue has none, or none that fits."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fewshot.translation import (
    ENGLISH,
    LANGUAGE,
    LANGUAGES,
    altered,
    catalogue,
    language_of,
    language_of_header,
    later,
    later_n,
    together,
    tr,
    tr_n,
)
from fewshot.translation.words import emotion_word

HEAD = """msgid ""
msgstr ""
"Language: {language}\\n"
"Plural-Forms: nplurals=2; plural={plural};\\n"
"Content-Type: text/plain; charset=utf-8\\n"

"""
GERMAN = """
msgid "Save"
msgstr "Sichern"

msgid "Open"
msgstr ""

#, fuzzy
msgid "Delete"
msgstr "Vielleicht löschen"

msgid "{student} left {classroom}."
msgstr "Aus {classroom} ging {student}."

msgid "Hello {student}"
msgstr "Hallo {schüler}"

msgid "Bye {student}"
msgstr "Bis bald {student"

msgid "Look at {student}"
msgstr "Sieh {student.__class__} an"

msgid "{share:.1f} of {whole}"
msgstr "{share:.9999999f} von {whole}"

msgid "{number} face"
msgid_plural "{number} faces"
msgstr[0] "{number} Gesicht"
msgstr[1] "{number} Gesichter"

msgid "A photo"
msgid_plural "{number} photos"
msgstr[0] "Ein Foto"
msgstr[1] "{number} Fotos"

msgid "{number} class"
msgid_plural "{number} classes"
msgstr[0] "{number} Klasse"
msgstr[1] "{zahl} Klassen"

msgid "{number} lesson"
msgid_plural "{number} lessons"
msgstr[0] "{number} Stunde"
msgstr[1] ""

msgid "happy"
msgstr "fröhlich"
"""
FRENCH = """
msgid "{number} face"
msgid_plural "{number} faces"
msgstr[0] "{number} visage"
msgstr[1] "{number} visages"

msgid "A photo"
msgid_plural "{number} photos"
msgstr[0] "Une photo"
msgstr[1] "{number} photos"
"""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Catalogues of the test's own, and the language as it was afterwards."""
    (tmp_path / "de.po").write_text(HEAD.format(language="de", plural="(n != 1)") + GERMAN, encoding="utf-8")
    (tmp_path / "fr.po").write_text(HEAD.format(language="fr", plural="(n > 1)") + FRENCH, encoding="utf-8")
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
    catalogue.catalogue.cache_clear()
    before = LANGUAGE.set(ENGLISH)
    yield tmp_path
    LANGUAGE.reset(before)
    catalogue.catalogue.cache_clear()


@pytest.fixture
def german(made: Path) -> None:
    pytest.importorskip("babel", reason="needs the extra app")
    LANGUAGE.set("de")


def test_a_sentence_and_its_values_are_in_the_language(german: None) -> None:
    assert tr("Save") == "Sichern"
    assert tr("{student} left {classroom}.", student="Asha", classroom="8b") == "Aus 8b ging Asha."
    LANGUAGE.set(ENGLISH)
    assert tr("Save") == "Save"


def test_a_text_for_later_is_english_until_it_is_shown_and_so_is_what_it_holds(german: None) -> None:
    text = later("{student} left {classroom}.", student=later("Save"), classroom="Save")
    assert text == "Save left Save." and f"{text}" == json.loads(json.dumps(text)) == text
    assert tr(text) == tr("{student} left {classroom}.", student=later("Save"), classroom="Save")
    assert tr(text) == "Aus Save ging Sichern."  # a word of a user is not a message
    assert tr(pickle.loads(pickle.dumps(text))) == tr(text) and type(tr(text)) is str
    LANGUAGE.set(ENGLISH)
    assert tr(text) == "Save left Save." and type(tr(text)) is str


def test_counted_and_joined_texts_for_later_are_translated_part_by_part(german: None) -> None:
    assert [tr(later_n("{number} face", "{number} faces", n)) for n in (1, 2)] == ["1 Gesicht", "2 Gesichter"]
    text = together(later("Save"), "", "Anna", later_n("{number} face", "{number} faces", 2), between=", ")
    assert text == "Save, Anna, 2 faces" and tr(text) == "Sichern, Anna, 2 Gesichter"


def test_a_change_reaches_the_values_and_not_the_message(german: None) -> None:
    text = altered(later("{student} left {classroom}.", student="Asha", classroom="/tmp/8b"), lambda t: t[-2:])
    assert tr(text) == "Aus 8b ging ha." and altered("/tmp/8b", lambda t: t[-2:]) == "8b"


@pytest.mark.parametrize("message", ["Open", "Delete", "Close", "{no} braces {", ""])
def test_what_is_not_translated_or_fuzzy_is_english(message: str, german: None) -> None:
    assert tr(message) == message


@pytest.mark.parametrize("message", ["Hello {student}", "Bye {student}", "Look at {student}"])
def test_a_translation_with_other_placeholders_is_not_shown(message: str, german: None) -> None:
    assert tr(message, student="Asha") == message.format(student="Asha")


def test_a_translation_cannot_change_how_a_number_is_written(german: None) -> None:
    assert tr("{share:.1f} of {whole}", share=0.25, whole=1) == "0.2 of 1"


def test_a_fault_in_the_code_is_not_hidden(german: None) -> None:
    with pytest.raises(KeyError):
        tr("{student} left {classroom}.", student="Asha")


def test_counted_things_have_the_form_of_the_language(german: None) -> None:
    assert [tr_n("{number} face", "{number} faces", n) for n in (0, 1, 2)] == [
        "0 Gesichter",
        "1 Gesicht",
        "2 Gesichter",
    ]
    assert [tr_n("A photo", "{number} photos", n) for n in (1, 2)] == ["Ein Foto", "2 Fotos"]
    LANGUAGE.set("fr")
    assert [tr_n("{number} face", "{number} faces", n) for n in (0, 1, 2)] == ["0 visage", "1 visage", "2 visages"]


def test_a_language_whose_form_for_one_is_that_for_zero_must_name_the_number(german: None) -> None:
    LANGUAGE.set("fr")
    assert [tr_n("A photo", "{number} photos", n) for n in (0, 1)] == ["0 photos", "A photo"]


def test_a_counted_thing_with_a_form_missing_or_wrong_is_english(german: None) -> None:
    assert [tr_n("{number} class", "{number} classes", n) for n in (1, 2)] == ["1 class", "2 classes"]
    assert [tr_n("{number} lesson", "{number} lessons", n) for n in (1, 2)] == ["1 lesson", "2 lessons"]
    assert tr_n("{number} thing", "{number} things", 3) == "3 things"


def test_the_words_for_expressions_are_translated_and_a_teachers_own_are_not(german: None) -> None:
    assert emotion_word("happy") == "fröhlich" and emotion_word("neutral") == "neutral"
    assert emotion_word("Save") == "Save"  # a state that is called like a button


_NO_CHARSET = b'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-9\\n"\n\nmsgid "Save"\nmsgstr "Sichern"\n'


@pytest.mark.parametrize("content", [b"\xff\xfe\x00broken", b'msgid "Save\nmsgstr', _NO_CHARSET, None])
def test_a_catalogue_that_cannot_be_read_leaves_english(content: bytes | None, made: Path) -> None:
    if content is None:
        (made / "de.po").unlink()
    else:
        (made / "de.po").write_bytes(content)
    LANGUAGE.set("de")
    assert tr("Save") == "Save" and tr_n("{number} face", "{number} faces", 2) == "2 faces"


def test_a_language_without_a_catalogue_is_english(made: Path) -> None:
    LANGUAGE.set("tlh")
    assert tr("Save") == "Save"


def test_without_babel_everything_is_english(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("babel", "babel.messages", "babel.messages.pofile"):
        monkeypatch.setitem(sys.modules, name, None)
    LANGUAGE.set("de")
    assert tr("Save") == "Save"


def test_english_loads_neither_babel_nor_a_catalogue() -> None:
    script = (
        "import sys\nfrom fewshot.translation import tr, tr_n\nfrom fewshot.translation.words import emotion_word\n"
        "tr('Save'), tr_n('{number} a', '{number} b', 1), emotion_word('happy')\n"
        "print(sorted({'babel', 'fewshot.translation.catalogue', 'streamlit'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("de-AT", "de"),
        ("de", "de"),
        ("HI-in", "hi"),
        ("es_MX", "es"),
        ("pt-BR", "en"),
        ("", "en"),
        (None, "en"),
        ("-", "en"),
    ],
)
def test_the_language_of_a_browser(locale: str | None, language: str) -> None:
    assert language_of(locale) == language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", "fr"),
        ("en;q=0.8, de", "de"),
        ("de;q=0, es;q=0.1", "es"),
        ("pt, *", "en"),
        ("", "en"),
        ("de;q=abc", "en"),
    ],
)
def test_the_language_of_a_request(header: str, language: str) -> None:
    assert language_of_header(header) == language


def test_every_language_has_a_catalogue_that_can_be_read() -> None:
    pytest.importorskip("babel", reason="needs the extra app")
    folder = Path(catalogue.__file__).with_name("catalogues")
    assert {path.stem for path in folder.glob("*.po")} == set(LANGUAGES) - {ENGLISH}
    for language in set(LANGUAGES) - {ENGLISH}:
        read = catalogue.read(folder / f"{language}.po")
        assert read.form(1) == 0 and read.form(7) == 1
