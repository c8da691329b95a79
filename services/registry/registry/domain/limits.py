"""Thresholds of the rules: settings whose defaults are the clauses' numbers, or marked as ours where a document has none."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """A threshold; `clause` is "" where the number is our default."""

    name: str
    default: int
    clause: str


DEFAULTS: Mapping[str, Limit] = {
    limit.name: limit
    for limit in (
        Limit("vice_chairs_least", 4, "S0 附件1 一"),
        Limit("vice_chairs_most", 5, "S0 附件1 一"),
        Limit("secretariat_staff", 1, ""),
        Limit("councils_a_year", 2, "S0 附件1 二(一)"),
        Limit("community_provinces", 2, ""),
        Limit("community_working_staff", 1, ""),
        Limit("goal_years_least", 3, "S1 一"),
        Limit("goal_years_most", 5, "S1 一"),
        Limit("majors_a_unit", 2, "S4 三(一)"),
        Limit("enrolled_years", 3, "S4 三(一)3"),
        Limit("operating_years", 3, "S4 三(二)2"),
        Limit("deep_cooperation_enterprises", 1, "S3 四"),
        Limit("front_line_training_percent", 60, "S3 七"),
        Limit("practice_hours_percent", 50, "S3 九"),
        Limit("performance_pay_percent", 70, "S3 十五"),
        Limit("front_line_years", 3, "S0 三(二)"),
    )
}
"""Every threshold with its default."""


_LEAST, _MOST = "_least", "_most"


def limits(chosen: Mapping[str, int]) -> dict[str, int]:
    """The thresholds in force. Raises ValueError for a name that is none, a number below 0, or a least above its most."""
    unknown = sorted(set(chosen) - set(DEFAULTS))
    if unknown:
        raise ValueError(f"no thresholds: {', '.join(unknown)}; there are {', '.join(DEFAULTS)}")
    if below := sorted(name for name, number in chosen.items() if number < 0):
        raise ValueError(f"below 0: {', '.join(below)}")
    found = {name: chosen.get(name, limit.default) for name, limit in DEFAULTS.items()}
    pairs = [(name, f"{name.removesuffix(_LEAST)}{_MOST}") for name in found if name.endswith(_LEAST)]
    if crossed := sorted(f"{least} > {most}" for least, most in pairs if found[least] > found[most]):
        raise ValueError(f"no number fits: {', '.join(crossed)}")
    return found
