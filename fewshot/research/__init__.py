"""What the system is researched with. The running system imports nothing from here (a test holds it)."""
