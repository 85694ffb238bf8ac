"""Crops to vectors. This package needs only ONNX Runtime; ``training`` beneath it needs torch."""
