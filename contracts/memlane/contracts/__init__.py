"""What is said between the parts of memlane: words, wire and rules. No I/O in here.

Read `command.py` (what a producer publishes), then `codec.py` (how it travels), then the two pure
functions that everything rests on: `fingerprint.py` and `merge.py`.
"""
