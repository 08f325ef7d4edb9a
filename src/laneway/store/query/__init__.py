"""The query language: expressions, their text form, and a matcher over single events; docs/query.md."""
