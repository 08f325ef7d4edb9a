"""What others measure on the same events: ``make bench-peers``."""
