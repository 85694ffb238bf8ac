"""Computes vectors of crops with ONNX Runtime or OpenVINO. ``fewshot.research.training`` trains the network."""
