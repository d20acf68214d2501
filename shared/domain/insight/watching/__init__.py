"""Watching a brand: what an hour usually brings, when it brings something else, and how an alert goes from there.

All of it is pure: counts and texts in, findings and turns out. Who reads them and who is told stands outside.
"""
