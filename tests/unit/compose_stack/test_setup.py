"""What the compose stack's service `setup` makes."""

import base64
import hashlib
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urlsplit

import pytest

COMPOSE = Path(__file__).parents[3] / "compose"
PERMISSIONS = COMPOSE / "rabbitmq" / "permissions.json"


@pytest.fixture
def setup() -> ModuleType:
    """The program, as a module."""
    spec = importlib.util.spec_from_file_location("setup", COMPOSE / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folders(tmp_path: Path, setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """As its volumes, empty. Only root may give a file to somebody else."""
    monkeypatch.setattr(setup.os, "chown", lambda *_: None)
    made = {name: tmp_path / name for name in ("accounts", "rabbitmq", "redis", "worker")}
    for folder in made.values():
        folder.mkdir()
    return made


def _run(setup: ModuleType, folders: dict[str, Path]) -> None:
    setup.main([str(PERMISSIONS), *map(str, folders.values())])


def test_every_kind_of_account_gets_a_password_of_its_own(
    setup: ModuleType, folders: dict[str, Path]
) -> None:
    """Nobody else can read them."""
    _run(setup, folders)
    kinds = set(json.loads(PERMISSIONS.read_text(encoding="utf-8")))
    files = {file.name: file for file in folders["accounts"].iterdir()}
    assert set(files) == {*kinds, "redis"}
    assert len({file.read_text(encoding="utf-8") for file in files.values()}) == len(files)
    assert {file.stat().st_mode & 0o777 for file in files.values()} == {0o600}


def test_the_broker_gets_hashes_and_the_permissions_of_the_templates(
    setup: ModuleType, folders: dict[str, Path]
) -> None:
    """By RabbitMQ's own rule: four bytes of salt, then SHA-256 of salt and password."""
    _run(setup, folders)
    told = json.loads((folders["rabbitmq"] / "definitions.json").read_text(encoding="utf-8"))
    for user in told["users"]:
        password = (folders["accounts"] / user["name"]).read_bytes()
        kept = base64.b64decode(user["password_hash"])
        assert kept[4:] == hashlib.sha256(kept[:4] + password).digest()
    templates = json.loads(PERMISSIONS.read_text(encoding="utf-8"))
    assert {one["user"]: (one["configure"], one["write"], one["read"]) for one in told["permissions"]} == {
        kind: (of["configure"], of["write"], of["read"]) for kind, of in templates.items()
    }


def test_workers_get_urls_and_redis_gets_a_hash(setup: ModuleType, folders: dict[str, Path]) -> None:
    """Whatever is in a password."""
    (folders["accounts"] / "worker").write_text("p@ss/w:rd%", encoding="utf-8")
    (folders["accounts"] / "redis").write_text("a secret of mine\n", encoding="utf-8")
    _run(setup, folders)
    amqp = urlsplit((folders["worker"] / "memlane_amqp_url").read_text(encoding="utf-8"))
    assert (amqp.username, unquote(amqp.password or ""), amqp.hostname) == (
        "worker",
        "p@ss/w:rd%",
        "rabbitmq",
    )
    redis = urlsplit((folders["worker"] / "memlane_redis_url").read_text(encoding="utf-8"))
    assert unquote(redis.password or "") == "a secret of mine"
    digest = hashlib.sha256(b"a secret of mine").hexdigest()
    assert f"#{digest} " in (folders["redis"] / "users.acl").read_text(encoding="utf-8")


def test_again_it_keeps_what_is_there(setup: ModuleType, folders: dict[str, Path]) -> None:
    """A stack that is started again has the same passwords."""
    _run(setup, folders)
    before = {file.name: file.read_text(encoding="utf-8") for file in folders["accounts"].iterdir()}
    _run(setup, folders)
    assert {file.name: file.read_text(encoding="utf-8") for file in folders["accounts"].iterdir()} == before


def test_a_short_password_is_refused(setup: ModuleType, folders: dict[str, Path]) -> None:
    """With its file and the limit."""
    (folders["accounts"] / "producer").write_text("short", encoding="utf-8")
    with pytest.raises(SystemExit, match="producer has under 8 characters"):
        _run(setup, folders)
