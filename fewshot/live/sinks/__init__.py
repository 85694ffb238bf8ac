"""Outputs for results: a window, an annotated video, JSON lines."""
