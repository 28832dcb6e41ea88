"""Makes what the stack needs before it starts: passwords, the broker's definitions, Redis's users.

Run by the service `setup` of compose.yaml, with the standard library alone. It may run any number of times: a
password that is there is kept.

    python setup.py PERMISSIONS ACCOUNTS RABBITMQ REDIS WORKER

PERMISSIONS is rabbitmq/permissions.json; the others are folders, seen only by containers that need them:

    ACCOUNTS   a file for each account with its password: one for each kind in PERMISSIONS, and `redis`. Put
               passwords of your own there before the first start, or let them be made.
    RABBITMQ   definitions.json: the virtual host, the accounts (with hashes) and their permissions.
    REDIS      users.acl: the one account (with a hash).
    WORKER     memlane_amqp_url and memlane_redis_url, which memlane's workers read.
"""

import base64
import hashlib
import json
import os
import secrets
import sys
from pathlib import Path
from typing import Final
from urllib.parse import quote

VHOST: Final = "memlane"
UID: Final = 1001
"""Of memlane in its containers."""

_SALT_BYTES: Final = 4
_LEAST_CHARACTERS: Final = 8
_SHA256: Final = "rabbit_password_hashing_sha256"


def main(arguments: list[str]) -> None:
    """See above."""
    permissions_file, accounts, rabbitmq, redis, worker = map(Path, arguments)
    permissions = json.loads(permissions_file.read_text(encoding="utf-8"))
    passwords = {name: password(accounts / name) for name in [*permissions, "redis"]}
    write(rabbitmq / "definitions.json", json.dumps(definitions(permissions, passwords), indent=1), 0o644)
    write(redis / "users.acl", users_acl(passwords["redis"]), 0o644)
    amqp_url = f"amqp://worker:{quote(passwords['worker'], safe='')}@rabbitmq:5672/{VHOST}"
    redis_url = f"redis://:{quote(passwords['redis'], safe='')}@redis:6379/0"
    for name, url in (("memlane_amqp_url", amqp_url), ("memlane_redis_url", redis_url)):
        write(worker / name, url, 0o400)
        os.chown(worker / name, UID, UID)


def password(file: Path) -> str:
    """The password in a file; a new one where there is no file.

    Raises:
        SystemExit: what the file says is too short.
    """
    if not file.exists():
        write(file, secrets.token_urlsafe(24), 0o600)
    found = file.read_text(encoding="utf-8").strip()
    if len(found) < _LEAST_CHARACTERS:
        raise SystemExit(
            f"the password in {file} has under {_LEAST_CHARACTERS} characters: write a longer one"
        )
    return found


def definitions(permissions: dict[str, dict[str, str]], passwords: dict[str, str]) -> dict[str, object]:
    """What RabbitMQ imports when it starts: no account `guest`, one account of each kind.

    See https://www.rabbitmq.com/docs/definitions.
    """
    return {
        "vhosts": [{"name": VHOST}],
        "users": [
            {
                "name": name,
                "password_hash": rabbitmq_hash(passwords[name], secrets.token_bytes(_SALT_BYTES)),
                "hashing_algorithm": _SHA256,
                "tags": [],
            }
            for name in permissions
        ],
        "permissions": [
            {"user": name, "vhost": VHOST, **{right: of[right] for right in ("configure", "write", "read")}}
            for name, of in permissions.items()
        ],
    }


def rabbitmq_hash(of: str, salt: bytes) -> str:
    """A password as RabbitMQ keeps it. See https://www.rabbitmq.com/docs/passwords#computing-password-hash."""
    return base64.b64encode(salt + hashlib.sha256(salt + of.encode()).digest()).decode("ascii")


def users_acl(of: str) -> str:
    """Redis's default account; and one for health checks, which may do nothing but `PING`.

    See https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/.
    """
    return (
        f"user default on #{hashlib.sha256(of.encode()).hexdigest()} ~* &* +@all\n"
        "user health on nopass -@all +ping\n"
    )


def write(file: Path, text: str, mode: int) -> None:
    """Writes a file as a whole, with that mode from the start."""
    draft = file.with_name(f".{file.name}.new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(text, encoding="utf-8")
    draft.chmod(mode)
    draft.replace(file)


if __name__ == "__main__":
    main(sys.argv[1:])
