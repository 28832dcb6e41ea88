"""`python -m memlane.testing.demo`, which is `make demo`."""

import asyncio
import signal
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

import click

from memlane.client import MemlaneError, MemoryClient
from memlane.producers.cli.formatting import count_of
from memlane.producers.settings import ClientSettings
from memlane.testing.demo.errors import DemoError
from memlane.testing.demo.guest import as_a_guest
from memlane.testing.demo.holdings import opened_sinks
from memlane.testing.demo.page import Page, Stopwatch
from memlane.testing.demo.source import Expected, data_path
from memlane.testing.demo.story import Story
from memlane.testing.demo.system import Place, running_memlane
from memlane.testing.mcp_servers import SERVER_MEMORY, node, npm_command
from memlane.testing.servers import ServerError, Servers, running_servers

DEADLINE: Final = timedelta(seconds=30)
INTERRUPTED: Final = 130
NPM_FOLDER: Final = Path(".memlane") / "npm"


@click.command()
@click.option(
    "--data",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON Lines to import; by default ../shared/data/sgd_preferences.jsonl, or else a sample.",
)
def main(data: Path | None) -> None:
    """Run the main job end to end on real servers, check it, and show what happened."""
    # Ended like by Ctrl-C, so that everything that was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    page, watch = Page(), Stopwatch()
    page.title("memlane: say once what to remember, and every backend holds it")
    try:
        _demo(page, data_path(data))
    except (DemoError, MemlaneError, ServerError) as error:
        page.check(False, f"the demo can't go on: {error}")
    except KeyboardInterrupt:
        page.say("interrupted; everything that was started is stopped")
        sys.exit(INTERRUPTED)
    page.section("In the end")
    if page.failures:
        page.check(
            False, f"{count_of(len(page.failures), 'thing')} not as it should be: see ✗ above; {watch} in all"
        )
        sys.exit(1)
    page.check(True, f"everything is as it should be; {watch} in all")


def _demo(page: Page, data: Path) -> None:
    page.section("Servers")
    with page.timed() as watch, running_servers() as servers:
        _tell_servers(page, servers, watch)
        with tempfile.TemporaryDirectory(prefix="memlane-demo-") as folder:
            place = Place(
                folder=Path(folder),
                servers=servers,
                redis_prefix=f"memlane-demo-{uuid4().hex[:8]}",
                mcp_command=_mcp_command(page),
            )
            with as_a_guest(place):
                _with_memlane(page, place, data)


def _with_memlane(page: Page, place: Place, data: Path) -> None:
    page.section(f"memlane up, with the sinks {', '.join(place.sinks)}")
    with page.timed() as watch, running_memlane(place) as memlane:
        roles = memlane.wait_until_ready()
        watch.stop()
        page.say(f"ready after {watch}: {', '.join(roles)}")
        asyncio.run(_tell_story(page, place, data))
        page.section("Stop")
        with page.timed() as stopping:
            code = memlane.stop()
        page.check(code == 0, f"memlane up ended on SIGTERM with exit code {code}, in {stopping}")


async def _tell_story(page: Page, place: Place, data: Path) -> None:
    settings = ClientSettings(state_dir=place.folder / "state")
    url = place.servers.amqp_url
    async with (
        MemoryClient(url, deadline=DEADLINE, settings=settings) as memory,
        opened_sinks(place) as sinks,
    ):
        story = Story(
            page=page, place=place, memory=memory, sinks=sinks, data=data, expected=Expected.of(data)
        )
        await story.tell()


def _mcp_command(page: Page) -> str | None:
    if node() is None:
        page.say("Node is not on this machine, so there is no MCP server in this demo: two sinks, not three")
        return None
    command = npm_command(SERVER_MEMORY, NPM_FOLDER)
    page.say(f"MCP: {SERVER_MEMORY.package} {SERVER_MEMORY.version}, run by Node")
    return command


def _tell_servers(page: Page, servers: Servers, watch: Stopwatch) -> None:
    watch.stop()
    page.say(f"RabbitMQ: {servers.amqp_how}")
    page.say(f"Redis: {servers.redis_how}")
    page.say(f"both answer after {watch}")


if __name__ == "__main__":
    main()
