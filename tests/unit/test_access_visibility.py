"""Access: who sees a listing, by the predicate in memory and by the condition on columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, Text
from sqlalchemy.dialects.postgresql import ARRAY

from access.visibility import Viewer, may_see, sees
from alliance.listings.v1 import listing_pb2 as pb
from tests.unit.conditions import holds

ISSUER, BODY, OTHER = "organizations/a", "bodies/a", "bodies/b"
DRAFT, PUBLISHED = pb.LISTING_STATE_DRAFT, pb.LISTING_STATE_PUBLISHED
PUBLIC, MEMBERS, GOVERNMENT = pb.VISIBILITY_PUBLIC, pb.VISIBILITY_MEMBERS, pb.VISIBILITY_GOVERNMENT
OVER = (pb.LISTING_STATE_WITHDRAWN, pb.LISTING_STATE_EXPIRED, pb.LISTING_STATE_FULFILLED)
VIEWERS = {
    "anonymous": Viewer(),
    "stranger": Viewer(organization="organizations/b"),
    "member": Viewer(organization="organizations/b", member_bodies=frozenset({BODY})),
    "member elsewhere": Viewer(organization="organizations/b", member_bodies=frozenset({OTHER})),
    "government": Viewer(organization="organizations/g", government=True),
    "secretariat": Viewer(bodies_run=frozenset({BODY})),
    "secretariat elsewhere": Viewer(bodies_run=frozenset({OTHER})),
    "issuer": Viewer(organization=ISSUER),
    "platform": Viewer(platform=True),
}
_INSIDERS = {"secretariat", "issuer", "platform"}
_bodies = st.frozensets(st.sampled_from([BODY, OTHER, "bodies/c"]))
_organizations = st.sampled_from(["", ISSUER, "organizations/b"])
_visibilities = st.sampled_from([*pb.Visibility.values(), 99])
_states = st.sampled_from(pb.ListingState.values())
_viewers = st.builds(Viewer, st.booleans(), _organizations, _bodies, _bodies, st.booleans())


def seen_by(visibility: int, state: int, bodies: tuple[str, ...] = (BODY,)) -> set[str]:
    """Which of the viewers see a listing of the issuer."""
    return {
        name
        for name, viewer in VIEWERS.items()
        if may_see(viewer, issuer=ISSUER, bodies=bodies, visibility=visibility, state=state)
    }


@pytest.mark.parametrize(
    ("visibility", "expected"),
    [
        (PUBLIC, set(VIEWERS)),
        (MEMBERS, _INSIDERS | {"member"}),
        (GOVERNMENT, _INSIDERS | {"government"}),
        (pb.VISIBILITY_UNSPECIFIED, _INSIDERS),
        (99, _INSIDERS),
    ],
)
def test_a_published_listing_is_seen_by_those_it_is_for(visibility: int, expected: set[str]) -> None:
    assert seen_by(visibility, PUBLISHED) == expected


@pytest.mark.parametrize("visibility", [PUBLIC, MEMBERS, GOVERNMENT])
def test_a_draft_is_seen_by_its_issuer_and_the_platform(visibility: int) -> None:
    assert seen_by(visibility, DRAFT) == {"issuer", "platform"}


@pytest.mark.parametrize("visibility", [PUBLIC, MEMBERS, GOVERNMENT])
@pytest.mark.parametrize("state", OVER)
def test_what_is_over_is_seen_by_insiders_only(visibility: int, state: int) -> None:
    assert seen_by(visibility, state) == _INSIDERS


def test_a_listing_that_names_no_body_has_no_members() -> None:
    assert seen_by(MEMBERS, PUBLISHED, ()) == {"issuer", "platform"}


def test_nobody_is_not_the_issuer_of_a_listing_without_one() -> None:
    assert not may_see(Viewer(), issuer="", bodies=(), visibility=MEMBERS, state=PUBLISHED)


@given(
    _viewers,
    _organizations,
    _bodies,
    st.sampled_from([*pb.Visibility.values(), 99]),
    st.sampled_from(pb.ListingState.values()),
)
def test_lists_and_single_reads_decide_alike(
    viewer: Viewer, issuer: str, bodies: frozenset[str], visibility: int, state: int
) -> None:
    condition = sees(
        viewer,
        issuer=Column("issuer", Text),
        bodies=Column("bodies", ARRAY(Text)),
        visibility=Column("visibility", Integer),
        state=Column("state", Integer),
    )
    row = {"issuer": issuer, "bodies": bodies, "visibility": visibility, "state": state}
    assert holds(condition, row) == may_see(viewer, issuer=issuer, bodies=bodies, visibility=visibility, state=state)
