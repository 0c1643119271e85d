"""``manage.py api_token USERNAME``: print a new API token and nothing else."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Team, User
from accounts.services import create_api_token
from common.errors import ArchwayError


class Command(BaseCommand):
    """Prints one new API token on standard output, and nothing else."""

    help = "Make an API token for a user and print it; it cannot be read again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("username")
        parser.add_argument("--name", default="command line")
        parser.add_argument("--team", default="", help="name of the team that things made with the token belong to")
        parser.add_argument("--introspect", action="store_true", help="may ask about any token at /introspect")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the token."""
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['username']!r}.")
        team = None
        if options["team"]:
            team = Team.objects.filter(name=options["team"], memberships__user=user).first()
            if team is None:
                raise CommandError(f"{user.username} is in no team {options['team']!r}.")
        try:
            token = create_api_token(user=user, name=options["name"], team=team, may_introspect=options["introspect"])
        except ArchwayError as exc:
            raise CommandError(exc.message) from exc
        self.stdout.write(token.value)
