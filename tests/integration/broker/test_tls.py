"""AMQP over TLS, on a real broker, with certificates of the test's own."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import trustme

from memlane.client import MemoryClient
from memlane.contracts.errors import BrokerError, BrokerRefused, ConfigurationError
from memlane.producers.broker.connection import connect, keep_connected
from memlane.producers.settings import BrokerSettings
from memlane.storage.memory import MemorySink
from memlane.testing.servers import Certificates, OwnServers, RabbitMQServer
from tests.support.broker import connected_broker
from tests.support.left_behind import SHARED
from tests.support.system import client_settings, running_system

pytestmark = pytest.mark.timeout(120, func_only=True)

NAME: Final = "memlane client"


@dataclass(frozen=True)
class Secured:
    """A broker that listens for TLS only to those who show a certificate, and its certificates.

    Attributes:
        server: the broker.
        port: for TLS.
        ca: who signed all certificates.
        cert: a client's, with its key.
        stranger_ca: another authority's.
        stranger_cert: a client's that the other one signed.
    """

    server: RabbitMQServer
    port: int
    ca: Path
    cert: Path
    stranger_ca: Path
    stranger_cert: Path

    def url(self, host: str = "localhost", port: int | None = None) -> str:
        """For TLS."""
        return f"amqps://guest:guest@{host}:{port or self.port}/"

    # Any: the settings' model checks them.
    def settings(self, **said: Any) -> BrokerSettings:
        """With the right files, or those that are said."""
        right = {"amqp_url": self.url(), "amqp_ca_file": self.ca, "amqp_cert_file": self.cert}
        return BrokerSettings(**{**right, **said})


@pytest.fixture(scope="module")
def secured(own_servers: OwnServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """Its certificate is for `localhost`, not for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    authority, stranger = trustme.CA(), trustme.CA()
    own = authority.issue_cert("localhost")
    files = {name: folder / f"{name}.pem" for name in ("ca", "cert", "key", "client", "other-ca", "other")}
    authority.cert_pem.write_to_path(files["ca"])
    stranger.cert_pem.write_to_path(files["other-ca"])
    own.cert_chain_pems[0].write_to_path(files["cert"])
    own.private_key_pem.write_to_path(files["key"])
    authority.issue_cert("bot").private_key_and_cert_chain_pem.write_to_path(files["client"])
    stranger.issue_cert("bot").private_key_and_cert_chain_pem.write_to_path(files["other"])
    certificates = Certificates(files["ca"], files["cert"], files["key"])
    with own_servers.rabbitmq(tmp_path_factory.mktemp("tls-rabbitmq"), certificates=certificates) as server:
        SHARED.add(server.data_dir)
        yield Secured(
            server, server.tls_port, files["ca"], files["client"], files["other-ca"], files["other"]
        )


async def test_everything_works_over_tls(secured: Secured, tmp_path: Path) -> None:
    """Workers and clients, each with the files that their settings name."""
    # Any: the settings' model checks them.
    files: dict[str, Any] = {"amqp_ca_file": secured.ca, "amqp_cert_file": secured.cert}
    async with connected_broker(secured.server.url) as broker:
        async with running_system(broker, [MemorySink()], tmp_path, url=secured.url(), **files):
            settings = client_settings(secured.url(), tmp_path, **files)
            async with MemoryClient(settings=settings) as client:
                assert (await client.store("u", "k", 1, wait="all")).applied == {"memory"}
                assert await client.get("u", "k") is not None
            async with MemoryClient(secured.url(), settings=settings) as client:
                assert (await client.health()).healthy


async def test_a_certificate_of_an_unknown_signer_is_refused(secured: Secured) -> None:
    """By us, with what to do; it is not tried again for ever."""
    for settings in (secured.settings(amqp_ca_file=secured.stranger_ca), secured.settings(amqp_ca_file=None)):
        with pytest.raises(BrokerRefused, match=r"not trusted: .*MEMLANE_AMQP_CA_FILE") as caught:
            await connect(settings.url, NAME)
        assert "guest:guest" not in str(caught.value)
        lost: list[BrokerError] = []
        with pytest.raises(BrokerRefused):
            await keep_connected(settings.url, NAME, _never, on_down=lost.append)
        assert lost == []


async def _never(_connection: object) -> None:
    pytest.fail("it was let in")


async def test_a_certificate_for_another_host_is_refused(secured: Secured) -> None:
    """The address that was asked for must be in it."""
    settings = secured.settings(amqp_url=secured.url("127.0.0.1"))
    with pytest.raises(BrokerRefused, match=r"not trusted: .*127\.0\.0\.1"):
        await connect(settings.url, NAME)


async def test_the_broker_may_refuse_our_certificate(secured: Secured) -> None:
    """One that it does not trust, and none at all."""
    for cert in (secured.stranger_cert, None):
        settings = secured.settings(amqp_cert_file=cert)
        # Its reason may be overtaken by the end of the connection; what to do is said in both cases.
        with pytest.raises(BrokerError, match=r"no TLS with RabbitMQ at .*MEMLANE_AMQP_CERT_FILE"):
            await connect(settings.url, NAME)


async def test_the_port_without_tls_is_told(secured: Secured) -> None:
    """It is there, and speaks another language."""
    settings = secured.settings(amqp_url=secured.url(port=secured.server.port))
    with pytest.raises(BrokerRefused, match="the port is the one for TLS"):
        await connect(settings.url, NAME)


async def test_files_that_can_not_work_are_told(secured: Secured, tmp_path: Path) -> None:
    """One that holds no certificate; one that is not there; some for a URL without TLS."""
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("nothing")
    with pytest.raises(BrokerRefused, match="MEMLANE_AMQP_CA_FILE"):
        await connect(secured.settings(amqp_ca_file=nothing).url, NAME)
    with pytest.raises(BrokerRefused, match="certificate file"):
        await connect(f"{secured.url()}?cafile={tmp_path / 'nowhere.pem'}", NAME)
    with pytest.raises(ConfigurationError, match="not amqps://"):
        _ = secured.settings(amqp_url=secured.server.url).url
    with pytest.raises(ConfigurationError, match="set both"):
        _ = secured.settings(amqp_cert_file=None, amqp_key_file=secured.cert).url
