"""What another process does to the database while a validator runs: ``python -m tests.integration.validator_actions``.

The database is migrated. ``seed <issuer> <mode> <client id> <client secret>`` makes the rows of ``validation_rows``;
``block`` and ``remove`` change them. ``publish <open prefix> <prefix> ...`` publishes APIs of which only the first one
needs no token.
"""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from tests.integration.validation_rows import (  # noqa: E402 - models need the app registry
    block_subscription,
    make_rows,
    publish_prefixes,
    remove_credential,
)


def main(action: str, *arguments: str) -> None:
    """Carry out one action."""
    if action == "seed":
        issuer, mode, client_id, client_secret = arguments
        make_rows(
            issuer,
            token_validation=mode,
            registration="none",
            introspection_client_id=client_id,
            introspection_client_secret=client_secret,
        )
    elif action == "publish":
        publish_prefixes(*arguments)
    elif action == "block":
        block_subscription()
    elif action == "remove":
        remove_credential()


if __name__ == "__main__":
    main(*sys.argv[1:])
