"""What the SDK and the hub know of the bus in common, and the SDK's own way there."""
