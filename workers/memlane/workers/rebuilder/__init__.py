"""Notices that a store lacks commands, and fills it from the command log."""

from memlane.workers.rebuilder.rebuilder import Rebuilder

__all__ = ["Rebuilder"]
