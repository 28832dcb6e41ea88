"""Runs the command line."""

from memlane.testing.servers.cli import main

main(prog_name="python -m memlane.testing.servers")
