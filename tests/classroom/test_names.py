import pytest

from fewshot.classroom.names import check_name, emotion_of, folded
from fewshot.errors import UsageError


@pytest.mark.parametrize("name", ["physics", "Klasse 7b", "физика", "物理", "d'Artagnan", "10.2"])
def test_harmless_names_are_kept(name: str) -> None:
    assert check_name(name, "class") == name


@pytest.mark.parametrize(
    "name",
    [
        "-rf",
        "x" * 65,
        "what?",
        "",
        ".",
        "..",
        "../secret",
        "a/b",
        "a\\b",
        "C:",
        "con",
        "NUL.txt",
        "COM1",
        "x.",
        ".hidden",
        "a\0b",
        "a\nb",
    ],
)
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a class"):
        check_name(name, "class")


def test_decomposed_letters_of_macos_are_the_same_name() -> None:
    assert check_name("Rene\u0301", "student") == "Ren\u00e9"


@pytest.mark.parametrize(
    ("word", "emotion"),
    [
        ("happy", "happy"),
        ("Happiness", "happy"),
        ("ANGER", "angry"),
        ("fearful", "fear"),
        ("Surprised", "surprise"),
        ("Normal", "neutral"),
        ("sadness", "sad"),
        ("Disgusted", "disgust"),
        ("Confused", "confused"),
        ("half_asleep", "half asleep"),
    ],
)
def test_folder_names_become_emotions(word: str, emotion: str) -> None:
    assert emotion_of(word) == emotion


@pytest.mark.parametrize("word", ["unsure", "Unknown"])
def test_words_of_the_readings_are_no_states(word: str) -> None:
    with pytest.raises(UsageError):
        emotion_of(word)


def test_a_class_is_one_whatever_the_case() -> None:
    assert folded(" Physics") == folded("PHYSICS")
    assert folded("Rene\u0301") == folded("Ren\u00e9")
    assert folded("Straße") == folded("STRASSE")
    assert folded("Physics") != folded("Maths")
