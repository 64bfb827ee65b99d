"""Readers: a question and passages in, scored spans and a no-answer score out."""
