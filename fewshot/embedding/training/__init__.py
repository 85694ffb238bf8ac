"""The prototypical network and how it is trained. Needs the extra ``train``: ``pip install "fewshot[train]"``."""
