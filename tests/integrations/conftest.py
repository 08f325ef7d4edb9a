from ..sdk.conftest import events

__all__ = ["events"]
