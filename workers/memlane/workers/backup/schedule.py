"""When backups are due: cron's syntax, in UTC."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator

NEVER: Final = ""

_SECOND: Final = timedelta(seconds=1)


def _checked(text: str) -> str:
    expression = text.strip()
    if expression != NEVER:
        try:
            CronSim(expression, datetime.now(UTC))
        except CronSimError as error:
            raise ValueError(
                f"{expression!r} is not cron's syntax ({error}): minute, hour, day, month and weekday, "
                "such as `0 2 * * *`; empty: never"
            ) from None
    return expression


CronExpression = Annotated[str, AfterValidator(_checked)]
"""Five fields as in crontab(5); a sixth in front means seconds. Empty: never."""


def last_due(expression: str, now: datetime) -> datetime | None:
    """The last time that was due, `now` included; None where there never was one.

    Args:
        expression: as `CronExpression` takes it.
        now: aware.
    """
    if expression == NEVER:
        return None
    moment = now.astimezone(UTC).replace(microsecond=0) + _SECOND
    return next(CronSim(expression, moment, reverse=True), None)


def next_due(expression: str, now: datetime) -> datetime | None:
    """The next time that is due, `now` not included; None where there never is one."""
    return None if expression == NEVER else next(CronSim(expression, now.astimezone(UTC)), None)
