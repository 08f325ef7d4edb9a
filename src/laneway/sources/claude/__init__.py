"""Claude Code: its hooks (``hook``), their settings (``settings``), and its transcripts (``transcript``)."""
