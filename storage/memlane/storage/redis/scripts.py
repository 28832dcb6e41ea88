"""The Lua scripts: each is put together from the parts that it needs."""

from dataclasses import dataclass
from hashlib import sha1
from importlib.resources import files
from typing import Final


@dataclass(frozen=True, slots=True)
class Script:
    """A script as Redis takes it.

    Attributes:
        source: Lua 5.1, as Redis embeds it.
        digest: by what Redis calls a script that it knows: SHA-1, 40 hexadecimal digits.
    """

    source: str
    digest: str


def _script(*parts: str) -> Script:
    folder = files("memlane.storage.redis") / "lua"
    source = "\n".join((folder / f"{part}.lua").read_text("utf-8") for part in ("common", *parts))
    return Script(source, sha1(source.encode(), usedforsecurity=False).hexdigest())


APPLY: Final = _script("counting", "floor", "marks", "indexes", "purging", "apply")
FETCH: Final = _script("marks", "fetch")
LIST: Final = _script("marks", "reading", "list")
SEARCH: Final = _script("marks", "reading", "search")
STATS: Final = _script("stats")
DIGESTS: Final = _script("digests")
BUCKET: Final = _script("listing", "looking", "bucket")
HASHES: Final = _script("listing", "hashes")
PLACES: Final = _script("listing", "places")
DEMOTE: Final = _script("counting", "marks", "indexes", "looking", "demote")
EXPIRE: Final = _script("counting", "floor", "indexes", "expire")
PURGE: Final = _script("counting", "indexes", "purging", "purge")
FORGET: Final = _script("counting", "floor", "forget")
RECOUNT: Final = _script("counting", "recount")
TALLY: Final = _script("tally")
SETTLE: Final = _script("settle")
CLEAN: Final = _script("clean")
