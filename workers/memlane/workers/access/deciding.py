"""Deciding: may this principal read or write there?"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from memlane.contracts.codec import BadCommand
from memlane.contracts.command import AnyCommand, DeleteUser
from memlane.contracts.errors import AccessDenied
from memlane.producers.broker.connection import user_of
from memlane.workers.access.principal import Principal
from memlane.workers.access.rules_file import AccessRules, Right, load_rules
from memlane.workers.settings import WorkerSettings

_REMEMBERED: Final = 16_384
"""Decisions kept in memory: a lane sees the same few accounts and namespaces again and again."""


class Access:
    """What a rules file allows.

    Args:
        rules: of the file.
        own_account: this worker's own.

    Attributes:
        worker_accounts: this worker's own, and those of the file.
    """

    def __init__(self, rules: AccessRules, own_account: str) -> None:
        self.worker_accounts: frozenset[str] = frozenset({own_account, *rules.worker_accounts})
        self._gateways = frozenset(rules.gateway_accounts)
        self._rules = rules.rules
        self.may = lru_cache(maxsize=_REMEMBERED)(self._may)

    def _may(self, principal: Principal, right: Right, user_id: str | None, namespace: str | None) -> bool:
        """Whether a principal has a right on a namespace of a user and all below it.

        Args:
            principal: who.
            right: `read` or `write`.
            user_id: None: every user.
            namespace: None: all of that user.
        """
        if not self._account_may(principal.account, right, user_id, namespace):
            return False
        if principal.account not in self._gateways or principal.on_behalf_of is None:
            return True
        return self._account_may(principal.on_behalf_of, right, user_id, namespace)

    def denial(
        self, principal: Principal, right: Right, user_id: str, namespace: str | None
    ) -> AccessDenied | None:
        """The error that says what a principal may not do; None where it may."""
        if self.may(principal, right, user_id, namespace):
            return None
        place = "all of it" if namespace is None else f"namespace {namespace!r}"
        return AccessDenied(
            "user_id",
            f"{principal} may not {right} the memory of {user_id!r} ({place})",
            hint=_HINT_ACCOUNT if principal.account is None else _HINT_RULE,
        )

    def split(
        self, principal: Principal, commands: Sequence[AnyCommand]
    ) -> tuple[list[AnyCommand], list[BadCommand]]:
        """The commands that a principal may give, and those that it may not, with the reason."""
        allowed: list[AnyCommand] = []
        denied: list[BadCommand] = []
        for command in commands:
            namespace = None if isinstance(command, DeleteUser) else command.namespace
            error = self.denial(principal, "write", command.user_id, namespace)
            if error is None:
                allowed.append(command)
            else:
                denied.append(BadCommand(-1, command, error))
        return allowed, denied

    def _account_may(
        self, account: str | None, right: Right, user_id: str | None, namespace: str | None
    ) -> bool:
        if account is None:
            return False
        if account in self.worker_accounts:
            return True
        return any(
            account in rule.accounts and right in rule.may and rule.covers(user_id, namespace)
            for rule in self._rules
        )


_HINT_ACCOUNT: Final = "set the AMQP property user_id to the account that you log in with"
_HINT_RULE: Final = "who runs the workers can allow it, in the file of MEMLANE_ACCESS_RULES"


def access_of(settings: WorkerSettings) -> Access | None:
    """The rules that a worker's settings name; None where they name none: then everybody may do everything.

    Raises:
        ConfigurationError: the file can't be read, or can't work.
    """
    if settings.access_rules is None:
        return None
    return Access(load_rules(settings.access_rules), user_of(settings.url))


def worker_accounts_of(settings: WorkerSettings) -> frozenset[str]:
    """Whose word on a message's principal is believed. Raises as `access_of`."""
    access = access_of(settings)
    return frozenset({user_of(settings.url)}) if access is None else access.worker_accounts
