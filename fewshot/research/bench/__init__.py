"""Measurements of the running system: speed, accuracy on virtual classrooms, faults, long runs, FAISS at scale."""
