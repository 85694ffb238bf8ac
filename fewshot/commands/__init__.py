"""What each command does; ``cli.py`` only parses the command line."""
