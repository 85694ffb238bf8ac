"""The one store under everything: classes, students, what they consented to, their vectors, and lessons."""

from fewshot.database.engine import Database, in_folder, open_database

__all__ = ["Database", "in_folder", "open_database"]
