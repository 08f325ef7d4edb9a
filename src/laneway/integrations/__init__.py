"""What a program is built with, connected in a line or two: web frameworks, bots, HTTP clients, loggers.

Each module imports its framework only where it must; importing this package imports nothing.
"""
