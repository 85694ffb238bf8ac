"""Faces in a frame: detection, alignment, quality, tracking, identity vectors. This package knows no names."""
