"""A setting may be a file in /run/secrets."""

from pathlib import Path

import pytest

from memlane.contracts import settings
from memlane.producers.cli.configuration.effective import effective
from memlane.producers.settings import BrokerSettings
from memlane.storage.settings import SinkSettings
from memlane.workers.settings import WorkerSettings

URL = "amqp://worker:hush@rabbitmq:5672/memlane"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In the place of /run/secrets."""
    monkeypatch.setattr(settings, "SECRETS_DIR", tmp_path)
    return tmp_path


def test_a_file_says_what_the_variable_would(folder: Path) -> None:
    """Each class of settings takes its own; the end of a line is no part of it."""
    folder.joinpath("memlane_amqp_url").write_text(f"{URL}\n", encoding="utf-8")
    folder.joinpath("memlane_redis_url").write_text("redis://:hush@redis/0", encoding="utf-8")
    folder.joinpath("memlane_prefetch").write_text("7", encoding="utf-8")
    assert WorkerSettings().url == BrokerSettings().url == URL
    assert WorkerSettings().prefetch == 7
    assert SinkSettings().redis_url == "redis://:hush@redis/0"


def test_the_variable_goes_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is passed goes before both."""
    folder.joinpath("memlane_sinks").write_text("a", encoding="utf-8")
    assert BrokerSettings().sinks == "a"
    monkeypatch.setenv("MEMLANE_SINKS", "b")
    assert BrokerSettings().sinks == "b"
    assert BrokerSettings(sinks="c").sinks == "c"


def test_it_is_shown_where_a_setting_comes_from(folder: Path) -> None:
    """Without the password."""
    folder.joinpath("memlane_amqp_url").write_text(URL, encoding="utf-8")
    found = {one.variable: one for one in effective([BrokerSettings])}
    assert found["MEMLANE_AMQP_URL"].source == "file"
    assert found["MEMLANE_AMQP_URL"].value == "amqp://worker:***@rabbitmq:5672/memlane"
    assert found["MEMLANE_SINKS"].source == "default"


def test_without_the_folder_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no warning."""
    monkeypatch.setattr(settings, "SECRETS_DIR", tmp_path / "none")
    assert BrokerSettings().sinks == "sqlite,redis"
