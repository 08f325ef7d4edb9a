"""OpenTelemetry's traces and logs as events: a span becomes its start and its end.

``protobuf`` and ``json`` read the two wire forms into the same records (``record``), ``facts`` tells what
they mean in the dialects of the field, ``binding`` whose lane and conversation they belong to, and
``event`` writes them down.
"""
