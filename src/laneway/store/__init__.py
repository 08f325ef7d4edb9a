"""The index: finds events in the log. Everything here can be deleted and is rebuilt from the log."""
