"""Which addresses a pod reaches, told by itself: `python3 -c SCRIPT HOST:PORT…`.

Prints those to which a TCP connection comes about within 3 s, as a JSON list. A name that is not found is an error.
"""

import json
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

_PATIENCE = 3.0  # seconds


def reached(address: str) -> bool:
    """Whether any of a name's addresses takes a connection."""
    host, port = address.rsplit(":", 1)
    for *_, place in socket.getaddrinfo(host, int(port), socket.AF_INET, socket.SOCK_STREAM):
        try:
            socket.create_connection((str(place[0]), int(port)), _PATIENCE).close()
        except OSError:
            continue
        return True
    return False


if __name__ == "__main__":
    with ThreadPoolExecutor() as pool:
        print(json.dumps([one for one, is_so in zip(sys.argv[1:], pool.map(reached, sys.argv[1:]), strict=True) if is_so]))
