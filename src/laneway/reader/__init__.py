"""The log asked from outside, by a command, an assistant or a notebook: through its hub, or as files."""
