"""A small assistant of several agents, observed by Laneway: ``python -m examples.assistant``."""
