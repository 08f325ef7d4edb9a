"""The log directory: segments, the locked append, the tail, retention."""
