"""People and teams by REST: parse, call one service, render."""

import uuid

import django_filters
from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Role, Team, User
from accounts.queries import find_people
from accounts.rest.idempotency import IDEMPOTENCY_KEY, once
from accounts.rest.permissions import ADMINISTRATORS
from accounts.rest.views import actor_for, checked, own
from administration.rest.people_bodies import MemberInput, PersonBody, PersonChange, TeamBody, TeamInput
from common.errors import InputError
from subscriptions.services import people, teams


class PersonFilter(django_filters.FilterSet):
    """``?q=``: part of a name or e-mail address."""

    q = django_filters.CharFilter(method="search")

    class Meta:
        model = User
        fields: tuple[str, ...] = ()

    def search(self, rows: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        """As the page searches."""
        return find_people(value)


class PersonListView(generics.ListAPIView[User]):
    """Everybody."""

    permission_classes = ADMINISTRATORS
    serializer_class = PersonBody
    filterset_class = PersonFilter

    def get_queryset(self) -> QuerySet[User]:
        """By name."""
        return find_people("")


class PersonView(APIView):
    """One person."""

    permission_classes = ADMINISTRATORS

    @extend_schema(responses=PersonBody)
    def get(self, request: Request, pk: int) -> Response:
        """Read it."""
        return Response(PersonBody(own(User.objects.all(), pk=pk)).data)

    @extend_schema(request=PersonChange, responses=PersonBody)
    @transaction.atomic
    def patch(self, request: Request, pk: int) -> Response:
        """Give and take roles, shut out or let in; a role of a login provider stays."""
        user = own(User.objects.all(), pk=pk)
        data = checked(PersonChange, request)
        if "roles" in data:
            people.set_roles(actor=actor_for(request), user=user, roles=[Role(role) for role in data["roles"]])
        if "active" in data:
            people.set_active(actor=actor_for(request), user=user, active=data["active"])
        return Response(PersonBody(own(User.objects.all(), pk=pk)).data)


class TeamListView(generics.ListAPIView[Team]):
    """Teams that people share, or a new one."""

    permission_classes = ADMINISTRATORS
    serializer_class = TeamBody
    queryset = Team.objects.filter(personal_of=None).prefetch_related("memberships__user").order_by("name")

    @extend_schema(parameters=[IDEMPOTENCY_KEY], request=TeamInput, responses={201: TeamBody})
    def post(self, request: Request) -> Response:
        """Make one, without members."""
        actor = actor_for(request)
        data = checked(TeamInput, request)

        def create() -> Response:
            team = teams.create_team(actor=actor, name=data["name"])
            return Response(TeamBody(team).data, status=status.HTTP_201_CREATED)

        return once(request, create)


class TeamView(APIView):
    """One team."""

    permission_classes = ADMINISTRATORS

    @extend_schema(responses=TeamBody)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Read it."""
        return Response(TeamBody(own(Team.objects.filter(personal_of=None), pk=pk)).data)

    @extend_schema(request=TeamInput, responses=TeamBody)
    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        """Call it something else."""
        team = own(Team.objects.filter(personal_of=None), pk=pk)
        data = checked(TeamInput, request)
        return Response(TeamBody(teams.rename_team(actor=actor_for(request), team=team, name=data["name"])).data)


class TeamMembersView(APIView):
    """Members of a team."""

    permission_classes = ADMINISTRATORS

    @extend_schema(request=MemberInput, responses=TeamBody)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Let somebody in; repeating it changes nothing."""
        team = own(Team.objects.filter(personal_of=None), pk=pk)
        username = checked(MemberInput, request)["username"]
        user = User.objects.filter(username=username).first()
        if user is None:
            raise InputError.of("username", "There is nobody of this name.")
        return Response(TeamBody(teams.add_member(actor=actor_for(request), team=team, user=user)).data)


class TeamMemberView(APIView):
    """One member of a team."""

    permission_classes = ADMINISTRATORS

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: uuid.UUID, member: int) -> Response:
        """Take them out, at once."""
        team = own(Team.objects.filter(personal_of=None), pk=pk)
        user = own(User.objects.filter(memberships__team=team), pk=member)
        teams.remove_member(actor=actor_for(request), team=team, user=user)
        return Response(status=status.HTTP_204_NO_CONTENT)
