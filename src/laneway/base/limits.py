"""Every size and count limit, with its reason."""

KIB = 1024
MIB = 1024 * KIB

LINE_BYTES = 256 * KIB
"""Longest line in the log. One ``write(2)`` of this size stays well under 1 ms on a laptop, and a
reader's buffer stays small; what is larger stands whole in a side file, and the line has its beginning."""

SEGMENT_BYTES = 256 * MIB
"""Default size at which a segment is sealed: about 350,000 events of 700 bytes, so that an index
segment opens in a millisecond and retention works in steps that nobody notices."""

BODY_BYTES = 16 * MIB
"""Largest request body, after decompression."""

SIDE_BYTES = BODY_BYTES
"""Of one event, at most this much is kept whole beside the log: what one request can carry, and a
second of the caller's time at worst."""

SIDE_FILES = 16
"""Side files of one event at most; more texts than that go into one file, as the JSON that holds them."""

DEPTH = 64
"""Deepest nesting of a value. orjson refuses to write past 254; browsers and jq cope with 64."""

NAME_CHARS = 256
"""Longest agent, event, tool, session or model name: they become dictionary entries and labels."""

BATCH_EVENTS = 500
"""Events in one request of the shipper: big enough to pay for the round trip, small enough to retry."""

CLIENT_QUEUE_BYTES = 4 * MIB
"""Frames waiting for one viewer; past it they are dropped and the viewer gets a gap marker."""

CLIENTS = 64
"""Viewers at a time."""

CONNECTIONS = 128
"""HTTP connections at a time, besides the viewers: each may hold buffers of a few hundred KB. Who is
idle makes room for who comes."""

KEYS = 1_000
"""Keys of one event that is sent, nested ones among them: a viewer shows each in a row of its own."""

KEY_CHARS = 256
"""Longest of them: keys become names of attributes, which people type."""

PAGE_EVENTS = 1_000
"""Largest page of a query."""

RESERVE_BYTES = 64 * MIB
"""Space that the hub keeps for itself: what the index of a burst needs, and SQLite for folding its
write-ahead log, which grows the database by as much as the log holds (16 MiB)."""
