"""Virtual hosts that nobody has used: a broker of one's own for each test, on a RabbitMQ that many share."""

from collections.abc import Iterator, Mapping
from itertools import chain, repeat
from types import MappingProxyType
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from memlane.testing.servers import RabbitMQServer

PASSWORD: Final = "secret"  # noqa: S105  of accounts that last as long as a test run
"""Of the accounts that are made."""

_AT_ONCE: Final = (10, 30, 60)
"""How many are made by the first call, the second and each further one.

Each call starts a virtual machine, which takes longer than to make ten.
"""

_DELETE_AND_ADD: Final = """
Allow = fun(User, Name, Configure, Write, Read) ->
    rabbit_auth_backend_internal:set_permissions(User, Name, Configure, Write, Read, <<"test">>)
end,
Accounts = [{accounts}],
[catch rabbit_auth_backend_internal:add_user(User, <<"{password}">>, <<"test">>)
 || {{User, _, _, _}} <- Accounts],
[catch rabbit_vhost:delete(Name, <<"test">>) || Name <- [{deleted}]],
lists:foreach(fun(Name) ->
    rabbit_vhost:add(Name, <<"test">>),
    Allow(<<"guest">>, Name, <<".*">>, <<".*">>, <<".*">>),
    [Allow(User, Name, C, W, R) || {{User, C, W, R}} <- Accounts]
end, [{added}]).
"""


class Permissions(NamedTuple):
    """What an account may do on a virtual host: regular expressions, as RabbitMQ has them."""

    configure: str
    write: str
    read: str


class NewVhosts(Iterator[str]):
    """Endless URLs, of a new virtual host each, made in batches.

    Args:
        server: runs.
        prefix: what their names begin with; not used before on that server.
        accounts: besides `guest`, who may do everything; password `PASSWORD`.
    """

    def __init__(
        self,
        server: RabbitMQServer,
        prefix: str,
        accounts: Mapping[str, Permissions] = MappingProxyType({}),
    ) -> None:
        self._server = server
        self._prefix = prefix
        rows = ((name, *permissions) for name, permissions in accounts.items())
        self._accounts = ", ".join("{" + ", ".join(f'<<"{one}">>' for one in row) + "}" for row in rows)
        self._sizes = chain(_AT_ONCE, repeat(_AT_ONCE[-1]))
        self._made = 0
        self._unused: list[str] = []
        self._given_back: list[str] = []

    def __next__(self) -> str:
        """One that nobody has used.

        Raises:
            ServerError: none can be made.
        """
        if not self._unused:
            self._make(next(self._sizes))
        return urlsplit(self._server.url)._replace(path=f"/{self._unused.pop()}").geturl()

    def give_back(self, url: str) -> None:
        """Nobody uses it any more: it is deleted when the next ones are made. The fewer, the faster."""
        self._given_back.append(urlsplit(url).path.removeprefix("/"))

    def _make(self, count: int) -> None:
        names = [f"{self._prefix}{number}" for number in range(self._made + 1, self._made + count + 1)]
        self._server.control(
            "eval",
            _DELETE_AND_ADD.format(
                accounts=self._accounts,
                password=PASSWORD,
                deleted=", ".join(f'<<"{name}">>' for name in self._given_back),
                added=", ".join(f'<<"{name}">>' for name in names),
            ),
        )
        self._made += count
        self._given_back.clear()
        self._unused = names[::-1]
