"""``manage.py create_person USERNAME --role ROLE``: make a person with a personal team and roles."""

import getpass
import os
import secrets
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.actor import SYSTEM
from accounts.models import Role
from common.errors import ArchwayError
from subscriptions.services.people import create_person


class Command(BaseCommand):
    """Makes one person. Standard output has the password if it was made here, and nothing else."""

    help = (
        "Make a person who signs in with a password: the one in ARCHWAY_PASSWORD, or typed at the terminal, or else "
        "a new one, which is printed once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("username")
        parser.add_argument(
            "--role", action="append", required=True, choices=Role.values, help="may be given several times"
        )
        parser.add_argument("--email", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the person."""
        given = os.environ.get("ARCHWAY_PASSWORD", "") or _typed_password()
        password = given or secrets.token_urlsafe(18)
        roles = [Role(value) for value in options["role"]]
        try:
            user = create_person(
                actor=SYSTEM, username=options["username"], password=password, roles=roles, email=options["email"]
            )
        except ArchwayError as exc:
            raise CommandError(exc.message) from exc
        self.stderr.write(f"Made {user.username}: {', '.join(sorted({str(role.label) for role in roles}))}.")
        if not given:
            self.stderr.write("The password is shown only now:")
            self.stdout.write(password)


def _typed_password() -> str:
    """What a person types twice; "" without a terminal, or when nothing is typed."""
    if not sys.stdin.isatty():
        return ""
    password = getpass.getpass("Password (empty: a new one is made): ")
    if password and getpass.getpass("The same again: ") != password:
        raise CommandError("password: The two differ.")
    return password
