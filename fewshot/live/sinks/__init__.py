"""Where results go: a window, an annotated video, JSON lines."""
