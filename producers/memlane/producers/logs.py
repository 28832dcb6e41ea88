"""How logs are written: structlog, to stderr, text on a terminal and JSON lines elsewhere."""

import logging
import sys

import structlog

from memlane.producers.settings import LogSettings


def configure_logs(settings: LogSettings) -> None:
    """Sets up logging for this process. Called once, by a program's entry point."""
    text = settings.log_format == "text" or (settings.log_format == "auto" and sys.stderr.isatty())
    renderer = structlog.dev.ConsoleRenderer() if text else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
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
