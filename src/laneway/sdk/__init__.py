"""What runs in the user's process: it raises nothing into it, and waits for nothing but a local append."""
