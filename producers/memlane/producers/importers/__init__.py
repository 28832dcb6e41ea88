"""Reading what others kept, and publishing it: `memlane import`.

`lines.py` (a stream into lines) → `jsonl.py` (a line into a command) → `versions.py` (which version it
gets) → `sending.py` (commands to the broker, in full messages). Nothing here knows of a command line.
"""

from memlane.producers.importers.jsonl import BadLine, read_jsonl
from memlane.producers.importers.sending import ImportReport, send_lines

__all__ = ["BadLine", "ImportReport", "read_jsonl", "send_lines"]
