"""Documents to passages to vectors to hits: everything that happens before a question is read.

The package takes plain arguments, never reads the environment and imports nothing of `service`, `eval` or `training`.
"""
