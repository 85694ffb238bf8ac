"""``fewshot demo``: the whole program on the sample picture inside the package insightface."""
