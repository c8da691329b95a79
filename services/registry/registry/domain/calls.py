"""Calls 征集、遴选: when a programme takes applications, as far as the documents say."""

from collections.abc import Callable, Mapping
from datetime import date

from registry.domain.names import BodyKind, BodyState, Programme
from registry.domain.procedure import ALWAYS, State, Window


def _community(year: int) -> Window:
    """S2 五: 2023-07-30 to 2023-10-31; from 2024 on every year from 01-01 to 10-31."""
    if year < 2023:
        return Window(date(year + 1, 1, 1), date(year, 12, 31))  # there was none: no day lies in it
    return Window(date(2023, 7, 30) if year == 2023 else date(year, 1, 1), date(year, 10, 31))


def _pilot(year: int) -> Window:
    """S4 四(一): the call of 2025 closed on 2025-04-18; those of other years are for the authority to set."""
    return Window(None, date(2025, 4, 18)) if year == 2025 else ALWAYS


_WINDOWS: Mapping[Programme, Callable[[int], Window]] = {
    Programme.COMMUNITY: _community,
    Programme.PILOT: _pilot,
    Programme.SUPPORT: _pilot,
}


def window(programme: Programme, year: int) -> Window:
    """The window that the documents set; open where they set none."""
    return _WINDOWS[programme](year) if programme in _WINDOWS else ALWAYS


CLOSING: Mapping[Programme, str] = {Programme.PILOT: "S4 四(一)", Programme.SUPPORT: "S4 四(一)"}
"""Programmes whose applications are due by a day that each call names, by which clause; calls of others may stay open."""

BODIES: Mapping[Programme, tuple[frozenset[BodyKind], frozenset[BodyState]]] = {
    Programme.COMMUNITY: (frozenset({BodyKind.COMMUNITY}), frozenset({BodyState.DRAFT})),
    Programme.PILOT: (frozenset({BodyKind.PILOT_UNIT}), frozenset({BodyState.DRAFT})),
    Programme.SUPPORT: (frozenset({BodyKind.SUPPORT_UNIT}), frozenset({BodyState.DRAFT})),
    Programme.CONSORTIUM: (frozenset({BodyKind.CONSORTIUM}), frozenset({BodyState.DRAFT})),
    Programme.CHALLENGE: (
        frozenset({BodyKind.ALLIANCE, BodyKind.COMMUNITY, BodyKind.CONSORTIUM}),
        frozenset({BodyState.FORMED}),
    ),
    Programme.MEETING: (frozenset({BodyKind.ALLIANCE}), frozenset({BodyState.FORMED})),
    Programme.PERFORMANCE: (frozenset({BodyKind.ALLIANCE}), frozenset({BodyState.FORMED})),
}
"""The bodies that a programme's applications are for, and in which states; programmes that are not here have none."""

FORMING = frozenset({Programme.COMMUNITY, Programme.PILOT, Programme.SUPPORT, Programme.CONSORTIUM})
"""Programmes that form the body: it has one application at a time."""
FORMED_BY_APPLICATION = frozenset(kind for programme in FORMING for kind in BODIES[programme][0])
"""Kinds of bodies that such a programme forms; the platform alone may enter one that was formed without."""
HANDED_IN = frozenset({State.SEALING, State.SUBMITTED, State.QUALIFIED, State.IN_REVIEW, State.REPORTED})
"""States in which others seal or judge what such an application says of its body: the body stays as it was handed in."""
SHARED = frozenset({Programme.COMMUNITY, Programme.CONSORTIUM, Programme.CHALLENGE, Programme.MEETING})
"""Programmes whose applications the members of the body, and its task force, may read."""

AMONG_RIVALS = frozenset({Programme.CHALLENGE})
"""Shared ones in which members hand in papers against each other: those are for whom they answer, and for no other member
until it is in the team (校企联合攻关)."""
ONCE_A_YEAR = frozenset({Programme.PERFORMANCE})
"""Programmes that an organization of a body goes through once a year (S0 四(三): 年度绩效)."""
BY_LEAD_DEPARTMENT = frozenset({Programme.PERFORMANCE})
"""Programmes that a lead department of the alliance decides on alone (S0 四(三): 专班牵头部门)."""
OF_GOVERNMENT = frozenset(
    {
        *(Programme.COMMUNITY, Programme.CERTIFICATION, Programme.EVALUATION),
        *(Programme.PERFORMANCE, Programme.MAJOR_ADJUSTMENT),
    }
)
"""Programmes that the documents give to departments (S2 五; S3 四, 十六; S0 四(三)); the calls of a consortium (S1) and of a
pilot (S4) are a centre's, an intake's a university's."""
OF_UNIVERSITY = frozenset({Programme.EMPLOYEE_INTAKE})
"""Programmes that a university decides on: it alone awards the master's and doctoral degrees that they are for (S0 三(二):
专业硕士、博士学位研究生)."""
ALSO_LATE = frozenset({Programme.PERFORMANCE})
"""Programmes that everybody has to go through: their calls only say by when, and what comes later is late, and taken."""
BEGUN_BY_AUTHORITY = frozenset({Programme.EVALUATION, Programme.PERFORMANCE, Programme.MAJOR_ADJUSTMENT})
"""Programmes that the authority may begin, too."""
WARNING = frozenset({Programme.MAJOR_ADJUSTMENT})
"""Of these, those that it begins as a warning: that is no application, so no call's window is for it."""
