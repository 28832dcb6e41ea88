"""Everything that is generated, as one table: path and text."""

import json
from typing import Any

from docs.generation.asyncapi import asyncapi
from docs.generation.command_line import command_line
from docs.generation.configuration import configuration
from docs.generation.files import Pages
from docs.generation.schemas import SCHEMAS, schema_of
from docs.generation.topology import topology_page


def everything() -> Pages:
    """The text of each generated file, by its path from the project's root."""
    schemas = {f"docs/schemas/{name}.json": _json(schema_of(model)) for name, model in SCHEMAS.items()}
    return {
        **schemas,
        "docs/asyncapi.json": _json(asyncapi()),
        "docs/topology.md": topology_page(),
        "docs/configuration.md": configuration(),
        "docs/cli.md": command_line(),
    }


# Any: a JSON tree.
def _json(tree: Any) -> str:
    return json.dumps(tree, indent=2, ensure_ascii=False) + "\n"
