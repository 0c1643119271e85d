"""What the validator's processes listen on together: a TCP port, and on one machine with the gateway a Unix socket."""

import contextlib
import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path


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


@contextlib.contextmanager
def unix_socket(path: Path) -> Iterator[socket.socket]:
    """A bound Unix socket, which processes inherit, for this user and its group. Raises ``OSError``.

    A file that a killed process left behind is replaced; one behind which somebody listens is not.
    """
    _remove_if_dead(path)
    with socket.socket(socket.AF_UNIX) as found:
        found.bind(str(path))
        try:
            path.chmod(0o660)
            yield found
        finally:
            path.unlink(missing_ok=True)


def _remove_if_dead(path: Path) -> None:
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
