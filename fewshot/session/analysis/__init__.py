"""Analysis of a lesson: pure functions on its arrays, without database and screen.

Every number says how it was made and how certain it is. Nothing here is a score of a person.
"""
