"""The hub without HTTP: events come in, the log keeps them, the index and the viewers follow it."""
