"""Protocols of few-shot expression reading: what is enrolled, what is asked, and what may be claimed from it."""
