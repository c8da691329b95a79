"""The listing itself, in what the contract can't say: its kind with details of that kind, who sees it, how much of each."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache

from alliance.listings.v1 import listing_pb2 as pb
from chassis.errors import Violation
from listings.checks.contract import written_by_issuers
from listings.domain.names import DETAILS

MAX_TITLE = 200
MAX_DESCRIPTION = 20_000
MAX_BODIES = 20
MAX_INDUSTRIES = 10
MAX_FIELDS = 10
MAX_REGIONS = 40
_KINDS = frozenset(pb.ListingKind.values())
_DETAILS_OF = {int(kind): field for kind, field in DETAILS.items()}


def kind_problems(bare: pb.Listing) -> Iterator[Violation]:
    """Kind, details of that kind, and visibility are there."""
    if bare.kind not in _KINDS or not bare.kind:
        yield Violation("kind", "required", "请填写信息类型", "the kind is required; choose one of ListingKind")
        return
    wanted = _DETAILS_OF[int(bare.kind)]
    given = bare.WhichOneof("details")
    if given and given != wanted:
        yield Violation(
            given,
            "details-kind",
            f"{given} 与信息类型不符；请改填此类型的详情 {wanted}",
            f"{given} does not belong to this kind; fill in its details, {wanted}",
        )
    if not given:
        zh, en = _some_details(wanted)
        yield Violation(
            wanted,
            "required",
            f"此类型须有详情（R38–R53）；请填写至少一项，如{zh}",
            f"this kind needs its details (R38–R53); fill in {wanted}, say {en}",
        )
    if not bare.visibility or bare.visibility not in pb.Visibility.values():
        yield Violation(
            "visibility",
            "required",
            "请填写可见范围：公开、成员可见或政府可见",
            "the visibility is required; choose PUBLIC, MEMBERS or GOVERNMENT",
        )


@cache
def _some_details(name: str) -> tuple[str, str]:
    """The first of a kind's details, as people know them and as the contract does."""
    known = dict(list(written_by_issuers(pb.Listing.DESCRIPTOR.fields_by_name[name].message_type).items())[:3])
    return "、".join(one.zh for one in known.values()), ", ".join(known)


def _too_long(field: str, most: int) -> Callable[[pb.Listing], bool]:
    return lambda bare: len(getattr(bare, field)) > most


_LIMITS: Sequence[tuple[str, str, Callable[[pb.Listing], bool], str, str]] = (
    (
        "title",
        "length",
        lambda bare: bool(bare.title.strip()) and not 2 <= len(bare.title) <= MAX_TITLE,  # required is said already
        f"标题须为 2–{MAX_TITLE} 个字；请补充或缩短",
        f"the title has to have 2 to {MAX_TITLE} characters; say more, or less",
    ),
    # It is the subject of mails.
    (
        "title",
        "one-line",
        lambda bare: len(bare.title.splitlines()) > 1,
        "标题不得换行；请写成一行",
        "the title has to be one line; take the breaks out",
    ),
    (
        "description",
        "length",
        _too_long("description", MAX_DESCRIPTION),
        f"说明不得超过 {MAX_DESCRIPTION} 个字；请缩短",
        f"the description is over {MAX_DESCRIPTION} characters; shorten it",
    ),
    *(
        (field, "range", _too_long(field, most), f"最多 {most} 个{zh}；请删减", f"at most {most} {en}; leave some out")
        for field, most, zh, en in (
            ("bodies", MAX_BODIES, "组织", "bodies"),
            ("region_codes", MAX_REGIONS, "地区", "regions"),
            ("industry_codes", MAX_INDUSTRIES, "行业", "industries"),
            ("field_codes", MAX_FIELDS, "领域", "fields"),
        )
    ),
    (
        "bodies",
        "range",
        lambda bare: len(set(bare.bodies)) < len(bare.bodies),
        "同一组织只填一次；请去掉重复的",
        "name each body once; leave the others out",
    ),
    (
        "bodies",
        "required",
        lambda bare: bare.visibility == pb.VISIBILITY_MEMBERS and not bare.bodies,
        "成员可见的信息须写明组织，否则无人可见；请填写 bodies，或改为公开",
        "for the members of a body it has to name one, or nobody sees it; name the body, or make it public",
    ),
    ("source", "length", _too_long("source", 64), "最多 64 个字符；请缩短", "at most 64 characters; shorten it"),
    (
        "external_key",
        "length",
        _too_long("external_key", 128),
        "最多 128 个字符；请缩短",
        "at most 128 characters; shorten it",
    ),
)


def limit_problems(bare: pb.Listing) -> list[Violation]:
    """What is too short, too long or too many, and bodies that are named twice or not at all."""
    return [Violation(field, rule, zh, en) for field, rule, is_wrong, zh, en in _LIMITS if is_wrong(bare)]
