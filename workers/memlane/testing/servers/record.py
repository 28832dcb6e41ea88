"""The record of what `up` left running, in the project's own folder."""

import fcntl
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from memlane.testing.servers.containers import remove_container
from memlane.testing.servers.found import Attempt, Found, How, Source
from memlane.testing.servers.kinds import Kind
from memlane.testing.servers.private import STOP_LIMIT
from memlane.testing.servers.probes import Probe, node_urls
from memlane.testing.servers.processes import Identity, end_group


class Record:
    """A file that names servers: their URLs, and the processes or the container behind them.

    Args:
        folder: The project's private folder, `.memlane`.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / "servers.json"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other commands from changing the record meanwhile."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def read(self) -> dict[Kind, Found]:
        """What is recorded, whether it still runs or not."""
        try:
            entries = json.loads(self.file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return {found.kind: found for found in map(_decoded, entries)}

    def add(self, found: Iterable[Found]) -> list[Found]:
        """Record those of these servers that were started, in place of what was recorded for the same kind.

        Returns:
            What is recorded no more, and should be stopped.
        """
        before = self.read()
        after = before | {server.kind: server for server in found if server.started}
        draft = self.file.with_suffix(".new")
        text = json.dumps([asdict(server) for server in after.values()], indent=2)
        draft.write_text(text + "\n", encoding="utf-8")
        draft.replace(self.file)
        return [server for server in before.values() if server not in after.values()]

    def clear(self) -> None:
        """Nothing is left running."""
        self.file.unlink(missing_ok=True)


def recorded_source(record: Record, *, check: Mapping[Kind, Probe], nodes: int | None = None) -> Source:
    """Servers that an earlier `up` left running, and that still serve.

    Args:
        record: Of what was left running.
        check: Say why a server does not serve.
        nodes: A RabbitMQ of another number of nodes will not do; None: any will.
    """

    def look(kinds: Sequence[Kind]) -> Attempt:
        serving = [
            server
            for kind, server in record.read().items()
            if kind in kinds and check[kind](server.url) is None and _has_nodes(server, nodes)
        ]
        return Attempt(found=tuple(serving), reason="" if serving else "none left running by `up`")

    return look


def _has_nodes(server: Found, nodes: int | None) -> bool:
    return nodes is None or server.kind is not Kind.RABBITMQ or len(node_urls(server.url)) == nodes


def _decoded(entry: dict[str, Any]) -> Found:  # Any: it is what JSON gave
    return Found(
        kind=Kind(entry["kind"]),
        url=entry["url"],
        how=How(entry["how"]),
        leaders=tuple(Identity(**leader) for leader in entry["leaders"]),
        container=entry["container"],
    )


def stop_servers(servers: Iterable[Found]) -> list[Kind]:
    """Stop those of these servers that still run.

    Returns:
        Which ones were stopped.
    """
    return [server.kind for server in list(servers) if _stop(server)]


def _stop(server: Found) -> bool:
    running = [leader for leader in server.leaders if leader.alive()]
    for leader in reversed(running):
        end_group(leader, grace=STOP_LIMIT)
    removed = server.container is not None and remove_container(server.container)
    return bool(running) or removed
