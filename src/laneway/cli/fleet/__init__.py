"""The fleet of agents as `laneway top` shows it: `fleet` knows, `view` lays out, `screen` shows."""
