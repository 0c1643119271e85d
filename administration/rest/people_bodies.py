"""Bodies of people and teams."""

from typing import Any

from rest_framework import serializers

from accounts.models import Membership, Role, RoleGrant, Team, User


class RoleGrantBody(serializers.ModelSerializer[RoleGrant]):
    """One role; ``source``: issuer of the login provider that gave it, "" for the portal."""

    class Meta:
        model = RoleGrant
        fields = ("role", "source")


class PersonBody(serializers.ModelSerializer[User]):
    """One person. ``issuers``: where they sign in, none for a password of the portal."""

    roles = RoleGrantBody(source="role_grants", many=True)
    issuers = serializers.SerializerMethodField()
    email = serializers.CharField(allow_blank=True)
    active = serializers.BooleanField(source="is_active")

    class Meta:
        model = User
        fields = ("id", "username", "email", "first_name", "last_name", "active", "last_login", "roles", "issuers")

    def get_issuers(self, user: User) -> list[str]:
        """Issuers, in order."""
        return sorted(identity.issuer for identity in user.identities.all())


class PersonChange(serializers.Serializer[Any]):
    """What may be changed: exactly these roles of those that the portal gives, and whether they are let in."""

    roles = serializers.ListField(child=serializers.ChoiceField(choices=Role.choices), required=False)
    active = serializers.BooleanField(required=False)


class MemberBody(serializers.ModelSerializer[Membership]):
    """One member of a team; ``source`` as of roles."""

    username = serializers.CharField(source="user.username")

    class Meta:
        model = Membership
        fields = ("username", "source")


class TeamBody(serializers.ModelSerializer[Team]):
    """A team that people share."""

    members = MemberBody(source="memberships", many=True)

    class Meta:
        model = Team
        fields = ("id", "name", "members", "created_at")


class TeamInput(serializers.Serializer[Any]):
    """What a team is called."""

    name = serializers.CharField(max_length=100)


class MemberInput(serializers.Serializer[Any]):
    """Who shall be in a team."""

    username = serializers.CharField(max_length=150)
