"""What is kept of a lesson, and what is made of it."""
