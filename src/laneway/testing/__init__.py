"""For the tests of programs that log: `laneway.testing.plugin` offers the fixture ``laneway_events``."""
