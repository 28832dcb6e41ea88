"""The demo: the main job on real servers and real input, checked step by step.

`python -m memlane.testing.demo`, which is `make demo`.

`source.py` (what is imported, and what must be there afterwards) → `system.py` (`memlane up` as a process) →
`holdings.py` (what each sink holds, read from the sink itself) → `story.py` (what happens, in order).
"""
