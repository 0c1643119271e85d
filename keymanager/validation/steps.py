"""The steps that ``ARCHWAY_VALIDATION_STEPS`` names, and how the setting is read."""

from collections.abc import Sequence
from importlib import import_module

from common.errors import ConfigurationError
from keymanager.validation.grant_steps import (
    ApplicationStep,
    BackendJwtStep,
    PlanLimitStep,
    ScopesStep,
    SubscriptionStep,
)
from keymanager.validation.route_steps import CredentialPresentStep, RouteStep
from keymanager.validation.services import StepServices
from keymanager.validation.step import ValidationStep
from keymanager.validation.token_steps import AudienceStep, KeyManagerStep, TokenStep

__all__ = [
    "ApplicationStep",
    "AudienceStep",
    "BackendJwtStep",
    "CredentialPresentStep",
    "KeyManagerStep",
    "PlanLimitStep",
    "RouteStep",
    "ScopesStep",
    "SubscriptionStep",
    "TokenStep",
    "load_steps",
]


def load_steps(dotted_names: Sequence[str], services: StepServices) -> tuple[ValidationStep, ...]:
    """Make the steps in order. Raises ``ConfigurationError`` naming the entry that cannot be made.

    A route step must come first: without it every step would pass for want of an API.
    """
    steps = tuple(_load(name, services) for name in dotted_names)
    if not steps:
        raise ConfigurationError("ARCHWAY_VALIDATION_STEPS is empty: nothing would be validated.")
    names = [step.name for step in steps]
    if len(set(names)) != len(names):
        raise ConfigurationError(f"ARCHWAY_VALIDATION_STEPS has two steps of the same name: {', '.join(names)}.")
    return steps


def _load(dotted_name: str, services: StepServices) -> ValidationStep:
    module_name, _, class_name = dotted_name.rpartition(".")
    try:
        made = getattr(import_module(module_name), class_name)(services)
    except (ImportError, AttributeError, TypeError, ValueError) as exc:
        raise ConfigurationError(f"ARCHWAY_VALIDATION_STEPS: {dotted_name} cannot be made ({exc}).") from exc
    if not (isinstance(getattr(made, "name", None), str) and callable(getattr(made, "check", None))):
        raise ConfigurationError(f"ARCHWAY_VALIDATION_STEPS: {dotted_name} is not a validation step.")
    step: ValidationStep = made
    return step
