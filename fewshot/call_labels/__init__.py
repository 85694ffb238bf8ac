"""Names from the labels that a video call writes on its tiles: read here, matched strictly, never guessed."""
