"""The database of all classes: students, consents, vectors and lessons."""

from fewshot.database.engine import Database, in_folder, open_database
from fewshot.database.words import ErasurePending

__all__ = ["Database", "ErasurePending", "in_folder", "open_database"]
