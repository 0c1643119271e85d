"""``manage.py grant_role USERNAME ROLE [--revoke]``: give a role to a person, or take it away."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.actor import SYSTEM
from accounts.models import Role, User
from common.errors import RuleError
from subscriptions.services.people import grant_role, revoke_role


class Command(BaseCommand):
    """Changes one role of one person."""

    help = "Give a role to a person, or take it away. It counts from the next request on; repeating it is harmless."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("username")
        parser.add_argument("role", choices=Role.values)
        parser.add_argument("--revoke", action="store_true", help="take the role away")

    def handle(self, *args: Any, **options: Any) -> None:
        """Change the role, and say what the person may do now."""
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"username: There is no user {options['username']!r}.")
        role = Role(options["role"])
        try:
            (revoke_role if options["revoke"] else grant_role)(actor=SYSTEM, user=user, role=role)
        except RuleError as exc:
            raise CommandError(exc.message) from exc
        roles = ", ".join(user.role_grants.order_by("role").values_list("role", flat=True))
        self.stdout.write(f"{user.username}: {roles or 'no role'}")
