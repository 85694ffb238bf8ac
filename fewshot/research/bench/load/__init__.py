"""Many lessons at once at a service on this computer: how many it holds, what they cost, and what faults do."""
