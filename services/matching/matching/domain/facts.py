"""What matching knows of a published listing."""

from dataclasses import dataclass, field
from datetime import date

from matching.domain.seniority import Seniority
from matching.domain.skills import Skill


@dataclass(frozen=True, slots=True)
class Facts:
    """One published listing, as far as matching needs it.

    Attributes:
        name: `listings/{listing}`.
        version: version of the listing that these facts are of.
        issuer: `organizations/{organization}`.
        bodies: bodies that it names.
        kind: name of the listing kind without its prefix, e.g. `JOB_POSITION`.
        visibility: number of the contract's enum; judged outside of the domain.
        regions: GB/T 2260 codes; empty: anywhere.
        industries: GB/T 4754 codes.
        occupations: codes of the 2022 classification, of the posts or looked for.
        valid_from, valid_to: business dates, both inclusive.
        quantity: how many are asked for or offered; at least 1.
        majors, skills: as written, asked for or offered.
        technology: field of technology, as written.
        education: GB/T 4658 code, lowest asked for or reached, also by the title; empty where not stated.
        seniority: experience that is asked for, or brought.
        told: skills that the title and the texts speak of (see `skills`).
        words: weighed words of the title, the labels and the texts (see `text.weigh`).
    """

    name: str
    version: int
    issuer: str
    bodies: tuple[str, ...]
    kind: str
    visibility: int
    regions: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    occupations: tuple[str, ...] = ()
    valid_from: date = date.min
    valid_to: date = date.max
    quantity: int = 1
    majors: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    technology: str = ""
    education: str = ""
    seniority: Seniority = Seniority.UNSAID
    told: tuple[Skill, ...] = ()
    words: dict[str, int] = field(default_factory=dict)
