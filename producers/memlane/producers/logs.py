"""How logs are written: structlog, to stderr, text on a terminal and JSON lines elsewhere.

Of an exception the log has where it came from and its type; its text only where it is one of ours. What a
library says may quote a memory's value, or an address with its password.
"""

import logging
import sys
import traceback

import structlog
from structlog.typing import EventDict, WrappedLogger

from memlane.contracts.errors import loggable
from memlane.producers.settings import LogSettings

_MOST_CAUSES = 10


def configure_logs(settings: LogSettings) -> None:
    """Sets up logging for this process. Called once, by a program's entry point."""
    text = settings.log_format == "text" or (settings.log_format == "auto" and sys.stderr.isatty())
    renderer = structlog.dev.ConsoleRenderer() if text else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            show_exception,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=_stderr_logger,
        cache_logger_on_first_use=False,
    )
    # The libraries' own lines about lost connections say nothing that ours do not.
    for name in ("aio_pika", "aiormq", "aiosqlite"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _stderr_logger(*_names: object) -> structlog.PrintLogger:
    """Writes to whatever stderr is at that moment: it may have been redirected, and the old one closed."""
    return structlog.PrintLogger(sys.stderr)


def show_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A processor: `exc_info` becomes `exception`, without the texts of foreign errors."""
    told = event.pop("exc_info", None)
    error = sys.exc_info()[1] if told is True else told[1] if isinstance(told, tuple) else told
    if isinstance(error, BaseException):
        event["exception"] = "\n".join(_described(error, _MOST_CAUSES))
    return event


def _described(error: BaseException, most: int) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    before = [*_described(cause, most - 1), "then:"] if cause is not None and most > 0 else []
    within = error.exceptions if isinstance(error, BaseExceptionGroup) and most > 0 else ()
    inside = [line for one in within for line in ("within:", *_described(one, most - 1))]
    return [*before, *lines, loggable(error), *inside]
