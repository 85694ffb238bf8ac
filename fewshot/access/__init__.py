"""Everything that is held about one student, for the student's family."""
