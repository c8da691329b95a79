"""The verdict on one pair: hard conditions first, then a score whose parts add up.

What a listing leaves unsaid is no evidence either way. A feature that one side does not state gets weight 0 and its
weight goes to the texts, the one thing that every listing has, as the pair's rule says (`PairRule.unsaid`); the weights of a
pair still sum to 1000. Skills are the
exception: to name one must never cost, so that each one that a supply does not mention counts a constant (`gap.UNMENTIONED`).
Experience that a post asks for and graduates do not have makes all else count less (`seniority`). A condition breaks only on
what both sides state (`region`, `education`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice, product, takewhile
from typing import NamedTuple, Protocol

from codes import education, industries, majors, occupations, regions
from matching.domain import gap, text
from matching.domain.blend import Closeness
from matching.domain.facts import Facts
from matching.domain.gap import Asked
from matching.domain.pairs import is_demand, rule_of
from matching.domain.seniority import Seniority
from matching.domain.skills import Level

_UNSAID = ("有一方未填写，其权重计入文本", "one side does not state it; its weight goes to the texts")
_NAMED = 6  # most words or codes that a reason names
_FAR, _NEAR = 200, 800  # cosines, in thousandths, of texts that have nothing to do with each other, and that mean the same
_SPREAD = 2  # a closeness of one half is as good as one gets
_SAME_OCCUPATION = (0, 0, 400, 700)  # by how many levels of the classification two share
_SAME_BROAD = 700  # a major and the wider one that holds it, `计算机` and `计算机科学与技术`


class Partner(NamedTuple):
    """The other listing of a pair, and the cosine of the two texts' meanings in thousandths; None where one has none."""

    facts: Facts
    near: int | None = None


class Candidate(NamedTuple):
    """A listing that may fit another, how close their texts are among all texts there are, and how near in meaning."""

    facts: Facts
    closeness: Closeness
    near: int | None = None


class Measure(NamedTuple):
    """How far a pair meets one feature, 0–1000, and why; the words (zh, en) are only made for pairs that are shown.

    `said` is the share of its weight that the feature takes, in thousandths; the rest goes to the texts.
    """

    value: int
    why: Callable[[], tuple[str, str]]
    said: int = 1000


@dataclass(frozen=True)
class Part:
    """One part of a score; `contribution` = weight × value // 1000."""

    feature: str
    weight: int
    value: int
    contribution: int
    zh: str
    en: str


@dataclass(frozen=True)
class Verdict:
    """What came of judging a pair: `broken` names the condition that failed ("" where all hold)."""

    broken: str
    score: int = 0
    parts: tuple[Part, ...] = ()
    gaps: tuple[str, ...] = ()


def broken_condition(demand: Facts, supply: Facts, today: date) -> str:
    """Name of the first hard condition that the pair does not fulfil; "" where it fulfils all."""
    rule = rule_of(demand.kind, supply.kind)
    return next((name for name in rule.conditions if not CONDITIONS[name](demand, supply, today)), "")


def score_of(demand: Facts, supply: Facts, near: int | None = None) -> int:
    """The score of a pair that breaks no condition, without the reasons."""
    return sum(weight * measure.value // 1000 for _, weight, measure in _weighed(demand, supply, near) if measure)


def judge(demand: Facts, supply: Facts, today: date, near: int | None = None) -> Verdict:
    """The verdict on a pair on a business date, near as it is in meaning; the same ones give the same verdict for ever."""
    broken = broken_condition(demand, supply, today)
    if broken:
        return Verdict(broken)
    parts = tuple(_part(*weighed) for weighed in _weighed(demand, supply, near))
    return Verdict("", sum(part.contribution for part in parts), parts, gaps(demand, supply))


def gaps(demand: Facts, supply: Facts) -> tuple[str, ...]:
    """Skills that must be there and are not offered; majors where none of those welcome is offered (one of them is enough)."""
    missing = tuple(one.written for one in gap.asked(demand, supply) if one.level is Level.REQUIRED and not one.is_offered)
    if not _best_major(demand, supply)[0]:
        missing += demand.majors
    return missing


def _weighed(demand: Facts, supply: Facts, near: int | None) -> list[tuple[str, int, Measure | None]]:
    """Each feature of the pair's rule with the weight that it has for this pair."""
    rule = rule_of(demand.kind, supply.kind)
    measures = {name: _meaning(near) if name == "meaning" else FEATURES[name](demand, supply) for name in rule.weights}
    weights = {name: rule.weights[name] * measure.said // 1000 if measure else 0 for name, measure in measures.items()}
    if "meaning" in rule.unsaid:
        unsaid = sum(rule.weights.values()) - sum(weights.values())
        weights["meaning"] += unsaid * weights["meaning"] // (weights["text"] + weights["meaning"])
    weights["text"] += sum(rule.weights.values()) - sum(weights.values())
    if lost := rule.inexperience.get(demand.seniority, 0) if supply.seniority is Seniority.FRESH else 0:
        weights = {name: weight * (1000 - lost) // 1000 for name, weight in weights.items()}
        weights["text"] += 1000 - lost - sum(weights.values())
    found: list[tuple[str, int, Measure | None]] = [(name, weights[name], measure) for name, measure in measures.items()]
    return [*found, ("seniority", lost, _seniority(demand, is_clash=lost > 0))] if rule.inexperience else found


def _part(name: str, weight: int, measure: Measure | None) -> Part:
    if measure is None:
        return Part(name, 0, 0, 0, *_UNSAID)
    return Part(name, weight, measure.value, weight * measure.value // 1000, *measure.why())


def sides(one: Facts, other: Facts) -> tuple[Facts, Facts]:
    """The pair as (demand, supply)."""
    return (one, other) if is_demand(one.kind) else (other, one)


def best(facts: Facts, candidates: Iterable[Candidate], today: date, threshold: int, most: int) -> list[Partner]:
    """The listings that fit this one, best first, out of the first `most` candidates that break no condition.

    Whether one fits is said by its score, which is the pair's own. Among those that fit, closeness stands in the place of the
    two parts that are of texts: it knows which words say something among all that are published.
    """
    ranked = [found for one in islice(able(facts, candidates, today), most) if (found := _ranked(facts, one, threshold))]
    return [partner for _, partner in sorted(ranked, key=lambda one: -one[0])]


def able(facts: Facts, candidates: Iterable[Candidate], today: date) -> Iterator[Candidate]:
    """Those of a listing's candidates that break no condition."""
    return (one for one in candidates if not broken_condition(*sides(facts, one.facts), today))


def _ranked(facts: Facts, one: Candidate, threshold: int) -> tuple[int, Partner] | None:
    """What a candidate is ranked by, in millionths; None where it does not fit."""
    weighed = _weighed(*sides(facts, one.facts), one.near)
    parts = {name: (weight, weight * measure.value // 1000) for name, weight, measure in weighed if measure}
    if sum(contribution for _, contribution in parts.values()) < threshold:
        return None
    of_texts = sum(parts.pop(name, (0, 0))[0] for name in ("text", "meaning"))
    rest = sum(contribution for _, contribution in parts.values())
    return 1000 * rest + of_texts * one.closeness.total * _SPREAD // 1000, Partner(one.facts, one.near)


# Hard conditions


def _different_issuers(demand: Facts, supply: Facts, today: date) -> bool:
    return demand.issuer != supply.issuer


def _both_valid(demand: Facts, supply: Facts, today: date) -> bool:
    return all(side.valid_from <= today <= side.valid_to for side in (demand, supply))


def _regions_meet(demand: Facts, supply: Facts, today: date) -> bool:
    if not demand.regions or not supply.regions:
        return True
    return any(regions.compatible(one, other) for one, other in product(demand.regions, supply.regions))


def _education_reached(demand: Facts, supply: Facts, today: date) -> bool:
    if not demand.education or not supply.education:
        return True
    return education.level(supply.education) >= education.level(demand.education)


CONDITIONS: Mapping[str, Callable[[Facts, Facts, date], bool]] = {
    "issuers": _different_issuers,
    "validity": _both_valid,
    "region": _regions_meet,
    "education": _education_reached,
}


# Features: None where one side says nothing about it


def _text(demand: Facts, supply: Facts) -> Measure:
    def why() -> tuple[str, str]:
        shared = text.shared_phrases(demand.words, supply.words, _NAMED)
        if not shared:
            return "文本没有共同用词", "the texts share no words"
        return f"共同用词：{'、'.join(shared)}", f"shared words: {', '.join(shared)}"

    return Measure(text.overlap(demand.words, supply.words), why)


def _meaning(near: int | None) -> Measure | None:
    """How near the texts are in meaning, also where they share no word."""
    if near is None:
        return None
    value = min(1000, max(0, 1000 * (near - _FAR) // (_NEAR - _FAR)))
    return Measure(value, lambda: (f"语义相近度 {near / 1000:.2f}", f"nearness in meaning {near / 1000:.2f}"))


def _majors(demand: Facts, supply: Facts) -> Measure | None:
    """The best pair of majors: one of those welcome is enough."""
    if not demand.majors or not supply.majors:
        return None
    value, asked, offered = _best_major(demand, supply)
    if not value:
        return Measure(0, lambda: ("专业不符", "no major in common"))
    return Measure(value, lambda: (f"专业相符：{asked} ↔ {offered}", f"majors meet: {asked} ↔ {offered}"))


def _best_major(demand: Facts, supply: Facts) -> tuple[int, str, str]:
    pairs = product(demand.majors, supply.majors)
    return max(((_same_major(asked, offered), asked, offered) for asked, offered in pairs), default=(0, "", ""))


def _same_major(asked: str, offered: str) -> int:
    """1000 for the same name or code, less where one holds the other: by the catalogue (`计算机类` and `软件工程`), or by its
    beginning where it is none of the catalogue's (`计算机` and `计算机科学与技术`).
    """
    if text.label(asked)[0] == text.label(offered)[0]:
        return 1000
    if majors.holds(asked, offered) or majors.holds(offered, asked):
        return _SAME_BROAD
    short, long = sorted((text.label(one.removesuffix("类"))[0] for one in (asked, offered)), key=len)
    is_free = len(short) > 1 and not majors.codes_of(short)
    return _SAME_BROAD if is_free and long.startswith(short) else 0


def _skills(demand: Facts, supply: Facts) -> Measure | None:
    """What of the skills asked for is offered; what is not mentioned is unknown, so that to name a skill never hurts."""
    share = gap.share(demand, supply)
    if share is None:
        return None
    is_silent = not supply.skills and not supply.told
    return Measure(share.value, lambda: _why_skills(gap.asked(demand, supply), is_silent=is_silent), share.said)


def _why_skills(wanted: Sequence[Asked], *, is_silent: bool) -> tuple[str, str]:
    zh, en = [], []
    for level, of_level, of_level_en in (
        (Level.REQUIRED, "技能满足", "skills met"),
        (Level.PREFERRED, "优先项满足", "preferred met"),
    ):
        if some := [one for one in wanted if one.level is level]:
            met = [one.written for one in some if one.is_offered]
            counted = f"{len(met)}/{len(some)}"
            zh.append(f"{of_level} {counted}" + (f"：{'、'.join(met[:_NAMED])}" if met else ""))
            en.append(f"{of_level_en} {counted}" + (f": {', '.join(met[:_NAMED])}" if met else ""))
    if lacking := [one.written for one in wanted if one.is_lacking][:_NAMED]:
        zh.append(f"供方写明不具备：{'、'.join(lacking)}")
        en.append(f"the supply says it lacks: {', '.join(lacking)}")
    if unmentioned := sum(not one.is_offered and not one.is_lacking for one in wanted):
        is_silent = is_silent and unmentioned == len(wanted)
        worth = f"{gap.UNMENTIONED / 1000:.1f}"
        zh.append(
            f"供方{'未填写任何技能' if is_silent else f'未提及 {unmentioned} 项'}，未提及不视为不具备，每项按 {worth} 计"
        )
        en.append(
            f"the supply {'says nothing of skills' if is_silent else f'does not mention {unmentioned}'};"
            f" that is unknown, not lacking, and counts {worth} each"
        )
    return "；".join(zh), "; ".join(en)


def _seniority(demand: Facts, *, is_clash: bool) -> Measure:
    """Nothing where a post asks for experience and graduates bring none; else all, without a weight."""
    if not is_clash:
        return Measure(1000, lambda: ("经验要求无冲突", "no experience is asked for that is not there"))
    leads = demand.seniority is Seniority.LEADING
    zh, en = ("负责人级岗位", "a leading post") if leads else ("岗位要求工作经验", "the post asks for experience")
    return Measure(
        0, lambda: (f"{zh} ↔ 应届毕业生，其余各项按比例降低", f"{en} ↔ fresh graduates; all other parts count less")
    )


def _technology(demand: Facts, supply: Facts) -> Measure | None:
    """The share of the shorter field's words that stand in the other."""
    if not demand.technology or not supply.technology:
        return None
    return Measure(
        _same_field(demand.technology, supply.technology),
        lambda: (
            f"技术领域：{demand.technology} ↔ {supply.technology}",
            f"fields of technology: {demand.technology} ↔ {supply.technology}",
        ),
    )


def _same_field(asked: str, offered: str) -> int:
    if text.normal(asked) == text.normal(offered):
        return 1000
    left, right = frozenset(text.words(asked)), frozenset(text.words(offered))
    least = min(len(left), len(right))
    return 1000 * len(left & right) // least if least else 0


def _region(demand: Facts, supply: Facts) -> Measure | None:
    """The same area 1000; one in the other 800; the same city 500, the same province 300."""
    if not demand.regions or not supply.regions:
        return None
    value, asked, offered = max((_closeness(one, other), one, other) for one, other in product(demand.regions, supply.regions))
    return Measure(value, lambda: _met("地区", "regions", _named(regions, asked), _named(regions, offered)))


def _closeness(one: str, other: str) -> int:
    if one == other:
        return 1000
    if regions.compatible(one, other):
        return 800
    if one[:4] == other[:4]:
        return 500
    return 300 if one[:2] == other[:2] else 0


def _education(demand: Facts, supply: Facts) -> Measure | None:
    """What is asked for 1000; every level above it 200 less, down to 600: more than enough still fits."""
    if not demand.education or not supply.education:
        return None
    above = education.level(supply.education) - education.level(demand.education)
    asked, offered = _named(education, demand.education), _named(education, supply.education)
    return Measure(max(1000 - 200 * above, 600), lambda: _met("学历", "education", asked, offered))


def _industry(demand: Facts, supply: Facts) -> Measure | None:
    """The same code, or one that holds the other, 1000; else 250 for each level that the two paths share."""
    if not demand.industries or not supply.industries:
        return None
    value, asked, offered = max(
        (_kinship(one, other), one, other) for one, other in product(demand.industries, supply.industries)
    )
    return Measure(value, lambda: _met("行业", "industries", _named(industries, asked), _named(industries, offered)))


def _kinship(one: str, other: str) -> int:
    left, right = industries.path(one), industries.path(other)
    shared = sum(1 for a, b in zip(left, right, strict=False) if a == b)
    return 1000 if shared == min(len(left), len(right)) else 250 * shared


def _occupation(demand: Facts, supply: Facts) -> Measure | None:
    """The same code, or a minor group that holds the other, 1000; the same minor group 小类 700, the same middle one 中类 400.
    What shares no more than the widest groups (`专业技术人员`) may be anything.
    """
    if not demand.occupations or not supply.occupations:
        return None
    pairs = product(demand.occupations, supply.occupations)
    value, asked, offered = max((_same_occupation(one, other), one, other) for one, other in pairs)
    return Measure(value, lambda: _met("职业", "occupations", _named(occupations, asked), _named(occupations, offered)))


def _same_occupation(one: str, other: str) -> int:
    left, right = one.split("-"), other.split("-")
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))
    return 1000 if shared == min(len(left), len(right)) > 2 else _SAME_OCCUPATION[shared]


class _Table(Protocol):
    def name(self, code: str) -> str: ...


def _named(table: _Table, code: str) -> str:
    return f"{table.name(code)}（{code}）"


def _met(zh: str, en: str, asked: str, offered: str) -> tuple[str, str]:
    return f"{zh}：{asked} ↔ {offered}", f"{en}: {asked} ↔ {offered}"


FEATURES: Mapping[str, Callable[[Facts, Facts], Measure | None]] = {
    "text": _text,
    "majors": _majors,
    "skills": _skills,
    "technology": _technology,
    "occupation": _occupation,
    "region": _region,
    "education": _education,
    "industry": _industry,
}
