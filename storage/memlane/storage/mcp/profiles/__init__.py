"""The profiles that memlane ships, each for a server that people run."""
