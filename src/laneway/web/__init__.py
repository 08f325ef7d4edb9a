"""The hub's web face: the only floor that knows HTTP."""
