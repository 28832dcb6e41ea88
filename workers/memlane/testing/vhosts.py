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

_ADD: Final = """
Allow = fun(User, Name, Configure, Write, Read) ->
    rabbit_auth_backend_internal:set_permissions(User, Name, Configure, Write, Read, <<"test">>)
end,
Accounts = [{accounts}],
[catch rabbit_auth_backend_internal:add_user(User, <<"{password}">>, <<"test">>)
 || {{User, _, _, _}} <- Accounts],
lists:foreach(fun(Number) ->
    Name = list_to_binary("{prefix}" ++ integer_to_list(Number)),
    rabbit_vhost:add(Name, <<"test">>),
    Allow(<<"guest">>, Name, <<".*">>, <<".*">>, <<".*">>),
    [Allow(User, Name, C, W, R) || {{User, C, W, R}} <- Accounts]
end, lists:seq({first}, {last})).
"""


class Permissions(NamedTuple):
    """What an account may do on a virtual host: regular expressions, as RabbitMQ has them."""

    configure: str
    write: str
    read: str


def new_vhosts(
    server: RabbitMQServer,
    prefix: str,
    accounts: Mapping[str, Permissions] = MappingProxyType({}),
) -> Iterator[str]:
    """Endless URLs, of a new virtual host each, made in batches.

    Args:
        server: runs.
        prefix: what their names begin with; not used before on that server.
        accounts: besides `guest`, who may do everything; password `PASSWORD`.

    Raises:
        ServerError: they can't be made.
    """
    base = urlsplit(server.url)
    rows = ((name, *permissions) for name, permissions in accounts.items())
    told = ", ".join("{" + ", ".join(f'<<"{one}">>' for one in row) + "}" for row in rows)
    last = 0
    for at_once in chain(_AT_ONCE, repeat(_AT_ONCE[-1])):
        first, last = last + 1, last + at_once
        said = _ADD.format(accounts=told, password=PASSWORD, prefix=prefix, first=first, last=last)
        server.control("eval", said)
        for number in range(first, last + 1):
            yield base._replace(path=f"/{prefix}{number}").geturl()
