"""A server in a container of this machine's Docker engine, by testcontainers."""

import contextlib
import json
import os
import platform
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Final, Self

import docker
from docker import DockerClient
from docker.errors import DockerException, ImageNotFound
from docker.models.containers import Container
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from memlane.testing.servers.container_volume import STOP_LIMIT, KeptVolume, remove
from memlane.testing.servers.errors import DockerFailed, ServerStartFailed
from memlane.testing.servers.guard import Guard
from memlane.testing.servers.lease import Lease
from memlane.testing.servers.ports import LOOPBACK, free_ports
from memlane.testing.servers.processes import Identity
from memlane.testing.servers.server import Server
from memlane.testing.servers.waiting import wait_until

START_LIMIT: Final = timedelta(seconds=60)

OWNER: Final = "org.memlane.owner"
"""The label that says which process a container ends with, as JSON; empty: it is meant to outlive all."""

_LINES: Final = 25


class ContainerServer(Server):
    """A container of one's own, on a free port of the loopback address.

    It is removed with this process, also when this process is killed, unless it is detached. Its data goes
    with it, unless that is kept for a folder.

    Args:
        data_dir: A folder for what it is configured by.
        image: By the name that Docker knows; pulled where it is not there.
        inner_ports: On which the server listens in its container, its clients' first.
        detached: The server is meant to outlive this process.
        kept_for: The folder to which its data belongs: a named volume, which is never removed here.
    """

    data_inside: ClassVar[str]
    """Where the image has the data."""

    hostname: ClassVar[str | None] = None
    """The container's own name for itself; None: any."""

    def __init__(
        self,
        data_dir: Path,
        *,
        image: str,
        inner_ports: Sequence[int],
        detached: bool = False,
        kept_for: Path | None = None,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.image = image
        self._inner_ports = tuple(inner_ports)
        self._detached = detached
        self._volume = None if kept_for is None else KeptVolume(self.kind, kept_for)
        self._ports: tuple[int, ...] = ()
        self._made: DockerContainer | None = None
        self._guard: Guard | None = None

    @abstractmethod
    def _make(self) -> DockerContainer:
        """The container, not created yet."""

    @abstractmethod
    def _problem(self) -> str | None:
        """Why the server does not serve yet, or None once it does."""

    @property
    def port(self) -> int:
        """See `Server.port`."""
        return self._ports[0]

    @property
    def container_id(self) -> str | None:
        """By what Docker knows it; None before it was started, and once it was closed."""
        return None if self._made is None else self._container().id

    @property
    def running(self) -> bool:
        """See `Server.running`."""
        if self._made is None:
            return False
        with self._talking("look at") as container:
            container.reload()
            return container.status in {"running", "paused"}

    def start(self) -> Self:
        """See `Server.start`.

        Raises:
            DockerFailed: There is no engine, or it can't run the image.
            ServerInUse: Another server runs on the data that is kept for the folder.
            ServerStartFailed: It ended, or did not serve within a minute.
        """
        if self.running:
            return self
        self.data_dir.mkdir(parents=True, exist_ok=True)
        try:
            if self._made is None:
                with self._claiming() as labels:
                    self._create(labels)
            else:
                with self._talking("start") as container:
                    container.start()
            self._wait()
        except BaseException:
            self.close()
            raise
        return self

    def stop(self) -> None:
        """See `Server.stop`."""
        if self._made is not None:
            with self._talking("stop") as container:
                with contextlib.suppress(DockerException):  # it is not frozen
                    container.unpause()
                container.stop(timeout=int(STOP_LIMIT.total_seconds()))

    def kill(self) -> None:
        """See `Server.kill`."""
        if self.running:
            with self._talking("kill") as container:
                container.kill()
                container.wait()

    def freeze(self) -> None:
        """See `Server.freeze`."""
        with self._talking("pause") as container:
            container.pause()

    def thaw(self) -> None:
        """See `Server.thaw`."""
        with self._talking("unpause") as container:
            container.unpause()

    def close(self) -> None:
        """Remove it with its data, unless that is kept."""
        if self._made is not None:
            with self._talking("remove") as container:
                remove(container)
            self._made = None
        if self._guard is not None:
            self._guard.dismiss()
            self._guard = None

    def run_inside(self, *command: str, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Run a command in the container; returns its exit code and what it printed."""
        with self._talking(f"run `{command[0]}` in") as container:
            done = container.exec_run(list(command), environment=dict(environment or {}))
        said = done.output if isinstance(done.output, bytes) else b"".join(done.output)
        return int(done.exit_code or 0), said.decode(errors="replace")

    def last_lines(self) -> list[str]:
        """The end of what the server printed."""
        with self._talking("read the log of") as container:
            said: bytes = container.logs(tail=_LINES)
            return said.decode(errors="replace").splitlines()

    @contextlib.contextmanager
    def _claiming(self) -> Iterator[dict[str, str]]:
        """Hold the kept volume, if any, while a container is made on it; gives the container's labels."""
        if self._volume is None:
            yield {}
            return
        with Lease(self.data_dir).taking():
            with engine() as client:
                self._volume.claim(client)
            yield self._volume.labels

    def _create(self, labels: Mapping[str, str]) -> None:
        self._ports = self._ports or free_ports(len(self._inner_ports))
        with _own_way(), _translated(f"run {self.image}"):
            made = self._make()
            # testcontainers would publish on every address of this machine; Docker's library takes pairs.
            for inner, port in zip(self._inner_ports, self._ports, strict=True):
                made.ports[str(inner)] = (LOOPBACK, port)  # type: ignore[assignment]
            if self._volume is not None:
                made.with_name(self._volume.name)
                made.with_volume_mapping(self._volume.name, self.data_inside, "rw")
            owner = "" if self._detached else owner_of_this_process()
            made.with_kwargs(hostname=self.hostname, labels={**labels, OWNER: owner}, auto_remove=False)
            try:
                made.start()
            except BaseException:
                made.stop()
                raise
            self._made = made
        if not self._detached:
            self._guard = Guard(self.data_dir)
            self._guard.watch_container(str(self.container_id))

    def _wait(self) -> None:
        problem: str | None = None

        def settled() -> bool:
            nonlocal problem
            problem = self._problem()
            return problem is None or not self.running

        in_time = wait_until(settled, within=START_LIMIT)
        if in_time and problem is None:
            return
        lines = "".join(f"\n    {line}" for line in self.last_lines())
        cause = f"it did not serve within {START_LIMIT.seconds} s" if self.running else "it ended"
        raise ServerStartFailed(
            f"could not start {self.kind} in a container of {self.image}",
            cause=f"{cause}: {problem}; its last lines:{lines}",
            hint="a full disk, too little memory and an image of another kind are usual reasons",
        )

    @contextlib.contextmanager
    def _talking(self, what: str) -> Iterator[Container]:
        """The container; afterwards no connection to the engine stays open."""
        container = self._container()
        try:
            with _translated(f"{what} the container of {self.kind}"):
                yield container
        finally:
            if container.client is not None:
                container.client.close()

    def _container(self) -> Container:
        if self._made is None:
            raise DockerFailed(
                f"there is no container of {self.kind}", cause="it was not started", hint="start it first"
            )
        return self._made.get_wrapped_container()


def owner_of_this_process() -> str:
    """The label of what ends with this process."""
    owner = Identity.of(os.getpid())
    return "" if owner is None else json.dumps({**asdict(owner), "space": _process_space()})


def is_left_over(label: str) -> bool:
    """Whether what has that label had an owner, which is dead.

    Of another machine's, or one that another version has written, nobody here can say.
    """
    try:
        said = json.loads(label)
    except ValueError:
        return False
    match said:
        case {"pid": int(pid), "started": str(started), "space": str(space), **more} if not more:
            return space == _process_space() and not Identity(pid=pid, started=started).alive()
        case _:
            return False


def _process_space() -> str:
    """Where this machine's process ids hold: an engine may be shared with other machines and containers."""
    with contextlib.suppress(OSError):
        return f"{platform.node()} {Path('/proc/self/ns/pid').readlink()}"
    return platform.node()


@contextlib.contextmanager
def engine() -> Iterator[DockerClient]:
    """This machine's Docker engine; afterwards no connection to it stays open.

    Raises:
        DockerFailed: It does not answer, or not as it should.
    """
    with _translated("talk to the Docker engine"), contextlib.closing(docker.from_env()) as client:
        yield client


def require_image(image: str) -> None:
    """See that an image is there; it is pulled where it is not.

    Raises:
        DockerFailed: It is not there, and can't be pulled.
    """
    with engine() as client:
        try:
            client.images.get(image)
        except ImageNotFound:
            client.images.pull(image)


@contextlib.contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except (DockerException, OSError) as error:
        raise DockerFailed(
            f"could not {what}",
            cause=str(error),
            hint="`docker info` tells whether the engine runs; if it can pull no image, see docs/compose.md",
        ) from error


@contextlib.contextmanager
def _own_way() -> Iterator[None]:
    """Without testcontainers' own reaper, which is an image to be pulled: labels and a guard do its work."""
    before = testcontainers_config.ryuk_disabled
    testcontainers_config.ryuk_disabled = True
    try:
        yield
    finally:
        testcontainers_config.ryuk_disabled = before
