"""Who may do what, by the rules."""

import tomllib
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memlane.contracts.command import AnyCommand
from memlane.contracts.errors import AccessDenied
from memlane.workers.access import Access, Principal
from memlane.workers.access.rules_file import AccessRules, Right
from tests.support.commands import delete, delete_namespace, forget, store

RULES: Final = """
worker_accounts = ["repairer"]
gateway_accounts = ["gateway"]

[[rules]]
accounts = ["alice"]
users = ["alice", "team-*"]
may = ["read", "write"]

[[rules]]
accounts = ["bob"]
users = ["bob"]
namespaces = ["profile", "notes/shared"]
may = ["write"]

[[rules]]
accounts = ["bob"]
users = ["bob"]
may = ["read"]

[[rules]]
accounts = ["gateway"]
users = ["alice", "bob"]
may = ["read", "write"]

[[rules]]
accounts = ["reader"]
users = ["*"]
may = ["read"]
"""


@pytest.fixture
def access() -> Access:
    """By these rules, in a worker whose own account is `worker`."""
    return Access(AccessRules.model_validate(tomllib.loads(RULES)), "worker")


@pytest.mark.parametrize(
    "case",
    [
        ("alice", "write", "alice", "default", True),
        ("alice", "write", "alice", None, True),
        ("alice", "read", "team-red", None, True),
        ("alice", "read", "team-", None, True),
        ("alice", "read", "team", None, False),
        ("alice", "read", "a-team-red", None, False),
        ("alice", "read", "Alice", None, False),
        ("alice", "read", "alice2", None, False),
        ("alice", "read", "bob", "profile", False),
        ("alice", "read", None, None, False),
        ("Alice", "read", "alice", None, False),
        ("bob", "write", "bob", "profile", True),
        ("bob", "write", "bob", "profile/food", True),
        ("bob", "write", "bob", "profileX", False),
        ("bob", "write", "bob", "profile2/food", False),
        ("bob", "write", "bob", "notes", False),
        ("bob", "write", "bob", "notes/shared/x", True),
        ("bob", "write", "bob", "notes/sharedX", False),
        ("bob", "write", "bob", None, False),
        ("bob", "read", "bob", None, True),
        ("reader", "read", "anybody", None, True),
        ("reader", "read", None, None, True),
        ("reader", "write", "anybody", "default", False),
        ("worker", "write", "anybody", None, True),
        ("repairer", "write", None, None, True),
        ("stranger", "read", "stranger", "default", False),
        (None, "read", "alice", "default", False),
    ],
)
def test_what_an_account_may(
    access: Access, case: tuple[str | None, Right, str | None, str | None, bool]
) -> None:
    """Users by their whole name or a prefix, namespaces by whole parts; nothing that no rule names."""
    account, right, user, namespace, allowed = case
    assert access.may(Principal(account), right, user, namespace) is allowed


@pytest.mark.parametrize(
    "case",
    [
        ("gateway", "alice", "alice", "default", True),
        ("gateway", "alice", "bob", "profile", False),
        ("gateway", "alice", "team-red", "default", False),
        ("gateway", "bob", "bob", "profile", True),
        ("gateway", "bob", "bob", "default", False),
        ("gateway", "worker", "bob", "default", True),
        ("gateway", "worker", "carol", "default", False),
        ("gateway", "stranger", "alice", "default", False),
        ("gateway", "", "alice", "default", False),
        ("gateway", None, "alice", "default", True),
        ("bob", "alice", "alice", "default", False),
        ("bob", "alice", "bob", "profile", True),
    ],
)
def test_a_gateway_may_what_it_and_the_other_one_may(
    access: Access, case: tuple[str, str | None, str, str, bool]
) -> None:
    """And from everybody else, saying for whom one acts changes nothing."""
    account, for_whom, user, namespace, allowed = case
    assert access.may(Principal(account, for_whom), "write", user, namespace) is allowed


def test_a_message_is_split_by_command(access: Access) -> None:
    """Each delete by the scope that it takes in."""
    good: list[AnyCommand] = [
        store("a", user="bob", namespace="profile/x"),
        delete_namespace("profile", user="bob"),
    ]
    bad: list[AnyCommand] = [
        store("b", user="bob"),
        forget("bob"),
        delete_namespace("notes", user="bob"),
        delete("k", user="alice", namespace="profile"),
    ]
    allowed, denied = access.split(Principal("bob"), [bad[0], good[0], bad[1], good[1], *bad[2:]])
    assert allowed == good
    assert [one.raw for one in denied] == bad
    assert {type(one.error) for one in denied} == {AccessDenied}


def test_a_denial_says_who_what_and_where(access: Access) -> None:
    """And what to do about it, which is not the same for who has no account at all."""
    denied = access.denial(Principal("bob"), "write", "bob", "notes")
    assert "account 'bob' may not write the memory of 'bob' (namespace 'notes')" in str(denied)
    denied = access.denial(Principal("gateway", "bob"), "write", "bob", None)
    assert "account 'gateway' on behalf of 'bob' may not write the memory of 'bob' (all of it)" in str(denied)
    denied = access.denial(Principal(None), "read", "bob", "notes")
    assert "without a verified account" in str(denied)
    assert "AMQP property user_id" in str(denied)


@given(
    account=st.none() | st.sampled_from(["alice", "bob", "gateway", "reader", "stranger"]),
    for_whom=st.none() | st.text(max_size=5) | st.sampled_from(["alice", "bob", "worker"]),
    user=st.text(min_size=1, max_size=8) | st.sampled_from(["alice", "bob", "team-x"]),
)
def test_nobody_but_workers_writes_for_everybody(account: str, for_whom: str | None, user: str) -> None:
    """No account, gateway or claim has a right that no rule gives it."""
    access = Access(AccessRules.model_validate(tomllib.loads(RULES)), "worker")
    if access.may(Principal(account, for_whom), "write", user, "default"):
        assert (account, user) in {("alice", "alice"), ("gateway", "alice"), ("gateway", "bob")} or (
            account == "alice" and user.startswith("team-")
        )
