"""Events as other programs read them: CSV, Parquet, OpenTelemetry, Perfetto. Pure: no sockets, no terminal.

Each sink takes decoded events, oldest first. The payloads are what the log holds: redacted.
"""
