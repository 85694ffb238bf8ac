"""A client of the service: the same results as on this computer, from a computer that has the models."""

from fewshot.client.client import Client

__all__ = ["Client"]
