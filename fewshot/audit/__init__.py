"""The audit log: who did what with the data of students, as lines that cannot be changed unnoticed."""
