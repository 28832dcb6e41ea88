"""The rules file: TOML, checked as a whole at start."""

import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from memlane.contracts.errors import ConfigurationError
from memlane.contracts.identifiers import Identifier, Namespace, is_within

Right = Literal["read", "write"]

EVERYBODY: Final = "*"
_HINT: Final = "see docs/access.md; `memlane access check FILE` tries it"


def _account(name: str) -> str:
    if EVERYBODY in name:
        raise ValueError("an account is named in full, without `*`")
    return name


def _user(pattern: str) -> str:
    if EVERYBODY in pattern[:-1]:
        raise ValueError("`*` stands alone (every user) or at the end (every user that begins so)")
    return pattern


def _namespace(namespace: str) -> str:
    if EVERYBODY in namespace:
        raise ValueError("a namespace means all below it, too; for all namespaces leave the field out")
    return namespace


Account = Annotated[Identifier, AfterValidator(_account)]
UserPattern = Annotated[Identifier, AfterValidator(_user)]
RuleNamespace = Annotated[Namespace, AfterValidator(_namespace)]


class _FileModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(_FileModel):
    """One permission. What no rule allows is denied."""

    accounts: tuple[Account, ...] = Field(min_length=1)
    users: tuple[UserPattern, ...] = Field(min_length=1)
    namespaces: tuple[RuleNamespace, ...] | None = Field(default=None, min_length=1)
    may: tuple[Right, ...] = Field(min_length=1)

    def covers(self, user_id: str | None, namespace: str | None) -> bool:
        """Whether it is about a namespace of a user and all below it.

        Args:
            user_id: None: every user.
            namespace: None: all of that user.
        """
        if not any(_matches(pattern, user_id) for pattern in self.users):
            return False
        if self.namespaces is None:
            return True
        return namespace is not None and any(is_within(namespace, one) for one in self.namespaces)


class AccessRules(_FileModel):
    """A whole file.

    Attributes:
        worker_accounts: may do everything; only their header `principal` is believed.
        gateway_accounts: only their header `on_behalf_of` is honoured.
        rules: everybody else's permissions.
    """

    worker_accounts: tuple[Account, ...] = ()
    gateway_accounts: tuple[Account, ...] = ()
    rules: tuple[Rule, ...] = ()

    @model_validator(mode="after")
    def _is_one_or_the_other(self) -> Self:
        both = sorted(set(self.worker_accounts) & set(self.gateway_accounts))
        if both:
            raise ValueError(f"{both[0]!r} is a worker account and a gateway account: it can be only one")
        return self


def load_rules(path: Path) -> AccessRules:
    """The rules in a file.

    Raises:
        ConfigurationError: it can't be read, or can't work; names the file, the field and what to do.
    """
    try:
        with path.open("rb") as file:
            tree = tomllib.load(file)
    except OSError as error:
        raise ConfigurationError(
            f"the access rules {path} can't be read: {error.strerror}", hint="check MEMLANE_ACCESS_RULES"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the access rules {path} are not TOML: {error}", hint=_HINT) from error
    try:
        return AccessRules.model_validate(tree)
    except ValidationError as error:
        raise _explain(path, error.errors(include_url=False)[0]) from None


def _explain(path: Path, details: ErrorDetails) -> ConfigurationError:
    where = ".".join(str(part) for part in details["loc"]) or "the file"
    problem = "there is no such field" if details["type"] == "extra_forbidden" else details["msg"]
    return ConfigurationError(
        f"the access rules {path}: {where}: {problem.removeprefix('Value error, ')}", hint=_HINT
    )


def _matches(pattern: str, user_id: str | None) -> bool:
    if pattern == EVERYBODY:
        return True
    if user_id is None:
        return False
    return user_id.startswith(pattern[:-1]) if pattern.endswith(EVERYBODY) else user_id == pattern
