"""The bus between hubs: a courier process publishes the log to NATS and takes what others sent."""
