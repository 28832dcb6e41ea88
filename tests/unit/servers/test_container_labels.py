"""What the labels of containers and volumes tell."""

import json
from pathlib import Path

import pytest

from memlane.testing.servers.container import is_left_over, owner_of_this_process
from memlane.testing.servers.container_volume import KeptVolume
from memlane.testing.servers.kinds import Kind


def test_what_has_a_dead_owner_is_left_over() -> None:
    """One that lives, or that nobody here can know of, keeps its container."""
    label = owner_of_this_process()
    assert not is_left_over(label)
    assert is_left_over(json.dumps({**json.loads(label), "started": "once"}))
    assert not is_left_over(json.dumps({**json.loads(label), "started": "once", "space": "elsewhere"}))


@pytest.mark.parametrize("label", ["", "{", "null", "7", "[]", "{}", "somebody's"])
def test_a_label_that_cannot_be_read_is_nobodys(label: str) -> None:
    """The container stays, and whoever looks for leftovers goes on."""
    assert not is_left_over(label)


@pytest.mark.parametrize("change", [{"boot": "b"}, {"pid": "1"}, {"started": None}])
def test_another_versions_label_is_left_alone(change: dict[str, object]) -> None:
    """Its owner may live, in a way that is not known here."""
    label = {**json.loads(owner_of_this_process()), "started": "once", **change}
    assert not is_left_over(json.dumps(label))


def test_a_volume_is_named_after_its_server_and_folder(tmp_path: Path) -> None:
    """The same folder by another way has the same volume."""
    name = KeptVolume(Kind.RABBITMQ, tmp_path).name
    assert name.startswith("memlane-rabbitmq-")
    tmp_path.joinpath("link").symlink_to(tmp_path)
    assert KeptVolume(Kind.RABBITMQ, tmp_path / "link").name == name
    assert KeptVolume(Kind.REDIS, tmp_path).name not in {name, KeptVolume(Kind.REDIS, tmp_path / "a").name}
