"""Rounds 发布期次 and the lists of a year (R43, R54, R55, R57): `changes.py` → `store.py`, `told.py`,
`history.py` → `mapping.py`.

The rules are in `domain/rounds.py`, the RPCs with those of listings.
"""
