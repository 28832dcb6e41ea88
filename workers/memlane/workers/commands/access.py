"""`memlane access`."""

from pathlib import Path
from typing import Final

import click

from memlane.producers.cli.client import finish
from memlane.producers.cli.exit_codes import FAILED
from memlane.producers.cli.formatting import count_of
from memlane.producers.cli.output import as_json, write, write_record
from memlane.producers.cli.said import json_option
from memlane.workers.access import Access, Principal
from memlane.workers.access.rules_file import AccessRules, Right, load_rules

_RIGHTS: Final[tuple[Right, ...]] = ("read", "write")


@click.group()
def access() -> None:
    """Check a file of access rules, and try what it allows."""


@access.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--account", metavar="NAME", help="Who: an account of the broker. Needs --user.")
@click.option("--on-behalf-of", metavar="NAME", help="For whom, where --account is a gateway.")
@click.option("--user", "user_id", metavar="USER", help="Whose memory. Needs --account.")
@click.option("--namespace", metavar="NAME", help="It and all below it; not said: all of the user's.")
@json_option
def check(
    file: Path, account: str | None, on_behalf_of: str | None, user_id: str | None, namespace: str | None
) -> None:
    """Read FILE as a worker does at its start; say what --account may do with the memory of --user.

    Exit code 1 if the file can't work, or if the account may neither read nor write there.
    """
    rules = load_rules(file)
    if account is None and user_id is None:
        _describe(rules)
        return
    if account is None or user_id is None:
        raise click.UsageError("--account and --user go together")
    # No account is called that: which one a worker logs in with is not in the file.
    decider = Access(rules, own_account="")
    principal = Principal(account, on_behalf_of)
    may: dict[str, bool] = {right: decider.may(principal, right, user_id, namespace) for right in _RIGHTS}
    if as_json():
        write_record(may)
    else:
        for right, allowed in may.items():
            write(f"{right}: {'yes' if allowed else 'no'}")
    if not any(may.values()):
        finish(FAILED)


def _describe(rules: AccessRules) -> None:
    if as_json():
        write_record(rules.model_dump(mode="json"))
        return
    parts = (
        count_of(len(rules.rules), "rule"),
        count_of(len(rules.worker_accounts), "worker account"),
        count_of(len(rules.gateway_accounts), "gateway account"),
    )
    write(f"the file can work: {', '.join(parts)}")
