"""Everything that a command of `memlane` may import, for `forking.py`."""

import gc
from importlib import import_module
from importlib.metadata import entry_points

from memlane.producers.cli.routes import ENTRY_POINT_GROUP, OWN

import_module("memlane.producers.cli.main")
for route in (*OWN.values(), *(point.value for point in entry_points(group=ENTRY_POINT_GROUP))):
    import_module(route.partition(":")[0])
gc.freeze()
