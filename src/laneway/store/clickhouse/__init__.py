"""The index in a ClickHouse server or cluster."""
