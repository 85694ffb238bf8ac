"""What is made of a lesson: pure functions over its arrays, no database, no screen.

Every number says how it was made and how sure it is; nothing here is a score of a person.
"""
