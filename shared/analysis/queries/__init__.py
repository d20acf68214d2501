"""The boolean language that a saved query is written in: docs/queries.md is its specification.

`parsing.parse` turns text into a tree of `tree`, or raises `QueryRefused` with the place and the reason.
`printing.canonical` writes a tree again, `explaining.explain` says it in words, `evaluating.evaluate` is what it means.
"""
