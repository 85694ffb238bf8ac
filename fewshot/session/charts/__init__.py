"""Charts of a lesson for the app and the reports: one library (Altair), one theme, one palette.

Functions take the results of ``fewshot.session.analysis`` and return Altair charts, without a screen or a database.
``render`` turns them into SVG, PNG or PDF without a browser and without internet.
"""
