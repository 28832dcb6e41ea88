"""Servers are looked for at one place after the other, each asked only for what is still missing."""

from collections.abc import Callable, Sequence

import pytest

from memlane.testing.servers import How, NoServerFound, Servers
from memlane.testing.servers.finding import find
from memlane.testing.servers.found import Attempt, Found, Source
from memlane.testing.servers.kinds import Kind


class Place:
    """A source that has some kinds of server, and notes what it is asked for and when it is stopped."""

    def __init__(self, name: str, *has: Kind, log: list[str]) -> None:
        self._name, self._has, self._log = name, has, log

    def __call__(self, kinds: Sequence[Kind]) -> Attempt:
        """Give what it has of these."""
        self._log.append(f"{self._name} asked for {' '.join(kinds)}")
        found = tuple(
            Found(kind=kind, url=f"{self._name}:{kind}", how=How.INSTALLED)
            for kind in kinds
            if kind in self._has
        )
        return Attempt(
            found=found,
            stop=lambda: self._log.append(f"{self._name} stopped"),
            reason=f"{self._name} has not all",
        )


def test_the_first_place_that_has_a_server_wins() -> None:
    """Later places are not even asked."""
    log: list[str] = []
    places = [Place("first", Kind.RABBITMQ, Kind.REDIS, log=log), Place("second", *Kind, log=log)]

    found, _ = find(places)

    assert Servers.of(found).amqp_url == "first:RabbitMQ"
    assert log == ["first asked for RabbitMQ Redis"]


def test_the_two_servers_may_come_from_different_places() -> None:
    """A place is asked only for what is still missing."""
    log: list[str] = []
    places = [Place("first", Kind.REDIS, log=log), Place("second", *Kind, log=log)]

    found, stop = find(places)
    servers = Servers.of(found)
    stop()

    assert servers.environment() == {
        "MEMLANE_AMQP_URL": "second:RabbitMQ",
        "MEMLANE_REDIS_URL": "first:Redis",
    }
    assert log == [
        "first asked for RabbitMQ Redis",
        "second asked for RabbitMQ",
        "second stopped",
        "first stopped",
    ]


def test_nothing_anywhere_is_one_message_that_names_the_choices() -> None:
    """It tells why each place had nothing; what had been started by then is stopped."""
    log: list[str] = []
    with pytest.raises(NoServerFound) as caught:
        find([Place("first", Kind.REDIS, log=log), Place("second", log=log)])

    assert caught.value.what == "no RabbitMQ to run on"
    assert caught.value.cause == "first has not all; second has not all"
    for choice in (
        "MEMLANE_AMQP_URL",
        "MEMLANE_REDIS_URL",
        "Docker",
        "rabbitmq-server",
        "redis-server",
        "root",
    ):
        assert choice in caught.value.hint
    assert log[-2:] == ["second stopped", "first stopped"]


def test_an_error_at_one_place_stops_what_the_places_before_started() -> None:
    """Nothing is left behind by half a success."""
    log: list[str] = []
    with pytest.raises(ZeroDivisionError):
        find([Place("first", Kind.REDIS, log=log), _failing(ZeroDivisionError)])
    assert log[-1] == "first stopped"


def _failing(error: Callable[[], BaseException]) -> Source:
    def look(_: Sequence[Kind]) -> Attempt:
        raise error()

    return look
