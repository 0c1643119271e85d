"""Runs one oidc-provider in the foreground, for the demo: ``python -m tests.servers.run_oidc_provider --port 8003``."""

import argparse
import signal
import threading

from tests.servers.oidc_provider import DEFAULT_SCOPES, OidcProviderOptions, start


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--initial-access-token", required=True)
    parser.add_argument(
        "--gateway-secret", required=True, help="of the client `gateway`, which may introspect any token"
    )
    parser.add_argument("--scopes", default="", help="more scopes, separated by spaces")
    parser.add_argument("--clients-file", default="", help="keeps clients through a restart")
    given = parser.parse_args()
    options = OidcProviderOptions(
        initial_access_token=given.initial_access_token,
        gateway_client_secret=given.gateway_secret,
        scopes=(*DEFAULT_SCOPES, *given.scopes.split()),
        clients_file=given.clients_file,
    )
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with start(port=given.port, options=options):
        ended.wait()


if __name__ == "__main__":
    main()
