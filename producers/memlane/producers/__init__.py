"""What people touch: the client, the command line, the importers, and what publishes to the broker.

Bots import `memlane.client`. `broker` is also used by the workers.
"""
