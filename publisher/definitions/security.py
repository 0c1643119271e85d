"""From the security of a definition to scopes and to "is a token needed"."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from common.scopes import is_scope
from publisher.definitions.model import Auth, Finding, ScopeSpec, Severity
from publisher.definitions.problems import Parts, Problem, pointer_of
from publisher.definitions.references import follow, items, mapping

_LONGEST_KEY: Final = 200
_WITH_SCOPES: Final = frozenset({"oauth2", "openIdConnect"})


@dataclass(frozen=True, slots=True)
class _Scheme:
    kind: str
    scopes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Access:
    """What a call of one operation needs; a token needs at least one of ``scopes``, if there are any."""

    auth: Auth
    scopes: tuple[str, ...]


@dataclass(slots=True)
class SecurityReader:
    """Reads the security of one document, and collects what is to be said about it."""

    document: Mapping[str, Any]
    findings: list[Finding] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    _schemes: dict[str, _Scheme] = field(default_factory=dict)
    _scopes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, declared, at in self._declared():
            scheme, parts = follow(self.document, declared, at)
            kind = str(scheme.get("type", ""))
            self._schemes[name] = _Scheme(kind, self._scopes_of(scheme, parts))
            self._scopes.update({key: text for key, text in self._schemes[name].scopes.items() if text})
            for key, text in self._schemes[name].scopes.items():
                self._scopes.setdefault(key, text)
            if kind not in _WITH_SCOPES:
                self._find(
                    Severity.WARNING,
                    parts,
                    f"the security scheme '{name}' ({kind}) is not enforced; calls need a token instead",
                )
        if "security" not in self.document:
            self._find(
                Severity.INFO, (), "the document has no global security: operations without their own need a token"
            )

    def scopes(self) -> tuple[ScopeSpec, ...]:
        """Every scope that a scheme declares or that an operation read so far uses."""
        return tuple(ScopeSpec(key=key, description=text) for key, text in self._scopes.items())

    def access(self, operation: Mapping[str, Any], parts: Parts) -> Access:
        """What the operation at ``parts`` needs: its own security, else the document's, else a token."""
        if "security" in operation:
            given, at = items(operation["security"]), (*parts, "security")
        elif "security" in self.document:
            given, at = items(self.document["security"]), ("security",)
        else:
            return Access("required", ())
        keys: set[str] = set()
        for index, requirement in enumerate(given):
            keys |= self._required(mapping(requirement), (*at, index))
        if not all(given) or not given:
            return Access("none", ())
        return Access("required", tuple(sorted(keys)))

    def _required(self, requirement: Mapping[str, Any], parts: Parts) -> set[str]:
        keys: set[str] = set()
        for name, wanted in requirement.items():
            at = (*parts, name)
            scheme = self._schemes.get(name)
            if scheme is None:
                self._find(Severity.WARNING, at, f"no security scheme is named '{name}'; calls need a token")
            elif scheme.kind not in _WITH_SCOPES:
                if wanted:
                    self._find(
                        Severity.INFO, at, f"the scheme '{name}' ({scheme.kind}) has no scopes: its list is ignored"
                    )
                continue
            for key in self._checked(map(str, items(wanted)), at):
                keys.add(key)
                self._use(key, scheme, at)
        if len(keys) > 1:
            listed = ", ".join(sorted(keys))
            self._find(
                Severity.WARNING,
                parts,
                f"the definition asks for all of {listed}; a token with one is let through",
            )
        return keys

    def _use(self, key: str, scheme: _Scheme | None, at: Parts) -> None:
        if key not in self._scopes:
            self._scopes[key] = ""
            if scheme is not None and scheme.kind == "openIdConnect":
                return
            self._find(Severity.WARNING, at, f"the scope '{key}' is used, but no security scheme declares it")

    def _declared(self) -> list[tuple[str, object, Parts]]:
        if "swagger" in self.document:
            at: Parts = ("securityDefinitions",)
            schemes = mapping(self.document.get("securityDefinitions"))
        else:
            at = ("components", "securitySchemes")
            schemes = mapping(mapping(self.document.get("components")).get("securitySchemes"))
        return [(name, value, (*at, name)) for name, value in schemes.items() if not name.startswith("x-")]

    def _scopes_of(self, scheme: Mapping[str, Any], parts: Parts) -> dict[str, str]:
        if scheme.get("type") != "oauth2":
            return {}
        found: dict[str, str] = {}
        places = [(scheme, parts)]
        places += [(mapping(flow), (*parts, "flows", name)) for name, flow in mapping(scheme.get("flows")).items()]
        for holder, at in places:
            scopes = {key: text for key, text in mapping(holder.get("scopes")).items() if not key.startswith("x-")}
            for key in self._checked(scopes, (*at, "scopes"), named=True):
                found[key] = found.get(key) or str(scopes[key] or "")
        return found

    def _checked(self, keys: Iterable[str], at: Parts, *, named: bool = False) -> list[str]:
        good = []
        for index, key in enumerate(keys):
            if is_scope(key) and len(key) <= _LONGEST_KEY:
                good.append(key)
                continue
            reason = f"'{key}' is not a scope: 1 to {_LONGEST_KEY} ASCII characters, no spaces, quotes or backslashes"
            self.problems.append(Problem((*at, key if named else index), reason))
        return good

    def _find(self, severity: Severity, parts: Parts, message: str) -> None:
        finding = Finding(severity=severity, path=pointer_of(parts), message=message)
        if finding not in self.findings:
            self.findings.append(finding)
