"""`memlane status`: `gathering.py` (what there is) → `state.py` (what it means) → `showing.py`."""
