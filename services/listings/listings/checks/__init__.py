"""What an issuer wrote, checked: `settled` puts codes in place of names and says everything that is wrong.

Split by what is checked: `listing.py` (kind, visibility, title, how many of each), `fields.py` (field after field, by what
`contract.py` knows of it), `values.py` (one value: code, form, choice, number), `relations.py` (fields that don't fit
together), and here the texts that `texts.py` finds: whether they tell of persons, or ask for what they may not (`flagged`).
"""

from collections.abc import Collection

from alliance.listings.v1 import listing_pb2 as pb
from chassis.errors import Violation
from chassis.personal import screen, screen_across
from codes import regions
from listings.checks.fields import field_problems
from listings.checks.listing import kind_problems, limit_problems
from listings.checks.relations import concerns, relation_problems
from listings.checks.texts import published, texts
from listings.checks.values import is_postgraduate
from listings.domain.fairness import unfair


def settled(bare: pb.Listing, unread: Collection[str] = ()) -> list[Violation]:
    """Everything that is wrong with what the issuer wrote, in which codes take the place of names.

    `unread` are fields that could not be read: of them, and of what can't be judged without them, nothing is said.
    """
    if any(map(regions.is_anywhere, bare.region_codes)):
        bare.ClearField("region_codes")  # which is what stands for it
    details = bare.WhichOneof("details")
    found = [*kind_problems(bare), *limit_problems(bare)]
    found += field_problems(bare, "", is_postgraduate=False)
    found += relation_problems(bare, "", unread)
    if details:
        inner, prefix = getattr(bare, details), f"{details}."
        may_be = is_postgraduate(inner) or f"{prefix}education_code" in unread
        found += field_problems(inner, prefix, is_postgraduate=may_be)
        found += relation_problems(inner, prefix, unread)
    for field, value in published(bare):
        found += screen(field, value)
    found += screen_across(bare.title, "description", bare.description)
    return [one for one in found if not concerns(one.field, unread)]


def flagged(bare: pb.Listing) -> list[Violation]:
    """What breaks a rule and is taken in all the same, since only its issuer can say it better."""
    return [
        Violation(
            field,
            demand.attribute.rule,
            f"“{demand.words}”对{demand.attribute.zh}提出要求；请删去，匹配不会考虑",
            f'"{demand.words}" asks for {demand.attribute.en}; take it out, matching never looks at it',
        )
        for field, demand in unfair(bare.kind, texts(bare))
    ]
