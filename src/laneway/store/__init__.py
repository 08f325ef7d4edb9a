"""The index: finds events in the log. All of it can be deleted and is rebuilt from the log."""
