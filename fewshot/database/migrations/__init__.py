"""Alembic's folder: how one state of the tables becomes the next."""
