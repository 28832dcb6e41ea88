"""Sinks: backends that apply commands and answer queries.

Read `sink.py` (the contract of every sink) and `decide.py` (what is done with a command), then any of
the folders: `sqlite`, `redis`, `memory`. `conformance` is the suite that holds all of them to it.
"""
