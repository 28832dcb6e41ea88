"""Errors name what was being done, why it failed, and what to do."""

import pytest

from memlane.testing import servers
from memlane.testing.servers import ServerError


def test_an_error_reads_as_what_cause_and_hint() -> None:
    """A person who sees only the message knows what to do next."""
    error = ServerError("could not start it", cause="the disk is full", hint="free some space")

    assert str(error) == "could not start it\n  cause: the disk is full\n  hint: free some space"
    assert (error.what, error.cause, error.hint) == (
        "could not start it",
        "the disk is full",
        "free some space",
    )


@pytest.mark.parametrize(
    "name",
    [
        "NoServerFound",
        "ServerUnreachable",
        "ServerInUse",
        "ServerStartFailed",
        "InstallFailed",
        "DockerFailed",
    ],
)
def test_every_error_is_a_server_error(name: str) -> None:
    """One `except ServerError` catches them all."""
    assert issubclass(getattr(servers, name), ServerError)
