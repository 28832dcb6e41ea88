"""The shipped fixtures take nothing from the environment of whoever runs the tests."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from memlane.contracts import settings
from memlane.testing.in_memory import InMemoryMemlane
from memlane.testing.running import RunningMemlane

pytestmark = pytest.mark.usefixtures("own_servers")
"""As the cases of test_fixtures.py."""


@pytest.fixture(name="hostile")
def _hostile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An environment, a .env and secrets, each of which would break a deployment."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    secrets.joinpath("memlane_retry_delays").write_text("nonsense", encoding="utf-8")
    monkeypatch.setattr(settings, "SECRETS_DIR", secrets)
    tmp_path.joinpath(".env").write_text("MEMLANE_LOG_BYTES=-1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("MEMLANE_HEALTH_PORT", str(taken.getsockname()[1]))
        monkeypatch.setenv("MEMLANE_ACCESS_RULES", str(tmp_path / "none.toml"))
        monkeypatch.setenv("MEMLANE_SINKS", "elsewhere")
        monkeypatch.setenv("MEMLANE_REDIS_TIMEOUT", "nonsense")
        yield


@pytest.mark.parametrize("fixture", ["memlane", "memlane_in_memory"])
@pytest.mark.usefixtures("hostile")
async def test_it_works_all_the_same(request: pytest.FixtureRequest, fixture: str) -> None:
    """On its own sinks, without rules, without a port."""
    running: RunningMemlane | InMemoryMemlane = request.getfixturevalue(fixture)
    async with running.client() as client:
        receipt = await client.store("u", "tea", "oolong", wait="all")
        assert receipt.applied == {"sqlite", "redis"}
        entry = await client.get("u", "tea", consistency="all")
        assert entry is not None
        assert entry.value == "oolong"
