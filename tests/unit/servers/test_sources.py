"""Each place where servers are looked for keeps to what it promises."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from memlane.testing.servers import How, PrivateRabbitMQ, PrivateRedis, ServerUnreachable
from memlane.testing.servers.kinds import Kind
from memlane.testing.servers.probes import Probe
from memlane.testing.servers.sources import (
    environment_source,
    installed_source,
    package_source,
    private_servers,
    without_password,
)

BOTH = tuple(Kind)
SERVING: Mapping[Kind, Probe] = dict.fromkeys(BOTH, lambda _: None)
SILENT: Mapping[Kind, Probe] = dict.fromkeys(BOTH, lambda _: "connection refused")


def test_the_environment_names_each_server_on_its_own() -> None:
    """One URL set and the other not is fine: the other is looked for elsewhere."""
    attempt = environment_source({"MEMLANE_REDIS_URL": "redis://there/0"}, check=SERVING)(BOTH)

    assert [(found.kind, found.url, found.how) for found in attempt.found] == [
        (Kind.REDIS, "redis://there/0", How.ENVIRONMENT)
    ]
    assert attempt.reason == "not set: MEMLANE_AMQP_URL"


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_url_counts_as_not_set(value: str) -> None:
    """Compose files and CI systems set variables to nothing."""
    assert environment_source({"MEMLANE_AMQP_URL": value}, check=SILENT)(BOTH).found == ()


def test_a_url_that_does_not_answer_is_an_error_and_not_passed_over() -> None:
    """Somebody who names a server means that one. No password is shown."""
    source = environment_source({"MEMLANE_AMQP_URL": "amqp://bot:secret@there:1/"}, check=SILENT)

    with pytest.raises(ServerUnreachable) as caught:
        source(BOTH)

    assert "MEMLANE_AMQP_URL" in caught.value.what
    assert "amqp://bot:***@there:1/" in caught.value.what
    assert "secret" not in str(caught.value)
    assert caught.value.cause == "connection refused"
    assert "unset MEMLANE_AMQP_URL" in caught.value.hint


def test_a_server_that_is_not_wanted_is_not_checked() -> None:
    """A source is asked for what is missing, and looks at nothing else."""
    source = environment_source({"MEMLANE_AMQP_URL": "amqp://there/"}, check=SILENT)
    assert source([Kind.REDIS]).found == ()


def test_what_is_not_installed_is_not_started(tmp_path: Path) -> None:
    """And the reason names it."""
    attempt = installed_source(private_servers(tmp_path), find=lambda _: None)(BOTH)

    assert attempt.found == ()
    assert attempt.reason == "not installed: RabbitMQ and Redis"


def test_without_the_right_to_install_the_package_manager_offers_nothing(tmp_path: Path) -> None:
    """It says why, and touches nothing."""
    installed: list[Sequence[Kind]] = []
    source = package_source(
        private_servers(tmp_path), tell=lambda _: None, why_not=lambda: "not root", install=installed.append
    )

    attempt = source(BOTH)

    assert attempt.found == ()
    assert attempt.reason == "cannot be installed: not root"
    assert installed == []


def test_installing_is_announced_and_done_in_one_go(tmp_path: Path) -> None:
    """It takes a while: whoever waits is told for what."""
    told: list[str] = []
    installed: list[Sequence[Kind]] = []

    def install(kinds: Sequence[Kind]) -> None:
        installed.append(kinds)
        raise KeyboardInterrupt  # far enough: nothing is to be started here

    source = package_source(
        private_servers(tmp_path), tell=told.append, why_not=lambda: None, install=install
    )
    with pytest.raises(KeyboardInterrupt):
        source(BOTH)

    assert installed == [BOTH]
    assert told == ["Installing RabbitMQ and Redis with apt-get (once) ..."]


def test_private_servers_get_a_folder_each(tmp_path: Path) -> None:
    """Two servers never share one."""
    make = private_servers(tmp_path)
    rabbitmq, redis = make(Kind.RABBITMQ), make(Kind.REDIS)

    assert isinstance(rabbitmq, PrivateRabbitMQ)
    assert isinstance(redis, PrivateRedis)
    assert rabbitmq.data_dir == tmp_path / "rabbitmq"
    assert redis.data_dir == tmp_path / "redis"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("amqp://a:b@host:1/", "amqp://a:***@host:1/"),
        ("redis://:b@host", "redis://:***@host"),
        ("redis://host:1/0", "redis://host:1/0"),
        ("amqp://a@host", "amqp://a@host"),
        ("amqp://a:b,c@host:1/,amqps://a:b,c@other/", "amqp://a:***@host:1/,amqps://a:***@other/"),
    ],
)
def test_urls_are_shown_without_their_password(url: str, shown: str) -> None:
    """Error messages end up in logs."""
    assert without_password(url) == shown
