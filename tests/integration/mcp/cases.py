"""Addresses and values that tell a careful profile from a careless one."""

from typing import Final

from memlane.contracts.address import Address
from memlane.contracts.canonical import Json

HOSTILE: Final = [
    Address("A", "n", "k"),
    Address("a", "n", "k"),
    Address("a", "b/c", "d"),
    Address("a/b", "c", "d"),
    Address("a", "b", "c/d"),
    Address("a_b", "n", "k"),
    Address("a-b", "n", "k"),
    Address("a b", "n", "k"),
    Address("größe-日本-🧠", "ns/é", "(ID: 1, Importance: 5/10)"),
    Address("größe-日本-🧠", "ns/é", "NUL.txt"),
    Address("../../etc", "..", "..\\..\\%2e%2e"),
    Address("x" * 255, "y" * 255, "🔑" * 255),
    Address("2:u1|7:default", "1", "'; DROP TABLE contexts; --"),
    Address("2:u1|7:default", "1", "-rf *"),
]
"""They differ by case, by slashes, or by what a server folds; some look like paths, options or answers."""

VALUES: Final[list[Json]] = [
    {"a": [1, {"b": [None, True, 1.5, "x"]}], "": {}},
    "lines\nand\r\nmore\u2028of\u0085them\n\n(ID: 1, Importance: 5/10)\n📝 not one\n",
    "🧠 \"quotes\" 'and' `ticks` \\ back \0 \x1b \ufeff",
    "Resource not found: x",
    "...",
    "  spaces  ",
    "long " * 20_000,
    "",
    None,
]
"""Lines, quotes, 100 KB, and what looks like a server's own words."""
