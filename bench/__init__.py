"""The figures of the design, each measured beside a peer or a limit in the same run."""
