"""The settings as they take effect."""

import pytest

from memlane.contracts.errors import ConfigurationError
from memlane.producers.cli.configuration.effective import Setting, effective, problems, without_passwords
from memlane.producers.cli.configuration.kinds import settings_kinds
from memlane.producers.cli.options import settings_from
from memlane.producers.settings import ClientSettings


def by_variable() -> dict[str, Setting]:
    """All settings."""
    return {setting.variable: setting for setting in effective(settings_kinds())}


def test_every_setting_is_there_once_with_where_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's, or the default."""
    monkeypatch.setenv("MEMLANE_SINKS", "sqlite")
    found = by_variable()
    assert (found["MEMLANE_SINKS"].value, found["MEMLANE_SINKS"].source) == ("sqlite", "environment")
    assert (found["MEMLANE_DEADLINE"].value, found["MEMLANE_DEADLINE"].source) == ("PT2S", "default")
    assert {setting.section for setting in found.values()} == {"broker", "client", "worker", "sink", "log"}
    assert all(setting.meaning for setting in found.values())


def test_passwords_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    """In every URL, also in one that is not written as it should be."""
    monkeypatch.setenv("MEMLANE_AMQP_URL", "amqp://bot:s3cr/et@host/")
    monkeypatch.setenv("MEMLANE_REDIS_URL", "redis://:s3cret@host:6379/0?password=s3cret")
    found = by_variable()
    assert found["MEMLANE_AMQP_URL"].value == "amqp://bot:***@host/"
    assert found["MEMLANE_REDIS_URL"].value == "redis://:***@host:6379/0?password=***"
    assert "s3cr" not in str(found)


def test_the_variables_of_a_servers_process_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their names are shown: they may hold keys."""
    monkeypatch.setenv("MEMLANE_MCP_ENV", '{"API_KEY": "s3cret"}')
    monkeypatch.setenv("MEMLANE_MCP_TOKEN", "s3cret")
    found = by_variable()
    assert found["MEMLANE_MCP_ENV"].value == '{"API_KEY":"***"}'
    assert found["MEMLANE_MCP_TOKEN"].value == "***"
    assert "s3cr" not in str(found)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("amqp://guest:guest@localhost:5672/", "amqp://guest:***@localhost:5672/"),
        ("amqps://a:b%40c@h", "amqps://a:***@h"),
        ("amqp://a:b@g/v,amqp://a:b@h/v", "amqp://a:***@g/v,amqp://a:***@h/v"),
        ("amqp://localhost", "amqp://localhost"),
        ("nothing special: a@b", "nothing special: a@b"),
    ],
)
def test_masking(text: str, shown: str) -> None:
    """What is no password stays."""
    assert without_passwords(text) == shown


def test_a_secret_that_is_no_url_is_not_shown_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody may have forgotten the front of it."""
    monkeypatch.setenv("MEMLANE_AMQP_URL", "bot:s3cret@host")
    assert by_variable()["MEMLANE_AMQP_URL"].value == "***"


def test_all_problems_are_found_at_once() -> None:
    """Values that can't work, and names that nobody reads."""
    assert problems(settings_kinds(), {"MEMLANE_SINKS": "x", "PATH": "/bin"}) == []
    found = problems(settings_kinds(), {"MEMLANE_SINK": "x", "memlane_unheard_of": "y"})
    assert found == [
        "MEMLANE_SINK: there is no such setting; MEMLANE_SINKS is meant?",
        "memlane_unheard_of: there is no such setting",
    ]


def test_bad_values_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each once, though several parts read it."""
    monkeypatch.setenv("MEMLANE_SINKS", "Not A Sink")
    monkeypatch.setenv("MEMLANE_LOG_LEVEL", "loud")
    monkeypatch.setenv("MEMLANE_HEALTH_PORT", "99999")
    found = problems(settings_kinds(), {})
    assert [problem.split(":")[0] for problem in found] == [
        "MEMLANE_SINKS",
        "MEMLANE_HEALTH_PORT",
        "MEMLANE_LOG_LEVEL",
    ]


@pytest.mark.parametrize(
    ("variable", "value"), [("MEMLANE_RETRY_DELAYS", "5s"), ("MEMLANE_DEADLINE", "soon")]
)
def test_a_setting_that_cannot_be_read_is_one_error_that_names_it(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever library found out."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=variable):
        settings_from(ClientSettings)
    assert [problem.split(":")[0] for problem in problems([ClientSettings], {})] == [variable]
