"""Alerts: rules over the live stream, how each stands, and who is told.

``rule`` reads a rule, ``selector`` finds the rules that an event concerns, ``gauge`` keeps a rule's value
as events come, ``standing`` turns values into ok, pending, firing and resolved, ``evaluator`` puts these
together without a clock, a thread or a file of its own; ``watch`` gives it those; ``trial`` asks what a
rule would have done; ``webhook`` tells others.
"""
