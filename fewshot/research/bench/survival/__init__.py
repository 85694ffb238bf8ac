"""What the stores survive: kills, damage, full disks, restarts of a server, and bytes that nobody meant."""
