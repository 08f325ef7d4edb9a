"""The index as SQLite: one database per log segment; pointers and columns, no content."""
