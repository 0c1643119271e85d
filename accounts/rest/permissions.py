"""Who may use a view at all; what they may see there is the query's business."""

from typing import ClassVar, Final

from rest_framework import permissions
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models import Role
from accounts.rest.views import actor_for


class IsAdministrator(permissions.BasePermission):
    """Only administrators."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """True for administrators. Raises ``NotAllowed`` for everybody else."""
        actor_for(request).require_role(Role.ADMINISTRATOR)
        return True


class RoleToChange(permissions.BasePermission):
    """Members read; who changes anything needs the role. Asked before the body and the row are looked at."""

    role: ClassVar[Role]

    def has_permission(self, request: Request, view: APIView) -> bool:
        """True for readers and for the role. Raises ``NotAllowed`` naming the role."""
        if request.method not in permissions.SAFE_METHODS:
            actor_for(request).require_role(self.role)
        return True


class ApiDeveloperToChange(RoleToChange):
    """API developers change."""

    role = Role.API_DEVELOPER


class PublisherToChange(RoleToChange):
    """Publishers change."""

    role = Role.PUBLISHER


class AppDeveloperToChange(RoleToChange):
    """App developers change."""

    role = Role.APP_DEVELOPER


ADMINISTRATORS: Final = (permissions.IsAuthenticated, IsAdministrator)
API_DEVELOPERS_CHANGE: Final = (permissions.IsAuthenticated, ApiDeveloperToChange)
PUBLISHERS_CHANGE: Final = (permissions.IsAuthenticated, PublisherToChange)
APP_DEVELOPERS_CHANGE: Final = (permissions.IsAuthenticated, AppDeveloperToChange)
