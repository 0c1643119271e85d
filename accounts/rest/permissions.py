"""Who may use a view at all; what they may see there is the query's business."""

from typing import Final

from rest_framework import permissions
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.rest.views import actor_for


class IsAdministrator(permissions.BasePermission):
    """Only administrators."""

    message = "This needs the role Administrator."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """True for administrators."""
        return bool(request.user and request.user.is_authenticated) and actor_for(request).is_administrator


ADMINISTRATORS: Final = (permissions.IsAuthenticated, IsAdministrator)
