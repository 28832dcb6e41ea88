"""Whose message it is: what the broker verified, never what the body says."""

from aio_pika.abc import HeadersType

from memlane.contracts.headers import PRINCIPAL
from memlane.contracts.limits import MAX_IDENTIFIER


def principal_of(user_id: str | None, headers: HeadersType, worker_accounts: frozenset[str]) -> str | None:
    """The account on whose behalf a message acts.

    The header `principal` counts if, and only if, the broker-validated `user_id` property is a worker
    account; else that property itself does.

    Returns:
        None where the message carries no validated account.
    """
    if user_id is not None and user_id in worker_accounts:
        claimed = headers.get(PRINCIPAL)
        if isinstance(claimed, str) and len(claimed) <= MAX_IDENTIFIER:
            return claimed
    return user_id
