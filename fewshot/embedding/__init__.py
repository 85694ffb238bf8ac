"""Crops to vectors, by ONNX Runtime or OpenVINO. The network is trained in ``fewshot.research.training``."""
