"""What others record, as events: bytes in, events out, no sockets."""
