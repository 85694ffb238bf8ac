"""Faces in a frame: detection, alignment, quality, tracking, identity vectors. No names are known here."""
