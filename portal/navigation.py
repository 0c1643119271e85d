"""What the top bar shows: the areas that the person may use and that this process serves."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import Role, User
from accounts.pages.account import THEMES
from accounts.queries import roles_of
from portal.parts import served_parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """One entry of the top bar. ``current``: the page belongs to it."""

    label: Any
    url: str
    current: bool


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Areas, whether the store is here, and the theme; a context processor."""
    roles = roles_of(request.user) if isinstance(request.user, User) else frozenset()
    theme = request.COOKIES.get("theme", "auto")
    return {
        "areas": _areas(request.path, roles),
        "store_served": "store" in served_parts(),
        "theme": theme if theme in THEMES else "auto",
    }


def _areas(path: str, roles: frozenset[Role]) -> list[Area]:
    administrator = Role.ADMINISTRATOR in roles
    offered = [
        ("store", _("Store"), "/", True),
        (
            "publisher",
            _("Publisher"),
            "/publisher/",
            bool(roles & {Role.API_DEVELOPER, Role.PUBLISHER}) or administrator,
        ),
        ("administration", _("Admin"), "/admin-portal/", administrator),
    ]
    others = tuple(url for _part, _label, url, _open in offered if url != "/")
    elsewhere = (*others, "/account/", "/about/", "/sign-in/", "/style/")
    return [
        Area(label=label, url=url, current=not path.startswith(elsewhere) if url == "/" else path.startswith(url))
        for part, label, url, open_to_them in offered
        if part in served_parts() and open_to_them
    ]
