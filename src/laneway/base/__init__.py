"""Clock, ids, errors, limits, settings: pure, standard library only, no I/O on import."""
