"""`laneway forward`: what the log gets, sent on to a collector of OpenTelemetry."""
