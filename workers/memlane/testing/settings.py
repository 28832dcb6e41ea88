"""Settings for tests: what is passed, else the defaults.

The environment of whoever runs the tests is for a deployment: its access rules, health port and sinks are not
those of a test.
"""

from typing import Any, TypeVar

from pydantic import BaseModel

from memlane.contracts.settings import Settings

AnySettings = TypeVar("AnySettings", bound=Settings)


# Any: the settings' model checks them.
def only_passed(kind: type[AnySettings], **said: Any) -> AnySettings:
    """Settings of a kind, with nothing from the environment or from files.

    Raises:
        ValidationError: what is said can't work.
    """
    settings = kind.__new__(kind)
    # That of BaseSettings would first collect what else there is.
    BaseModel.__init__(settings, **said)
    return settings
