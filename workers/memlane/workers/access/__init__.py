"""Who may do what: `principal.py` (whose message it is) → `rules_file.py` (what is allowed) → `deciding.py`.

`access_of` is what a role asks at its start; None means that there are no rules, and nothing is decided.
"""

from memlane.workers.access.deciding import Access, access_of, worker_accounts_of
from memlane.workers.access.principal import Principal, is_repair, principal_headers, principal_of

__all__ = [
    "Access",
    "Principal",
    "access_of",
    "is_repair",
    "principal_headers",
    "principal_of",
    "worker_accounts_of",
]
