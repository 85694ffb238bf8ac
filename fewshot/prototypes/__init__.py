"""Classifies vectors with prototypes of students: estimation, storage, calibration, nearest prototype."""
