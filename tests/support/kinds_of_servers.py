"""Which ways of running servers can't be had here, and why."""

import functools
from collections.abc import Mapping
from typing import Final

from memlane.testing.servers import Hosting, ServerError, apt, own_servers
from memlane.testing.servers.installing import CHOICES, program
from memlane.testing.servers.kinds import Kind
from tests.support.given_servers import RABBITMQCTL, given, problem_of

_REMEDIES: Final = {
    Hosting.CONTAINERS: "start a Docker engine, whose images can be pulled or made (compose/make-images)",
    Hosting.PROCESSES: "install rabbitmq-server and redis-server, or run as root where apt-get works",
}

KINDS: Final = ("containers", "processes")
"""The markers of tests of servers that run so."""


@functools.cache
def kinds_left_out(forced: Hosting | None) -> dict[str, str]:
    """By marker of the tests, why they are not run; what is forced is never there."""
    if forced is Hosting.CONTAINERS:
        return {"processes": "--services=containers"}
    left_out = {}
    if forced is Hosting.PROCESSES:
        left_out["containers"] = "--services=processes"
    elif (problem := _no_containers()) is not None:
        left_out["containers"] = problem
    if forced is None and (problem := _no_processes()) is not None:
        left_out["processes"] = problem
    return left_out


def why_no_servers(forced: Hosting | None, environment: Mapping[str, str]) -> str | None:
    """Why no test that needs servers can run, with what can be done about it; None where they can."""
    if forced is None:
        if (problem := problem_of(environment)) is not None:
            return problem
        if all(given(kind, environment) for kind in Kind):
            return None
    reasons = []
    if forced is not Hosting.PROCESSES:
        reasons.append(_no_containers())
    if forced is not Hosting.CONTAINERS:
        reasons.append(_no_processes())
    if None in reasons:
        return None
    if forced is not None:
        return (
            f"--services={forced} can't be had ({reasons[0]}): {_REMEDIES[forced]}, or leave out --services"
        )
    told = "; ".join(f"no {kind}: {reason}" for kind, reason in zip(KINDS, reasons, strict=True))
    return (
        f"no RabbitMQ and Redis for the tests ({told}): {CHOICES}. A broker of yours needs {RABBITMQCTL} too"
    )


def servers_used(forced: Hosting | None, environment: Mapping[str, str]) -> str:
    """Where the servers of the tests ran, in a sentence."""
    named = () if forced else [kind for kind in Kind if given(kind, environment)]
    kinds = f"Servers ran as {own_servers(forced).hosting}"
    return f"{kinds}, but for those that the environment names: {', '.join(named)}." if named else f"{kinds}."


def _no_containers() -> str | None:
    try:
        own_servers(Hosting.CONTAINERS)
    except ServerError as error:
        return error.cause
    return None


def _no_processes() -> str | None:
    missing = [kind for kind in Kind if program(kind) is None]
    reason = apt.why_not()
    return f"no {' and no '.join(missing)} is installed, and {reason}" if missing and reason else None
