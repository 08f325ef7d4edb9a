"""Prometheus' text exposition format, version 0.0.4."""


def head(name: str, help: str, kind: str) -> list[str]:
    """What stands once before the series of a name."""
    return [f"# HELP {name} {help}", f"# TYPE {name} {kind}"]


def escape(value: str) -> str:
    """A label's value, fit to stand between quotes."""
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
