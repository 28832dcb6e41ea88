"""How many examples hypothesis tries."""

from typing import Final

from hypothesis import HealthCheck, settings

_NAME: Final = "memlane"


def on_one_sink(*, max_examples: int | None = None) -> settings:
    """For a property whose examples share one sink, each with users of its own.

    Args:
        max_examples: how many; None: as many as the profile says.
    """
    return settings(
        max_examples=max_examples or settings().max_examples,
        deadline=None,
        suppress_health_check=[
            HealthCheck.differing_executors,
            HealthCheck.function_scoped_fixture,
            HealthCheck.too_slow,
        ],
    )


def load_profile(max_examples: int = 30) -> None:
    """Few examples and no deadline, unless another profile was chosen (`--hypothesis-profile`, or CI's).

    Call it in a `conftest.py`, before the suite is imported.
    """
    if settings.get_current_profile_name() in {"default", _NAME}:
        settings.register_profile(_NAME, max_examples=max_examples, deadline=None)
        settings.load_profile(_NAME)
