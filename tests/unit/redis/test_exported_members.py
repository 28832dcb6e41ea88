"""What the package offers."""

from datetime import timedelta
from importlib.metadata import entry_points

from memlane.storage import redis
from memlane.storage.redis import RedisSink
from memlane.storage.settings import SinkSettings
from memlane.storage.sink import Sink


def test_the_sink_is_all_there_is() -> None:
    """And it is installed under its name."""
    assert redis.__all__ == ["RedisSink"]
    (found,) = entry_points(group="memlane.sinks", name="redis")
    assert found.load() is RedisSink


def test_it_is_made_from_settings_without_connecting() -> None:
    """Under the name that it is given."""
    settings = SinkSettings(
        redis_url="redis://nowhere:1/0", redis_prefix="mine", redis_timeout=timedelta(seconds=1)
    )
    sink: Sink = RedisSink.from_settings("cache", settings)
    assert (sink.name, sink.durable) == ("cache", False)
