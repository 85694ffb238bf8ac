"""Lessons: how they are stored, analysed, drawn and reported."""
