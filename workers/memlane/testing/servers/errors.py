"""What can go wrong when servers are found, started or stopped.

ServerError
├── NoServerFound        nothing answers, nothing is installed, nothing may be installed
├── ServerUnreachable    a URL that was given does not answer
├── ServerInUse          the data directory belongs to a server that is still running
├── ServerStartFailed    a server was started and did not become ready
├── InstallFailed        the package manager could not install a server
└── DockerFailed         Docker could not do what it was asked to
"""


class ServerError(Exception):
    """What was being done, why it failed, and what to do about it.

    Args:
        what: What could not be done, as a sentence without its full stop.
        cause: What was seen, as the system said it.
        hint: What the reader can do next.
    """

    def __init__(self, what: str, *, cause: str, hint: str) -> None:
        super().__init__(f"{what}\n  cause: {cause}\n  hint: {hint}")
        self.what = what
        self.cause = cause
        self.hint = hint


class NoServerFound(ServerError):
    """Nothing answers, nothing is installed, and nothing may be installed."""


class ServerUnreachable(ServerError):
    """A URL that was given does not answer."""


class ServerInUse(ServerError):
    """The data directory belongs to a server that is still running."""


class ServerStartFailed(ServerError):
    """A server was started and did not become ready."""


class InstallFailed(ServerError):
    """The package manager could not install a server."""


class DockerFailed(ServerError):
    """Docker could not do what it was asked to."""
