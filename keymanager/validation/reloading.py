"""One change event -> the rows that it touches, read anew."""

from collections.abc import Callable
from typing import Final

from django.db.models import Q

from keymanager.validation import loader
from keymanager.validation.facts import id_of
from keymanager.validation.snapshot import Snapshot
from subscriptions.models import ChangeKind


def reload_object(snapshot: Snapshot, kind: str, object_id: str) -> None:
    """Bring the object of a change event up to date. Unknown kinds are somebody else's."""
    reload = _RELOADS.get(kind)
    if reload is not None:
        reload(snapshot, object_id)


def _api_version(snapshot: Snapshot, object_id: str) -> None:
    rows = loader.routes(Q(pk=object_id))
    if rows:
        snapshot.put_routes(rows)
    else:
        snapshot.drop_route(id_of(object_id))


def _plan(snapshot: Snapshot, object_id: str) -> None:
    rows = list(loader.plans(Q(pk=object_id)))
    snapshot.put_plans(rows)
    if not rows:
        snapshot.drop_plan(id_of(object_id))


def _application(snapshot: Snapshot, object_id: str) -> None:
    rows = list(loader.applications(Q(pk=object_id)))
    snapshot.put_applications(rows)
    if not rows:
        snapshot.drop_application(id_of(object_id))


def _subscription(snapshot: Snapshot, object_id: str) -> None:
    rows = list(loader.subscriptions(Q(pk=object_id)))
    snapshot.put_subscriptions(rows)
    if not rows:
        snapshot.drop_subscription(id_of(object_id))


def _credential(snapshot: Snapshot, object_id: str) -> None:
    rows = list(loader.credentials(Q(pk=object_id)))
    snapshot.put_credentials(rows)
    if not rows:
        snapshot.drop_credential(id_of(object_id))


def _key_manager(snapshot: Snapshot, object_id: str) -> None:
    rows = loader.key_managers()
    snapshot.put_key_managers(rows)
    if id_of(object_id) not in {row.id for row in rows}:
        snapshot.drop_key_manager(id_of(object_id))


def _token(snapshot: Snapshot, object_id: str) -> None:
    snapshot.put_revoked(loader.revoked_tokens(Q(pk=object_id)))


_RELOADS: Final[dict[str, Callable[[Snapshot, str], None]]] = {
    ChangeKind.API_VERSION: _api_version,
    ChangeKind.PLAN: _plan,
    ChangeKind.APPLICATION: _application,
    ChangeKind.SUBSCRIPTION: _subscription,
    ChangeKind.CREDENTIAL: _credential,
    ChangeKind.KEY_MANAGER: _key_manager,
    ChangeKind.TOKEN: _token,
}
