"""`make test-matrix`: the integration suite on both ends of the supported brokers and stores, and a table.

python -m tests.matrix [argument of pytest ...]
"""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

RABBITMQ: Final = ("rabbitmq:3.10", "rabbitmq:4.0")
REDIS: Final = ("redis:7.0", "redis:8.0")

_ROW: Final = "{:<15} {:<11} {:>8} {:>8} {:>9}"


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of the suite came to.

    Attributes:
        rabbitmq: the image.
        redis: the image.
        passed: tests.
        failed: tests, errors included.
        seconds: it took.
        code: pytest's exit code.
    """

    rabbitmq: str
    redis: str
    passed: int
    failed: int
    seconds: float
    code: int


def main(arguments: list[str]) -> int:
    """Runs all of it; 1 if anything failed."""
    runs = [run(rabbitmq, redis, arguments) for rabbitmq, redis in product(RABBITMQ, REDIS)]
    lines = [_ROW.format("RabbitMQ", "Redis", "passed", "failed", "seconds")]
    lines += [_ROW.format(of.rabbitmq, of.redis, of.passed, of.failed, round(of.seconds)) for of in runs]
    sys.stdout.write("\n".join(lines) + "\n")
    return int(any(of.code for of in runs))


def run(rabbitmq: str, redis: str, arguments: list[str]) -> Run:
    """Runs the suite in containers of these images."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "--services=containers", f"--junitxml={report}"]
        command += ["--only-on-servers", "--numprocesses", "3", "--dist", "worksteal"]
        command += arguments or ["tests/integration", "tests/acceptance/testing"]
        environment = {**os.environ, "RABBITMQ_IMAGE": rabbitmq, "REDIS_IMAGE": redis}
        code = subprocess.run(command, env=environment, check=False).returncode  # noqa: S603  fixed arguments
        if not report.exists():
            return Run(rabbitmq, redis, 0, 0, 0.0, code or 1)
        suite = ET.parse(report).getroot().find("testsuite")  # noqa: S314  pytest wrote it
    told = {} if suite is None else suite.attrib
    failed = int(told.get("failures", 0)) + int(told.get("errors", 0))
    passed = int(told.get("tests", 0)) - failed - int(told.get("skipped", 0))
    return Run(rabbitmq, redis, passed, failed, float(told.get("time", 0)), code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
