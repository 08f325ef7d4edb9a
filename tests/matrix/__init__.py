"""What arrives from the agent frameworks of the field, each in a virtual environment of its own.

`tools/otel_matrix.py` (``make test-matrix``) makes the environments, runs each program of ``program/`` against the
example's local model, and writes the table of docs/integrations.md.
"""
