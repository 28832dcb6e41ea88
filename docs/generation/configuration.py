"""The table of settings."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from docs.generation.markdown import code, generated, page, table
from memlane.producers.settings import BrokerSettings, ClientSettings, LogSettings
from memlane.storage.settings import SinkSettings
from memlane.workers.settings import WorkerSettings


@dataclass(frozen=True)
class Section:
    """A class of settings on the page."""

    settings: type[BaseSettings]
    title: str
    who: str


SECTIONS: Final = (
    Section(BrokerSettings, "The broker and the sinks", "Read by clients, workers and the command line."),
    Section(ClientSettings, "Clients", "Read by `MemoryClient` and by the command line."),
    Section(WorkerSettings, "Workers", "Read by `memlane up` and `memlane worker`."),
    Section(SinkSettings, "Sinks", "Read by `memlane up`, `memlane worker` and `memlane sink`."),
    Section(LogSettings, "Logs", "Read by the command line, and so by the workers that it starts."),
)

_KINDS: Final = """
- **duration**: a number and a unit (`5s`, `250ms`, `5m`, `30d`, `1h30m`), ISO 8601 (`PT5S`, `P30D`) or `HH:MM:SS`. A bare number has no unit, and is refused.
- **list**: a JSON array, such as `["PT5S","PT1M"]`.
- **secret**: never shown and never logged.
- **path**: a relative one counts from the folder in which the process was started. memlane does not expand `~`: that
  is the shell's affair.
"""  # noqa: E501

_UNITS: Final = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
_HEAD: Final = ("variable", "kind", "default", "meaning")


def configuration() -> str:
    """The page."""
    sections = [block for section in SECTIONS for block in _section(section)]
    return page(
        "# Configuration",
        generated("the settings classes"),
        "Every setting is an environment variable. There is no configuration file. What is said on the "
        "command line, or passed to `MemoryClient`, goes before the environment. A value that can't work is "
        "an error at start, which names the variable.",
        "In a container a secret is better kept out of the environment: where there is a folder "
        "`/run/secrets`, as Docker, Compose and Podman make it, a file there with a variable's name in lower "
        "case (`memlane_amqp_url`) says what the variable would. The variable goes first.",
        "`memlane config show` prints the settings that hold now; `memlane config check` says what is wrong "
        "with them. Where a command has an option for it (`--url`), its help names the variable: see "
        "[cli.md](cli.md).",
        "Kinds:",
        _KINDS,
        *sections,
    )


def variables(settings: type[BaseSettings]) -> list[str]:
    """The environment variables of a class of settings, with those that it inherits."""
    prefix = settings.model_config.get("env_prefix", "")
    return [f"{prefix}{name}".upper() for name in settings.model_fields]


def _section(section: Section) -> Iterator[str]:
    yield f"## {section.title}"
    also = " Besides those of the broker and the sinks." if _inherited(section.settings) else ""
    yield f"{section.who}{also}"
    properties = section.settings.model_json_schema()["properties"]
    prefix = section.settings.model_config.get("env_prefix", "").upper()
    own = [name for name in section.settings.model_fields if name not in _inherited(section.settings)]
    yield table(
        _HEAD,
        (
            (
                code(f"{prefix}{name.upper()}"),
                _kind(properties[name]),
                _default(section.settings.model_fields[name]),
                section.settings.model_fields[name].description or "",
            )
            for name in own
        ),
    )


def _inherited(settings: type[BaseSettings]) -> set[str]:
    return {
        name for base in settings.__bases__ if issubclass(base, BaseSettings) for name in base.model_fields
    }


# Any, from here on: JSON Schema, and defaults of any type.
def _kind(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return _kind(next(one for one in schema["anyOf"] if one["type"] != "null"))
    if "enum" in schema:
        return " or ".join(map(code, schema["enum"]))
    if schema["type"] == "array":
        return f"list of {_kind(schema['items'])}s"
    if schema["type"] == "object":
        return "JSON object, its values secret"
    if schema["type"] == "boolean":
        return "`true` or `false`"
    if schema["type"] == "integer":
        return f"whole number{_bounds(schema)}"
    return {"duration": "duration", "path": "path", "file-path": "path", "password": "secret"}.get(
        schema.get("format", ""), "text"
    )


def _bounds(schema: dict[str, Any]) -> str:
    low = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
    return f", {low:,} to {schema['maximum']:,}" if "maximum" in schema else f", at least {low:,}"


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    return "none" if value is None else code(_shown(value))


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_shown, value))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Path):
        home = Path.home()
        return f"~/{value.relative_to(home)}" if value.is_relative_to(home) else str(value)
    return str(value)


def _duration(value: timedelta) -> str:
    seconds = value.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:g} ms"
    unit, size = next(found for found in _UNITS if seconds % found[1] == 0)
    return f"{seconds / size:g} {unit}"
