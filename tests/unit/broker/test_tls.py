"""The files for TLS in a broker's URL."""

from pathlib import Path

from memlane.producers.broker.tls import with_certificates

CA = Path("/etc/memlane/ca, 1.pem")


def test_without_files_a_url_stays_as_it_is() -> None:
    """To the letter."""
    assert with_certificates("amqp://a:b,c@h/v", ca=None, cert=None, key=None) == "amqp://a:b,c@h/v"


def test_every_node_gets_the_files() -> None:
    """A comma in a password or in a file's name separates nothing."""
    urls = "amqps://a:b,c@one/v, amqps://a:b,c@two:5671/v?heartbeat=5"
    assert with_certificates(urls, ca=CA, cert=None, key=None) == (
        "amqps://a:b,c@one/v?cafile=%2Fetc%2Fmemlane%2Fca%2C+1.pem,"
        "amqps://a:b,c@two:5671/v?cafile=%2Fetc%2Fmemlane%2Fca%2C+1.pem&heartbeat=5"
    )


def test_what_the_url_says_itself_stays() -> None:
    """It is nearer."""
    given = with_certificates("amqps://h/?cafile=own.pem", ca=CA, cert=Path("c.pem"), key=None)
    assert given == "amqps://h/?cafile=own.pem&certfile=c.pem"
