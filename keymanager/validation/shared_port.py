"""A TCP port that the validator's processes share."""

import socket


def shared_socket(host: str, port: int) -> socket.socket:
    """A TCP socket on an address that several processes of this user share. Raises ``OSError``."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    found = socket.socket(family, kind, protocol)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        found.bind(address)
    except BaseException:
        found.close()
        raise
    return found
