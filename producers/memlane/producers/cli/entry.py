"""Where the process `memlane` begins: at what is imported."""

import gc
from typing import NoReturn


def main() -> NoReturn:
    """Runs the command line, and ends the process with its exit code.

    Nothing that is imported is ever garbage. To look for garbage meanwhile costs a fifth of a short command's
    time, and to look through all of it again and again costs a worker some later: see `gc.freeze` in Python's
    documentation.
    """
    gc.disable()
    from memlane.producers.cli.main import main as run_and_exit  # noqa: PLC0415  # that is what takes long

    gc.freeze()
    gc.enable()
    run_and_exit()


if __name__ == "__main__":
    main()
