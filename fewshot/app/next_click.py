"""An error or a note as the app shows it: its text, and the click that does what its hint for the command line does."""

from __future__ import annotations

from fewshot.errors import FewshotError, Note
from fewshot.translation import later, tr

CLICKS = {
    "which finishes the erasure": later("Restart fewshot, which finishes the erasure."),
    "with the passphrase that was chosen": later("Type the passphrase that was chosen when the file was made."),
    "To erase them then": later("Then open the page Class again."),
    "--consent-by 'WHO": later("Fill in the field “Consent given by”, then click the button again."),
    "fewshot models pull": later("Open Settings → Models and click “Download the missing models”."),
    "install fewshot again": later("Install fewshot again."),
    "fewshot models list": later("Open Settings → Models to see which models are on this computer."),
    "fewshot models verify": later("Open Settings → Models to see which file is damaged."),
    "then: fewshot enroll": later(
        "To use it, open the page Class, click each student's card, remove the student in the tab More, and add the "
        "photos again."
    ),
    "fewshot enroll": later(
        "Open the page Class. There you can create a class, add students, and say who gave consent."
    ),
    "--consent-by": later("Fill in the field “Consent given by”."),
    "--remove": later("Open the page Class, click the student's card, and remove the student in the tab More."),
    "fewshot accounts": later("Accounts are under Settings → Accounts, for an administrator."),
    "fewshot roster": later("The page Class shows all classes."),
    "fewshot key": later("The recovery file and the encryption are under Settings → Safety."),
    "fewshot lessons --delete-old": later("Open Settings → Privacy to check the date, and to delete them."),
    "fewshot lessons": later("The page Report lists all lessons."),
}
"""What a hint contains -> the same step in the app; the first match counts."""


def in_the_app(said: FewshotError | Note) -> str:
    """The text of an error or a note, then the next click.

    >>> in_the_app(FewshotError("There is no lesson 7.", hint="To see them: fewshot lessons"))
    'There is no lesson 7. The page Report lists all lessons.'
    """
    click = next((tr(click) for command, click in CLICKS.items() if command in said.hint), "")
    return f"{tr(said.text)} {click}".strip()
