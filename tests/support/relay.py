"""What a sink starts in place of an MCP server that runs already: carries its stdin and stdout to a socket.

    python -IS relay.py SOCKET NAME

The first line to the socket is the variable of that name, as JSON. It imports next to nothing, so that it
starts at once.
"""

import os
import select
import socket
import sys

CHUNK = 1 << 16


def main() -> None:
    """Until one of the two sides ends."""
    path, name = sys.argv[1:]
    quoted = os.environ[name].replace("\\", "\\\\").replace('"', '\\"')
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        server.sendall(f'{{"{name}": "{quoted}"}}\n'.encode())
        while True:
            ready, _, _ = select.select([0, server.fileno()], [], [])
            if server.fileno() in ready:
                if not (said := server.recv(CHUNK)):
                    return
                _write(said)
            if 0 in ready:
                if not (asked := os.read(0, CHUNK)):
                    return
                server.sendall(asked)


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]


if __name__ == "__main__":
    main()
