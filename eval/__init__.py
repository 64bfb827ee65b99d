"""Cases to runs to a verdict: how well the service answers."""
