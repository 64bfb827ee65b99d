"""Follow-ups: from a question that needs what was said before to questions that stand alone.

Elgohary et al. (2019, CANARD) name the two kinds, references and ellipses. No model takes part: English says by its
small words where the parts of a question begin and end. What they do not tell is left to the reader: it is given more
than one question, and the one that it can answer counts.
"""
