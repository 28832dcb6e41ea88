"""`memlane dead`.

Looking: `reading.py` (a pass over the queue that leaves everything in it) → `letters.py` and
`parked_commands.py` (what a message says) → `selection.py` → `browsing.py` → `showing.py`.

Acting: `plan.py` (which messages, before anything is done) → `carrying_out.py` (pass, rate, ack) with
`retrying.py` (back to the lane) → `summary.py`.
"""
