"""Alerts: rules over the live stream, how each stands, and who is told.

``rule`` reads a rule, ``selector`` finds the rules that an event concerns, ``gauge`` keeps a rule's value
as events come, ``standing`` turns values into ok, pending, firing and resolved, ``evaluator`` puts these
together without a clock, a thread or a file of its own; ``watch`` gives it those, with the ``roster`` of
rules and their ``book``; ``trial`` asks what a rule would have done. ``outbox`` keeps what is due of a turn
until it is in the log and with its receivers: ``notice`` says what they hear, ``allow`` who may,
``webhook`` tells them.
"""
