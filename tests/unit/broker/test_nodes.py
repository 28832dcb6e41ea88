"""One URL or several: the nodes of one broker."""

import pytest

from memlane.contracts.errors import ConfigurationError
from memlane.producers.broker.nodes import address_of, begin_with, in_turn, move_on, nodes_of, user_of

THREE = "amqp://bot:s,ecret@a/v,amqp://bot:s,ecret@b:5673/v, amqps://bot:s,ecret@c/v"


def test_several_nodes_are_one_broker() -> None:
    """A comma in a password does not separate; what is shown has no password."""
    assert [(node.host, node.port) for node in nodes_of(THREE)] == [("a", 5672), ("b", 5673), ("c", 5671)]
    assert all("s,ecret@" in node.url for node in nodes_of(THREE))
    assert address_of(THREE) == "a:5672,b:5673,c:5671/v"
    assert user_of(THREE) == "bot"


def test_a_single_node_is_as_before() -> None:
    """With the defaults of AMQP."""
    assert address_of("amqp://localhost") == "localhost:5672/"
    assert user_of("amqp://localhost") == "guest"


@pytest.mark.parametrize(
    "urls",
    [
        "amqp://one@a/v,amqp://two@b/v",
        "amqp://bot@a/v,amqp://bot@b/w",
        "amqp://a/,",
        "amqp://a,b/",
        "amqp://a/v,http://localhost/v,c",
        "amqp://bot:secret@a/,amqp://",
    ],
)
def test_what_is_not_one_broker_is_refused(urls: str) -> None:
    """Naming the setting, and not the password."""
    with pytest.raises(ConfigurationError, match="MEMLANE_AMQP_URL") as caught:
        nodes_of(urls)
    assert "secret" not in str(caught.value)


def test_the_node_that_worked_last_is_first() -> None:
    """And after a loss the one behind it; a node that is not the first one changes nothing."""
    urls = "amqp://x/,amqp://y/,amqp://z/"
    begin_with(urls, nodes_of(urls)[1])
    assert [node.host for node in in_turn(urls)] == ["y", "z", "x"]
    move_on(urls, "y", 5672)
    assert [node.host for node in in_turn(urls)] == ["z", "x", "y"]
    move_on(urls, "y", 5672)
    assert [node.host for node in in_turn(urls)] == ["z", "x", "y"]
