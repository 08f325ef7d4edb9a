"""What an event is: its fields, its words, its bytes, and what must never be in it."""
