"""An installed RabbitMQ without the plugins that it does not need."""

from pathlib import Path

import pytest

from memlane.testing.servers.rabbitmq_home import without_plugins

_APPLICATIONS = {
    "rabbit-4.0.5": "{applications, [kernel,\n  ra, rabbit_common]}, {modules, [rabbit, rabbit_shovel]}",
    "ra-2.14.0": "{applications, [kernel, aten]}",
    "aten-0.6.0": "{applications, [kernel, rabbit]}",
    "rabbit_common-4.0.5": "{included_applications,[recon]}",
    "recon-2.5.6": "{applications, []}",
    "rabbitmq_shovel-4.0.5": "{applications, [rabbit, amqp_client]}",
    "amqp_client-4.0.5": "{applications, []}",
}


def _installed(home: Path) -> Path:
    for name, told in _APPLICATIONS.items():
        resource = home / "plugins" / name / "ebin" / f"{name.rpartition('-')[0]}.app"
        resource.parent.mkdir(parents=True)
        resource.write_text(f"{{application, x, [{told}]}}.\n", encoding="utf-8")
    (home / "escript").mkdir()
    script = home / "sbin" / "rabbitmq-server"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n", encoding="utf-8")
    return script


def test_only_what_the_server_needs_in_turn_is_there(tmp_path: Path) -> None:
    """Applications that come with Erlang are not looked for."""
    script = without_plugins(_installed(tmp_path / "installed"), tmp_path / "home")
    assert script == tmp_path / "home" / "sbin" / "rabbitmq-server"
    there = {link.name for link in (tmp_path / "home" / "plugins").iterdir()}
    assert there == {"rabbit-4.0.5", "ra-2.14.0", "aten-0.6.0", "rabbit_common-4.0.5", "recon-2.5.6"}
    assert (tmp_path / "home" / "plugins" / "ra-2.14.0" / "ebin" / "ra.app").is_file()


def test_a_link_to_the_script_is_followed(tmp_path: Path) -> None:
    """Debian has links to its scripts."""
    link = tmp_path / "bin" / "rabbitmq-server"
    link.parent.mkdir()
    link.symlink_to(_installed(tmp_path / "installed"))
    assert without_plugins(link, tmp_path / "home") == tmp_path / "home" / "sbin" / "rabbitmq-server"


def test_what_an_older_version_needed_is_gone(tmp_path: Path) -> None:
    """RabbitMQ may have been upgraded since the last start."""
    (tmp_path / "home" / "plugins" / "rabbit-3.10.8").mkdir(parents=True)
    without_plugins(_installed(tmp_path / "installed"), tmp_path / "home")
    assert not (tmp_path / "home" / "plugins" / "rabbit-3.10.8").exists()


@pytest.mark.parametrize("missing", ["plugins", "plugins/rabbit-4.0.5"])
def test_another_installation_is_taken_as_it_is(tmp_path: Path, missing: str) -> None:
    """Slower is better than not at all."""
    script = _installed(tmp_path / "installed")
    (tmp_path / "installed" / missing).rename(tmp_path / "elsewhere")
    assert without_plugins(script, tmp_path / "home") == script
    assert not (tmp_path / "home").exists()
