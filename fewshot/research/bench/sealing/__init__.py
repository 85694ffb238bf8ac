"""What is left after an erasure, and what encryption costs."""
