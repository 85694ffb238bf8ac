"""Datasets for research. The running system imports nothing from here."""
