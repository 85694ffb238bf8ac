"""An error's text is true everywhere; its hint names a command, and is only for the command line."""

import pickle

from fewshot.errors import FewshotError, SourceError, UsageError
from fewshot.translation import Later, later


def test_the_command_line_prints_the_text_and_then_the_hint():
    error = UsageError("There is no class 'physics'.", hint="To make it: fewshot enroll physics PHOTOS")

    assert error.text == "There is no class 'physics'."
    assert str(error) == "There is no class 'physics'. To make it: fewshot enroll physics PHOTOS"


def test_an_error_without_a_hint_is_its_text():
    error = FewshotError("No camera was found.")

    assert (error.text, error.hint, str(error)) == ("No camera was found.", "", "No camera was found.")


def test_a_secret_in_a_value_is_masked_in_every_language():
    error = SourceError(later("{name} was opened but gives no picture.", name="rtsp://ann:secret@10.0.0.7/a"))

    assert isinstance(error.text, Later) and "secret" not in f"{error} {error.text.values}"


def test_an_error_from_another_process_keeps_its_hint():
    error = pickle.loads(pickle.dumps(UsageError("No class.", hint="Type: fewshot roster")))

    assert str(error) == "No class. Type: fewshot roster"
