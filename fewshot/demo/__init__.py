"""``fewshot demo``: the whole chain on the sample picture that ships inside insightface."""
