"""`memlane config`: `kinds.py` (which settings there are) → `effective.py` (what they are) → the command."""
