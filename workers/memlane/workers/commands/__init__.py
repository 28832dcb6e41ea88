"""The commands that need `memlane[worker]`, found by the entry point `memlane.commands`."""
