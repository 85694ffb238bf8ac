"""Protocols of few-shot expression recognition: what is enrolled, what is queried, what the numbers allow to claim."""
