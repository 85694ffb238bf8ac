"""The database of all classes: students, consents, vectors and lessons."""

from fewshot.database.engine import Database, in_folder, open_database

__all__ = ["Database", "in_folder", "open_database"]
