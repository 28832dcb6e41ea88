"""Backups: what a sink holds, as commands in a file, and back again.

`source.py` (which sink) → `whole_rows.py` (its rows, as commands) → `writing.py` (into a file; its form is in
`format.py`) → `folder.py` (which files there are, and which go) → `reading.py` (a file's commands, checked) →
`restoring.py` (under their own versions) or `rollback.py` (under new ones). `scheduler.py` makes one whenever
`schedule.py` says so.
"""
