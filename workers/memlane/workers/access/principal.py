"""Whose message it is: what the broker verified, never what the body says."""

from typing import Final, NamedTuple

from aio_pika.abc import HeadersType

from memlane.contracts.headers import ON_BEHALF_OF, PRINCIPAL, REPAIR
from memlane.contracts.limits import MAX_IDENTIFIER

NOBODY: Final = ""
"""In a header: it is known that nobody is known. No account is called that."""


class Principal(NamedTuple):
    """On whose behalf a message acts.

    Attributes:
        account: verified by the broker, or by a worker before; None where there is none.
        on_behalf_of: whom a gateway says that it acts for; counts only where the account is a gateway.
            Empty where what it said can be nobody's name.
    """

    account: str | None
    on_behalf_of: str | None = None

    def __str__(self) -> str:
        account = "without a verified account" if self.account is None else f"account {self.account!r}"
        return account if self.on_behalf_of is None else f"{account} on behalf of {self.on_behalf_of!r}"


def principal_of(user_id: str | None, headers: HeadersType, worker_accounts: frozenset[str]) -> Principal:
    """On whose behalf a message acts.

    The header `principal` counts if, and only if, the broker-validated `user_id` property is a worker
    account; else that property itself does. A worker's header that names nobody is nobody: what came to it
    without an account does not gain the worker's rights by passing through its hands.

    Args:
        user_id: the property, validated by the broker.
        headers: of the message; whoever published it may have put anything there.
        worker_accounts: whose header is believed.
    """
    account = user_id or None
    if user_id in worker_accounts and PRINCIPAL in headers:
        account = _name(headers[PRINCIPAL]) or None
    on_behalf_of = _name(headers[ON_BEHALF_OF]) if ON_BEHALF_OF in headers else None
    return Principal(account, on_behalf_of)


def is_repair(user_id: str | None, headers: HeadersType, worker_accounts: frozenset[str]) -> bool:
    """Whether a message brings what another sink holds: a worker account says so. Arguments as above."""
    return user_id in worker_accounts and headers.get(REPAIR) is True


def principal_headers(principal: Principal) -> HeadersType:
    """What a worker writes when it publishes somebody's message again. See `principal_of`, the inverse."""
    fields: HeadersType = {PRINCIPAL: principal.account or NOBODY}
    if principal.on_behalf_of is not None:
        fields[ON_BEHALF_OF] = principal.on_behalf_of
    return fields


def _name(claimed: object) -> str:
    return claimed if isinstance(claimed, str) and len(claimed) <= MAX_IDENTIFIER else NOBODY
