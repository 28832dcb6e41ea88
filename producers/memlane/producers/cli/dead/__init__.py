"""`memlane dead`: `browsing.py` (look, and leave everything where it is) → `letters.py` → `showing.py`."""
