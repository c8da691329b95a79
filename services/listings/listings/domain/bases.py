"""Shared practice bases 共享实践基地 of an alliance, counted against what it is to have (R44; S0 三(四), 附件1 二(四)).

The document asks for 1—2 bases that several schools share, in the alliance's universities and in its enterprises, each. It
leaves open what counts as several: we read two.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from listings.domain.names import OrgType

TARGET = (1, 2)
SHARED_BY = 2
"""Schools that share a base, at least."""
SCHOOLS = frozenset(
    {
        OrgType.UNIVERSITY,
        OrgType.HIGHER_VOCATIONAL,
        OrgType.VOCATIONAL_UNDERGRADUATE,
        OrgType.SECONDARY_VOCATIONAL,
        OrgType.SECONDARY_COLLEGE,
    }
)


@dataclass(frozen=True)
class Base:
    """A published practice base of the alliance.

    `host` and `sharing` are types of organizations, its issuer's and those of whoever shares it, each organization once;
    `in_use_since` is None while it is being built.
    """

    name: str
    host: int
    sharing: Sequence[int]
    in_use_since: date | None

    def is_in_use(self, today: date) -> bool:
        """Whether it is in use, and shared by several schools."""
        schools = sum(one in SCHOOLS for one in self.sharing)
        return self.in_use_since is not None and self.in_use_since <= today and schools >= SHARED_BY


@dataclass
class Side:
    """How far one side is."""

    in_use: list[str] = field(default_factory=list)
    coming: list[str] = field(default_factory=list)

    @property
    def reached(self) -> bool:
        """Whether there are as many as the document asks for."""
        return len(self.in_use) >= TARGET[0]


def counted(bases: Iterable[Base], today: date) -> tuple[Side, Side]:
    """The side of the schools and that of the enterprises; bases of others count for neither."""
    schools, enterprises = Side(), Side()
    for base in bases:
        if base.host not in SCHOOLS and base.host != OrgType.ENTERPRISE:
            continue
        side = schools if base.host in SCHOOLS else enterprises
        (side.in_use if base.is_in_use(today) else side.coming).append(base.name)
    return schools, enterprises
