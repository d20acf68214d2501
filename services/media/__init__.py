"""Uploaded files: what they are by their content, and what of them is kept.

Decoders of pictures and films have had holes, and a small file can ask for much memory. So a file is opened in a
process of its own, without secrets and within bounds (`child`), by `pictures` or `films`; `checking` starts it and
hears it out.
"""
