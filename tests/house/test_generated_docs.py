"""What is generated is current, and the same wherever it is made."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

from pydantic_settings import BaseSettings

import memlane
from docs.generation.command_line import help_pages
from docs.generation.configuration import SECTIONS, variables
from docs.generation.files import stale, write
from docs.generation.pages import everything
from memlane.contracts.topology import topology
from memlane.producers.cli.main import cli
from tests.house.project import DOCS, ROOT, files, name_of, pages, text_of

_VARIABLE = re.compile(r"\bMEMLANE_[A-Z][A-Z_]*[A-Z]\b")


def _settings_classes() -> set[type[BaseSettings]]:
    for module in pkgutil.walk_packages(memlane.__path__, "memlane."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return {kind for kind in _subclasses(BaseSettings) if kind.model_fields}


def _subclasses(kind: type[BaseSettings]) -> Iterator[type[BaseSettings]]:
    for found in kind.__subclasses__():
        if found.__module__.startswith("memlane."):
            yield found
        yield from _subclasses(found)


def test_the_generated_documentation_is_current() -> None:
    """The same check as `python docs/generate.py --check`."""
    assert stale(ROOT, everything()) == []


def test_what_is_stale_is_found_and_written(tmp_path: Path) -> None:
    """A file that differs, one that is missing, and one that is not generated any more."""
    wanted = {"docs/a.md": "a\n", "docs/b.md": "b\n", "docs/schemas/c.json": "{}\n"}
    (tmp_path / "docs" / "schemas").mkdir(parents=True)
    (tmp_path / "docs" / "a.md").write_text("a\n")
    (tmp_path / "docs" / "b.md").write_text("old\n")
    (tmp_path / "docs" / "schemas" / "old.json").write_text("{}\n")
    found = stale(tmp_path, wanted)
    assert found == ["docs/b.md", "docs/schemas/c.json", "docs/schemas/old.json"]
    write(tmp_path, wanted, found)
    assert stale(tmp_path, wanted) == []


def test_every_setting_is_documented() -> None:
    """Each class of settings has its section, each field its variable and its meaning."""
    classes = _settings_classes()
    assert {section.settings for section in SECTIONS} == classes
    page = (DOCS / "configuration.md").read_text(encoding="utf-8")
    for settings in classes:
        assert all(field.description for field in settings.model_fields.values()), settings
        assert [name for name in variables(settings) if f"| `{name}` |" not in page] == []


def test_no_page_names_a_setting_that_there_is_not() -> None:
    """Nor does the compose file."""
    known = {name for section in SECTIONS for name in variables(section.settings)}
    texts = [*pages(), *files(".yaml"), ROOT / "Makefile"]
    unknown = {(name_of(file), name) for file in texts for name in _VARIABLE.findall(text_of(file))}
    assert {(file, name) for file, name in unknown if name not in known} == set()


def test_every_queue_is_in_the_topology_table() -> None:
    """For the sinks that memlane ships."""
    page = (DOCS / "topology.md").read_text(encoding="utf-8")
    found = topology(["sqlite", "redis"])
    names = [exchange.name for exchange in found.exchanges] + [queue.name for queue in found.queues]
    assert [name for name in names if f"| `{name}` |" not in page] == []


def test_every_command_has_its_help_page() -> None:
    """Also those that other packages bring."""
    paths = [path for path, _ in help_pages(cli, "memlane")]
    page = (DOCS / "cli.md").read_text(encoding="utf-8")
    assert [path for path in paths if f"## {path}\n" not in page] == []
    assert {"memlane up", "memlane worker lane", "memlane store", "memlane dead list"} <= set(paths)
