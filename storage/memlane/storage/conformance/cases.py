"""Values, texts and filters that tell a careful sink from a careless one."""

from typing import Any, Final

from memlane.contracts.canonical import Json
from memlane.storage.conformance.commands import moment

VALUES: Final = [
    "null", "true", "false", "0", "-0.0", "1", "1.0", "1e+16", "1.5e-07", "5e-324", "1.7976931348623157e+308",
    "12345678901234567890123", "-9223372036854775809", "9007199254740993", '""', '" "', "[]", "{}", "[[]]",
    "[{}]", '{"":{}}', '{"a":[]}', "[null]",
    '"\\u0000"', '"\\u0001\\t\\n\\r\\u001f"', '"\\u0000a"', '"\u007f\u0085"',
    '"\u2028\u2029"', '"\ufeff"', '"\uffff"', '"\U0001f642"', '"e\u0301é"', '"\\\\\\""', '"</script>"',
    "\"'; DROP--\"",
    '"%s %d {} {0}"', '"null"', '"1"', '{"1":1,"10":2,"2":3}', '{"a":1,"b":{"c":[1,1.0,true,null,"x"]}}',
    '{"__proto__":1,"é":2,"\uffff":3,"\U0001f642":4}',
]  # fmt: skip
"""Canonical JSON texts."""

FOUND: Final[list[tuple[Json, str]]] = [
    ("I like to run", "running"), ("running late", "run"), ("The MEETINGS of monday", "meeting"),
    ("Un café, s'il vous plaît", "cafe"), ("cafe", "CAFÉ"), ("STRASSE", "straße"),
    ("favoriteColor", "color"),
    ("snake_case_word", "case"), ("room 42", "42"), ({"color": "blue"}, "color"),
    ("東京タワー", "東京"),
    ({"deep": [{"er": "whale"}]}, "whale"), (["a", 77], "77"), (3.25, "25"), ("tab\tnew\nline", "new"),
    ("punctu-ation, mark's", "mark"), ("Ωμέγα", "ωμεγα"), ("ﬁnd", "find"), ("naïve\u0301", "naive"),
    (True, ""), (12345678901234567890123, "12345678901234567890123"), ("x" * 300 + " end", "end"),
]  # fmt: skip
"""Values, and texts that find them."""

HOSTILE: Final = [
    '"', '""', "'", "AND NOT (", "AND", "OR", "NOT", "NEAR(", "NEAR(a b)", "*", "user:", "label:x",
    "body : x", "-", "^x", "x*", "a AND b", "a OR", "{a b} : c", "(", ")", ";", "--", "/*", "%", "_", "\\",
    "@user:{u}", "|", "~", "$x", "=>", "%%x%%", "\u2028", "\u200b", "🙂", "a\tb\nc\rd", "\x01", "x" * 2000,
    "x " * 1000, "' OR 1=1 --", "a" * 300 + " b", "\ufeff", "1e5", "-5", "k1",
]  # fmt: skip
"""What a person may type into a search."""

WORDS: Final = (
    "run", "running", "Runs", "wine", "Café", "cafe", "red", "RED", "größe", "東京", "42", "re-d", "wineRed",
)  # fmt: skip

# Any: an entry's fields by name.
ENTRIES: Final[dict[str, dict[str, Any]]] = {
    "a": {"tags": ["x", "y"], "importance": 1, "session": "s1", "metadata": {"n": 1, "o": {"p": [1, 2]}}},
    "b": {"tags": ["y", "z"], "importance": 5, "session": "s2", "metadata": {"n": 1.0, "s": "1"}},
    "c": {"tags": [], "importance": 10, "project": "s1", "metadata": {"n": True, "z": None}},
    "d%": {"tags": ["X"], "importance": 5, "project": "p1", "metadata": {"o": {"p": [2, 1]}}},
    "d[e]": {"tags": ["x y"], "importance": 7, "metadata": {"é'\"": "\\"}},
}  # fmt: skip

FILTERS: Final[list[tuple[dict[str, object], str]]] = [
    ({}, "a b c d% d[e]"),
    ({"tags_any": ["x"]}, "a"),
    ({"tags_any": ["x", "z"]}, "a b"),
    ({"tags_all": ["x", "y"]}, "a"),
    ({"tags_all": ["y", "none"]}, ""),
    ({"tags_any": ["X", "x y"]}, "d% d[e]"),
    ({"tags_any": ["y"], "tags_all": ["z"]}, "b"),
    ({"importance_min": 5}, "b c d% d[e]"),
    ({"importance_max": 5}, "a b d%"),
    ({"importance_min": 6, "importance_max": 9}, "d[e]"),
    ({"session_id": "s1"}, "a"),
    ({"session_id": "S1"}, ""),
    ({"project_id": "s1"}, "c"),
    ({"metadata": {"n": 1}}, "a"),
    ({"metadata": {"n": 1.0}}, "b"),
    ({"metadata": {"n": True}}, "c"),
    ({"metadata": {"s": "1"}}, "b"),
    ({"metadata": {"s": 1}}, ""),
    ({"metadata": {"z": None}}, "c"),
    ({"metadata": {"none": None}}, ""),
    ({"metadata": {"o": {"p": [1, 2]}}}, "a"),
    ({"metadata": {"n": 1, "o": {"p": [1, 2]}}}, "a"),
    ({"metadata": {"é'\"": "\\"}}, "d[e]"),
    ({"key_pattern": "a"}, "a"),
    ({"key_pattern": "A"}, ""),
    ({"key_pattern": "?"}, "a b c"),
    ({"key_pattern": "*"}, "a b c d% d[e]"),
    ({"key_pattern": "d*"}, "d% d[e]"),
    ({"key_pattern": "d%"}, "d%"),
    ({"key_pattern": "d[e]"}, "d[e]"),
    ({"key_pattern": "*e?"}, "d[e]"),
    ({"key_pattern": "_"}, ""),
    ({"key_pattern": "[ab]"}, ""),
    ({"tags_any": ["y"], "importance_min": 2, "session_id": "s2"}, "b"),
]
"""Filters, and the keys of `ENTRIES` that they mean."""

RANGES: Final[list[tuple[dict[str, object], str]]] = [
    ({"created_from": moment(20)}, "b c"),
    ({"created_before": moment(20)}, "a"),
    ({"created_from": moment(10), "created_before": moment(30)}, "a b"),
    ({"updated_from": moment(2)}, "b c"),
    ({"updated_before": moment(2)}, "a"),
    ({"updated_from": moment(1.5), "updated_before": moment(2.001)}, "b"),
    ({"updated_from": moment(2.0005)}, "c"),
    ({"updated_before": moment(2.0005)}, "a b"),
    ({"updated_from": moment(-1e9), "created_before": moment(1e9)}, "a b c"),
]
"""Ranges, and which of a, b and c they mean: updated in seconds 1, 2, 3 and created in 10, 20, 30."""
