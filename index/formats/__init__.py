"""Formats: from the bytes of a file to canonical text and its structure.

`converter.py` is what others call. It runs `worker.py` in a process of its own, which finds out what a file is
(`kinds.py`) and lets one of the parsers read it. Nothing that parses runs in the process of the caller.
"""
