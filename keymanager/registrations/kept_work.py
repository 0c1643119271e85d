"""Registrations of resources and scopes; registering and deleting them can be repeated without harm."""

from typing import Final

from keymanager.adapters.contract import Capability, Resource, ScopeSpec
from keymanager.models import Registration
from keymanager.registrations.plan import REMOVALS, Facts, Operation, Settled, plan_kept_thing
from keymanager.registrations.states import RegistrationKind, Wish
from keymanager.registrations.work import Answer, Work

NEEDED: Final = {
    RegistrationKind.RESOURCE.value: Capability.RESOURCES,
    RegistrationKind.SCOPE.value: Capability.SCOPES,
}


class KeptWork(Work):
    """One resource, or one scope."""

    def plan(self) -> Operation | Settled:
        """By what was last applied."""
        row = self.row
        return plan_kept_thing(
            Facts(
                wish=Wish(row.wish),
                exists=row.applied_version > 0,
                in_doubt=row.in_doubt,
                as_applied=row.applied == row.wanted,
                capabilities=self.adapter.capabilities,
            ),
            NEEDED[row.kind],
        )

    def run(self, operation: Operation) -> Answer:
        """Make the call with the newest wish."""
        if self.row.kind == RegistrationKind.SCOPE:
            return self._scope(operation)
        return self._resource(operation)

    def _scope(self, operation: Operation) -> Answer:
        if operation in REMOVALS:
            self.adapter.delete_scope(self.row.subject)
            return Answer(found=False)
        self.adapter.register_scope(ScopeSpec(key=self.row.subject, description=str(self.row.wanted["description"])))
        return Answer(remote_id=self.row.subject)

    def _resource(self, operation: Operation) -> Answer:
        wanted = self.row.wanted
        resource = Resource(
            identifier=str(wanted["identifier"]), name=str(wanted["name"]), scopes=frozenset(wanted["scopes"])
        )
        # A creation whose answer was lost left no id of the key manager's own; registering again tells it.
        if operation in REMOVALS:
            remote_id = self.row.remote_id or self.adapter.register_resource(resource).remote_id
            self.adapter.delete_resource(remote_id)
            return Answer(found=False)
        if self.row.remote_id:
            answer = self.adapter.update_resource(self.row.remote_id, resource)
        else:
            answer = self.adapter.register_resource(resource)
        observed = {"identifier": answer.identifier, "scopes": sorted(answer.scopes)}
        return Answer(remote_id=answer.remote_id, observed=observed)

    def keep(self, row: Registration, operation: Operation, answer: Answer) -> None:
        """The key manager's id of it, and what was applied."""
        row.remote_id = answer.remote_id
        row.observed = dict(answer.observed)
        row.applied, row.applied_version = self.row.wanted, self.row.wanted_version
