"""The named volume that keeps a folder's data when the container on it is removed."""

import contextlib
import hashlib
import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from docker import DockerClient
from docker.errors import APIError, NotFound
from docker.models.containers import Container

from memlane.testing.servers.errors import ServerInUse
from memlane.testing.servers.kinds import Kind
from memlane.testing.servers.waiting import wait_until

STOP_LIMIT: Final = timedelta(seconds=20)

FOLDER: Final = "org.memlane.folder"
"""The label of a volume, and of the container on it, that names the folder whose data they hold."""

_RUNNING: Final = frozenset({"running", "paused", "restarting"})
_REMOVAL_LIMIT: Final = timedelta(seconds=20)


@dataclass(frozen=True)
class KeptVolume:
    """Where a server in a container keeps its data; the next one for the same folder finds it there.

    Attributes:
        kind: Which server's data it is.
        folder: To which the data belongs.
    """

    kind: Kind
    folder: Path

    @property
    def name(self) -> str:
        """Of the volume, and of the one container that may be on it."""
        digest = hashlib.sha256(os.fsencode(self.folder.resolve())).hexdigest()
        return f"memlane-{self.kind.lower()}-{digest[:12]}"

    @property
    def labels(self) -> dict[str, str]:
        """Of the volume and its container."""
        return {FOLDER: str(self.folder.resolve())}

    def claim(self, client: DockerClient) -> None:
        """See that it is there, and that no container is on it; one that has ended is removed.

        Raises:
            ServerInUse: One runs on it.
        """
        client.volumes.create(self.name, labels=self.labels)
        if (before := self._container(client)) is None:
            return
        if before.status in _RUNNING:
            raise ServerInUse(
                f"cannot start {self.kind} for {self.folder}",
                cause=f"the container {self.name} runs there already",
                hint="to share one, start it by `make services`; `make services-down` stops that; "
                f"`docker stop {self.name}` stops one that nothing else knows of",
            )
        with contextlib.suppress(APIError):  # somebody else is removing it now
            before.remove(v=True)
        wait_until(lambda: self._container(client) is None, within=_REMOVAL_LIMIT)

    def _container(self, client: DockerClient) -> Container | None:
        try:
            return client.containers.get(self.name)
        except NotFound:
            return None


def remove(container: Container) -> None:
    """Remove a container and its throw-away volumes; if data is kept, it shuts down in good order first."""
    if FOLDER in container.labels:
        with contextlib.suppress(APIError):  # it is not frozen
            container.unpause()
        container.stop(timeout=int(STOP_LIMIT.total_seconds()))
    container.remove(force=True, v=True)
