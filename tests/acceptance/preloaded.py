"""Everything that a command of `memlane` may import, for `forking.py`."""

import gc
from importlib import import_module
from importlib.metadata import entry_points

from memlane.producers.cli.main import cli
from memlane.producers.cli.routes import ENTRY_POINT_GROUP, OWN

for route in (*OWN.values(), *(point.value for point in entry_points(group=ENTRY_POINT_GROUP))):
    import_module(route.partition(":")[0])
gc.freeze()

__all__ = ["cli"]
