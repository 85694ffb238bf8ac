"""Shares a window of the teacher's screen with a lesson: the browser picks it and sends pictures when asked."""
