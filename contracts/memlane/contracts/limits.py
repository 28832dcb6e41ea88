"""Every bound on the wire, once. The generated schemas and all error messages take them from here."""

from datetime import timedelta
from typing import Final

SCHEMA: Final = 1
"""The only envelope schema number there is."""

MAX_MESSAGE_BYTES: Final = 1024 * 1024
"""Of one message's body, UTF-8."""

MAX_REPLY_BYTES: Final = 8 * 1024 * 1024
"""Of the answers in one reply, about: a broker takes messages of up to 16 MiB."""

MAX_COMMANDS: Final = 500
"""In one message."""

MAX_QUESTIONS: Final = 100
"""In one query message."""

MAX_IDENTIFIER: Final = 255
"""Characters (code points) of a user, namespace, key, tag, session or project."""

MAX_NAMESPACE_DEPTH: Final = 16
"""Parts of a namespace, which are separated by `/`."""

MAX_TAGS: Final = 100
"""Of one entry."""

MAX_JSON_DEPTH: Final = 64
"""Levels of arrays and objects inside a value or a metadata field."""

MAX_INTEGER_DIGITS: Final = 4000
"""Of one integer in a value: below the limit at which Python refuses to convert one."""

MAX_DEADLINE_MS: Final = 60_000
"""Of a question, in milliseconds."""

MAX_PAGE: Final = 500
"""Entries in one answer to a list or a search."""

MAX_QUERY_CHARACTERS: Final = 2000
"""Of a search text."""

MAX_CLOCK_AHEAD: Final = timedelta(minutes=5)
"""How far a version may be ahead of the clock that judges it."""

DEFAULT_NAMESPACE: Final = "default"
DEFAULT_IMPORTANCE: Final = 5
MIN_IMPORTANCE: Final = 1
MAX_IMPORTANCE: Final = 10
