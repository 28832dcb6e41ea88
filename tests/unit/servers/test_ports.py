"""Ports for private servers are free, distinct, and far from the standard ones."""

import socket

import pytest

from memlane.testing.servers import ports


def test_ports_are_distinct_and_low_enough_for_what_is_derived_from_them() -> None:
    """RabbitMQ's scripts add up to 30,010 to a port; all must stay below 65536."""
    chosen = ports.free_ports(20)

    assert len(set(chosen)) == 20
    assert all(port >= ports.FIRST and port + 30_010 < 65_536 for port in chosen)


def test_a_port_in_use_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody listens on is passed over."""
    with socket.socket() as taken:
        taken.bind((ports.LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not ports.is_free(port)
        monkeypatch.setattr(ports, "FIRST", port)
        monkeypatch.setattr(ports, "LAST", port)
        with pytest.raises(OSError, match="fewer than 1 free ports"):
            ports.free_ports(1)


def test_standard_ports_are_never_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed service keeps its ports, even while it is stopped."""
    monkeypatch.setattr(ports, "FIRST", 25_671)
    monkeypatch.setattr(ports, "LAST", 25_673)
    monkeypatch.setattr(ports, "is_free", lambda _: True)

    assert set(ports.free_ports(2)) == {25_671, 25_673}
    assert ports.free_ports(1, taken={25_671}) == (25_673,)
