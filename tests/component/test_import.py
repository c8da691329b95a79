"""Import: a receipt a row, bad rows aside, and a service that is killed in the middle."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import grpc
import pytest

from alliance.common.v1 import access_pb2
from alliance.listings.v1 import listing_pb2
from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance.listings.v1 import person_service_pb2 as people
from alliance.matching.v1 import matching_service_pb2 as matching
from alliance.registry.v1 import organization_pb2
from alliance.registry.v1.registry_service_pb2 import RevokeGrantRequest
from alliance_local.control import Platform
from tests import world
from tests.world import Member, until

_ACCEPTED, _REVISED = rpc.IMPORT_OUTCOME_ACCEPTED, rpc.IMPORT_OUTCOME_REVISED
_UNCHANGED, _REFUSED = rpc.IMPORT_OUTCOME_UNCHANGED, rpc.IMPORT_OUTCOME_REFUSED
_WITHDRAWN = rpc.IMPORT_OUTCOME_WITHDRAWN
_CHUNK = 50


@pytest.fixture
def issuer(platform: Platform) -> Member:
    return world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)


def _row(number: int, key: str, title: str = "封装工程师") -> rpc.ImportRow:
    listing = listing_pb2.Listing(external_key=key, title=title, visibility=listing_pb2.VISIBILITY_PUBLIC)
    listing.job_position.skills.append("封装")
    return rpc.ImportRow(row=number, listing=listing)


def _messages(issuer: Member, rows: Sequence[rpc.ImportRow], **how: Any) -> Iterator[rpc.ImportListingsRequest]:
    usual = {"source": "测试系统", "kind": listing_pb2.LISTING_KIND_JOB_POSITION, "publish": True}
    header = rpc.ImportHeader(issuer=issuer.name, **{**usual, **how})
    yield rpc.ImportListingsRequest(header=header)
    for first in range(0, len(rows), _CHUNK):
        yield rpc.ImportListingsRequest(chunk=rpc.ImportChunk(rows=rows[first : first + _CHUNK]))


def _receipts(issuer: Member, rows: Sequence[rpc.ImportRow], **how: Any) -> Iterator[rpc.ImportReceipt]:
    for answer in issuer.caller.listings.ImportListings(_messages(issuer, rows, **how)):
        yield from answer.receipts


def _outcomes(receipts: Iterator[rpc.ImportReceipt]) -> list[int]:
    return [one.outcome for one in receipts]


def _published(issuer: Member) -> list[str]:
    """External keys of everything that the issuer has published."""
    request, found = rpc.ListListingsRequest(issuer=issuer.name, page_size=1000), []
    while True:
        answer = issuer.caller.listings.ListListings(request)
        found += [one.external_key for one in answer.listings]
        if not answer.next_page_token:
            return found
        request.page_token = answer.next_page_token


def test_a_bad_row_is_refused_and_the_others_are_taken(issuer: Member) -> None:
    rows = [_row(1, "a"), _row(2, ""), _row(3, "c", ""), _row(4, "d")]
    receipts = list(_receipts(issuer, rows))
    assert [one.outcome for one in receipts] == [_ACCEPTED, _REFUSED, _REFUSED, _ACCEPTED]
    assert [[problem.field for problem in one.problems] for one in receipts] == [[], ["external_key"], ["title"], []]
    assert all(problem.message.zh and problem.message.en for one in receipts for problem in one.problems)
    assert sorted(_published(issuer)) == ["a", "d"]


def test_a_row_that_no_database_could_hold_is_refused_and_the_others_are_taken(issuer: Member) -> None:
    rows = [_row(1, "a"), _row(2, "b\x00"), _row(3, "c"), _row(4, "d")]
    rows[2].listing.bodies.append("bodies/\x00")
    rows[3].listing.visibility = 99  # type: ignore[assignment]
    receipts = list(_receipts(issuer, [*rows, _row(5, "e")]))
    assert [one.outcome for one in receipts] == [_ACCEPTED, _REFUSED, _REFUSED, _REFUSED, _ACCEPTED]
    assert [one.problems[0].field for one in receipts[1:4]] == ["external_key", "bodies[0]", "visibility"]
    assert sorted(_published(issuer)) == ["a", "e"]


def test_a_row_that_could_not_be_read_is_told_what_else_is_wrong_and_nothing_of_what_is_unread(issuer: Member) -> None:
    list(_receipts(issuer, [_row(1, "a")]))
    wrong, sound, nul = _row(2, "a", ""), _row(3, "c"), _row(4, "d\x00")
    wrong.listing.job_position.salary.min = 2
    wrong.listing.region_codes.append("没有的地方")
    unread = [
        rpc.UnreadRow(row=wrong, fields=["job_position.salary.max"]),
        rpc.UnreadRow(row=sound, fields=["quantity"]),
        rpc.UnreadRow(row=nul, fields=["quantity"]),
    ]
    header, chunk = _messages(issuer, [_row(1, "b")])
    chunk.chunk.unread_rows.extend(unread)
    (answer,) = issuer.caller.listings.ImportListings(iter([header, chunk]))
    assert [(one.row, one.outcome) for one in answer.receipts] == [(1, _ACCEPTED), *((row, _REFUSED) for row in (2, 3, 4))]
    told = [[problem.field for problem in one.problems] for one in answer.receipts]
    assert told == [[], ["region_codes", "title"], [], ["external_key"]]
    assert sorted(_published(issuer)) == ["a", "b"]


def test_the_same_again_is_unchanged_and_something_else_a_revision(issuer: Member) -> None:
    assert _outcomes(_receipts(issuer, [_row(1, "a"), _row(2, "b")])) == [_ACCEPTED, _ACCEPTED]
    assert _outcomes(_receipts(issuer, [_row(1, "a"), _row(2, "b", "测试工程师")])) == [_UNCHANGED, _REVISED]


def test_a_key_that_stands_twice_is_a_row_and_its_revision(issuer: Member) -> None:
    assert _outcomes(_receipts(issuer, [_row(1, "a"), _row(2, "a", "测试工程师")])) == [_ACCEPTED, _REVISED]
    assert _published(issuer) == ["a"]


def test_a_file_in_which_a_key_stands_twice_is_unchanged_when_it_comes_again(issuer: Member) -> None:
    rows = [_row(1, "a"), _row(2, "b"), _row(3, "a", "测试工程师")]
    list(_receipts(issuer, rows))
    (before,) = issuer.caller.listings.ListListings(rpc.ListListingsRequest(issuer=issuer.name, external_key="a")).listings
    assert before.title == "测试工程师"
    assert _outcomes(_receipts(issuer, rows)) == [_UNCHANGED] * 3
    assert issuer.caller.listings.GetListing(rpc.GetListingRequest(name=before.name)) == before


def test_receipts_come_in_the_order_of_the_chunk(issuer: Member) -> None:
    rows = [_row(9, "a"), _row(3, ""), _row(7, "b\x00"), _row(1, "c"), _row(2, "a", "测试工程师"), _row(1, "d")]
    receipts = list(_receipts(issuer, rows))
    assert [one.row for one in receipts] == [9, 3, 7, 1, 2, 1]
    assert [one.outcome for one in receipts] == [_ACCEPTED, _REFUSED, _REFUSED, _ACCEPTED, _REVISED, _ACCEPTED]


def test_drafts_that_come_again_to_be_published_say_so(issuer: Member) -> None:
    rows = [_row(1, "a"), _row(2, "b")]
    assert _outcomes(_receipts(issuer, rows, publish=False)) == [_ACCEPTED, _ACCEPTED]
    assert _published(issuer) == []
    assert _outcomes(_receipts(issuer, rows[:1])) == [rpc.IMPORT_OUTCOME_PUBLISHED]
    assert _published(issuer) == ["a"]
    assert _outcomes(_receipts(issuer, rows)) == [_UNCHANGED, rpc.IMPORT_OUTCOME_PUBLISHED]


def test_a_row_whose_first_day_is_past_is_valid_from_today_on(issuer: Member) -> None:
    row = _row(1, "a")
    row.listing.valid_from = "2020-01-01"
    assert _outcomes(_receipts(issuer, [row])) == [_ACCEPTED]
    (found,) = issuer.caller.listings.ListListings(rpc.ListListingsRequest(issuer=issuer.name)).listings
    assert found.valid_from == "2020-01-01"
    assert found.valid_to > found.publish_time.ToJsonString()[:10]


def test_a_dry_run_leaves_nothing(issuer: Member) -> None:
    assert _outcomes(_receipts(issuer, [_row(1, "a"), _row(2, "")], dry_run=True)) == [_ACCEPTED, _REFUSED]
    assert _published(issuer) == []


def test_an_export_that_comes_in_again_is_unchanged(issuer: Member) -> None:
    """It says what publication filled in: the dates."""
    list(_receipts(issuer, [_row(1, "a")]))
    (stored,) = issuer.caller.listings.ListListings(rpc.ListListingsRequest(issuer=issuer.name)).listings
    assert stored.valid_to
    assert _outcomes(_receipts(issuer, [rpc.ImportRow(row=1, listing=stored)])) == [_UNCHANGED]
    assert _outcomes(_receipts(issuer, [_row(1, "a")])) == [_UNCHANGED]
    stored.valid_to = "2099-12-31"
    assert _outcomes(_receipts(issuer, [rpc.ImportRow(row=1, listing=stored)])) == [_REVISED]


def test_an_export_of_what_has_no_key_comes_in_again_as_what_it_is_and_is_never_taken_for_another(
    platform: Platform, issuer: Member
) -> None:
    given = _row(1, "").listing
    given.issuer, given.kind = issuer.name, listing_pb2.LISTING_KIND_JOB_POSITION
    name = issuer.caller.listings.CreateListing(rpc.CreateListingRequest(listing=given)).name
    stored = issuer.caller.listings.PublishListing(rpc.PublishListingRequest(name=name))
    row = rpc.ImportRow(row=1, listing=stored)
    assert _outcomes(_receipts(issuer, [row])) == [_UNCHANGED]
    assert _outcomes(iter(_ended(issuer, [row]))) == [_UNCHANGED], "it is known which listing it is"
    row.listing.title = "测试工程师"
    assert _outcomes(_receipts(issuer, [row])) == [_REVISED]
    other = world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    row.listing.issuer = ""
    (refused,) = _receipts(other, [row])
    assert [one.field for one in refused.problems] == ["name"]
    assert issuer.caller.listings.GetListing(rpc.GetListingRequest(name=name)).title == "测试工程师"


def _ended(issuer: Member, rows: Sequence[rpc.ImportRow], unread: Sequence[str] = (), **how: Any) -> list[rpc.ImportReceipt]:
    """Receipts of an import that is told to its end, and withdraws what vanished."""

    def messages() -> Iterator[rpc.ImportListingsRequest]:
        yield from _messages(issuer, rows, **{"withdraw_vanished": True, "reason": "不再招聘", **how})
        yield rpc.ImportListingsRequest(chunk=rpc.ImportChunk(unread_keys=unread))
        yield rpc.ImportListingsRequest(end=rpc.ImportEnd())

    return [one for answer in issuer.caller.listings.ImportListings(messages()) for one in answer.receipts]


def test_what_vanished_from_the_file_is_withdrawn_once_the_file_is_at_its_end(issuer: Member) -> None:
    rows = [_row(number, key) for number, key in enumerate("abcde", 1)]
    list(_receipts(issuer, rows))
    wrong = _row(2, "b", "")
    foreseen = _ended(issuer, [rows[0], wrong], ["c"], dry_run=True)
    assert len(_published(issuer)) == 5
    receipts = _ended(issuer, [rows[0], wrong], ["c"])
    assert receipts == foreseen
    assert [one.outcome for one in receipts] == [_UNCHANGED, _REFUSED, _WITHDRAWN, _WITHDRAWN]
    assert [(one.external_key, one.row) for one in receipts[2:]] == [("d", 0), ("e", 0)]
    assert sorted(_published(issuer)) == ["a", "b", "c"]
    assert _outcomes(iter(_ended(issuer, [rows[0], wrong], ["c"]))) == [_UNCHANGED, _REFUSED]


def test_what_vanished_and_is_back_is_refused_until_it_has_another_key(issuer: Member) -> None:
    list(_receipts(issuer, [_row(1, "a"), _row(2, "b")]))
    withdrawn = _ended(issuer, [_row(1, "a")])[-1]
    assert (withdrawn.external_key, withdrawn.outcome) == ("b", _WITHDRAWN)
    kept, back = _receipts(issuer, [_row(1, "a"), _row(2, "b")])
    assert (kept.outcome, back.outcome) == (_UNCHANGED, _REFUSED)
    (problem,) = back.problems
    assert (problem.field, problem.rule) == ("external_key", "state")
    assert f"{withdrawn.listing} 已撤回" in problem.message.zh
    assert "is withdrawn" in problem.message.en
    assert _published(issuer) == ["a"]
    assert _outcomes(_receipts(issuer, [_row(1, "a"), _row(2, "b-2")])) == [_UNCHANGED, _ACCEPTED]
    assert sorted(_published(issuer)) == ["a", "b-2"]


def test_what_is_fulfilled_is_unchanged_until_its_row_says_something_else(issuer: Member) -> None:
    (name,) = (one.listing for one in _receipts(issuer, [_row(1, "a")]))
    issuer.caller.listings.FulfilListing(rpc.FulfilListingRequest(name=name, reason="已招满"))
    assert _outcomes(_receipts(issuer, [_row(1, "a")])) == [_UNCHANGED]
    (receipt,) = _receipts(issuer, [_row(1, "a", "另一个标题")])
    assert receipt.outcome == _REFUSED
    assert "已达成" in receipt.problems[0].message.zh
    assert _published(issuer) == []


def test_only_of_the_same_source_and_kind_and_only_what_stands(issuer: Member) -> None:
    list(_receipts(issuer, [_row(1, "a"), _row(2, "b")]))
    list(_receipts(issuer, [_row(1, "c")], source="另一系统"))
    intern = _row(1, "d")
    intern.listing.internship.weeks = 8
    list(_receipts(issuer, [intern], kind=listing_pb2.LISTING_KIND_INTERNSHIP))
    list(_receipts(issuer, [_row(3, "e")], publish=False))
    (name,) = (one.listing for one in _receipts(issuer, [_row(1, "a")]))
    issuer.caller.listings.FulfilListing(rpc.FulfilListingRequest(name=name, reason="已招满"))
    withdrawn = [one.external_key for one in _ended(issuer, [_row(1, "f")]) if one.outcome == _WITHDRAWN]
    assert withdrawn == ["b", "e"]


def test_nothing_is_withdrawn_where_a_row_has_no_key_or_the_end_is_not_told(issuer: Member) -> None:
    list(_receipts(issuer, [_row(1, "a"), _row(2, "b")]))
    unclear = [[_row(1, "a"), _row(2, key)] for key in ("", "\0b", "b ", "\u3000", "b\u200b")]
    for rows, unread in [*((rows, list[str]()) for rows in unclear), ([_row(1, "a")], [""])]:
        last = _ended(issuer, rows, unread)[-1]
        assert (last.row, last.outcome) == (0, _REFUSED)
        assert "没有外部编号" in last.problems[0].message.zh
    list(_receipts(issuer, [_row(1, "a")], withdraw_vanished=True, reason="中断"))
    assert sorted(_published(issuer)) == ["a", "b"]


def test_a_file_without_a_row_withdraws_nothing(issuer: Member) -> None:
    list(_receipts(issuer, [_row(1, "a"), _row(2, "b")]))
    (told,) = _ended(issuer, [])
    assert (told.row, told.outcome, told.problems[0].rule) == (0, _REFUSED, "rows")
    assert sorted(_published(issuer)) == ["a", "b"]
    assert _ended(issuer, [], ["a"])[-1].external_key == "b", "one whose row could not be read was there"


@pytest.mark.parametrize("key", [" a", "a\u3000", " ", "a\u200b", "a\tb"])
def test_a_key_that_looks_like_another_is_refused(issuer: Member, key: str) -> None:
    receipts = list(_receipts(issuer, [_row(1, "a"), _row(2, key), _row(3, "a\u3000b")]))
    assert [one.outcome for one in receipts] == [_ACCEPTED, _REFUSED, _ACCEPTED]
    assert [(one.field, one.rule) for one in receipts[1].problems] == [("external_key", "form")]


@pytest.mark.parametrize("reason", ["", "  ", "找 13812345678"])
def test_withdrawing_needs_a_reason_without_personal_data(issuer: Member, reason: str) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        _ended(issuer, [_row(1, "a")], reason=reason)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_nothing_that_comes_in_says_who_is_behind_a_listing(issuer: Member) -> None:
    """Neither a revision nor the reason why listings are withdrawn, both of which outlive the record."""
    (name,) = (one.listing for one in _receipts(issuer, [_row(1, "a")]))
    issuer.caller.people.SetListingPerson(
        people.SetListingPersonRequest(
            listing=name,
            role=people.PERSON_ROLE_CONTACT,
            person=people.Person(display_name="虚构的司马测", phone="010-66660001"),
            legal_basis=people.LEGAL_BASIS_CONTRACT,
            evidence="劳动合同",
        )
    )
    refused, other = _receipts(issuer, [_row(1, "a", "司马测的岗位（虚构的司马测）"), _row(2, "b", "虚构的司马测")])
    assert [(one.field, one.rule) for one in refused.problems] == [("title", "personal-data")]
    assert other.outcome == _ACCEPTED, "it is of another listing, which has no such contact"
    with pytest.raises(grpc.RpcError, match="personal record"):
        _ended(issuer, [_row(2, "b")], reason="虚构的司马测已离职")
    assert sorted(_published(issuer)) == ["a", "b"]
    assert _ended(issuer, [_row(2, "b")], reason="联系人已离职")[-1].external_key == "a"


@pytest.mark.parametrize("requests", [[], [rpc.ImportListingsRequest()], [rpc.ImportListingsRequest(chunk=rpc.ImportChunk())]])
def test_a_stream_that_does_not_begin_with_its_header_is_told_so(
    issuer: Member, requests: list[rpc.ImportListingsRequest]
) -> None:
    with pytest.raises(grpc.RpcError, match="the first message has to be the header") as refused:
        list(issuer.caller.listings.ImportListings(iter(requests)))
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("source", [" 系统", "系统\u3000", "系\u200b统"])
def test_a_source_that_looks_like_another_is_refused(issuer: Member, source: str) -> None:
    with pytest.raises(grpc.RpcError, match="the source begins or ends") as refused:
        list(_receipts(issuer, [_row(1, "a")], source=source))
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_a_client_that_leaves_early_leaves_no_fault_in_the_log(platform: Platform, issuer: Member) -> None:
    log = platform.state.log("listings")
    said = len(log.read_text(encoding="utf-8"))
    for place in range(5):
        rows = [_row(number, f"{place}-{number}") for number in range(20 * _CHUNK)]
        call = issuer.caller.listings.ImportListings(_messages(issuer, rows))
        next(call)
        call.cancel()
    assert _outcomes(_receipts(issuer, [_row(1, "last")])) == [_ACCEPTED]
    told = log.read_text(encoding="utf-8")[said:]
    assert "Traceback" not in told, told[:2000]
    assert "detach" not in told


def test_who_may_import_no_more_is_stopped_and_what_had_a_receipt_stays(platform: Platform) -> None:
    made = world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE, access_pb2.ROLE_AUDITOR)
    editor = world.grant(platform, made.caller.sub, access_pb2.ROLE_ORGANIZATION_EDITOR, organization=made.name)
    rows = [_row(number, f"key-{number:03}") for number in range(3 * _CHUNK)]
    taken: list[rpc.ImportReceipt] = []

    def messages() -> Iterator[rpc.ImportListingsRequest]:
        for place, message in enumerate(_messages(made, rows)):
            if place == 2:  # the first chunk is on its way
                until(lambda: taken)
                world.operator(platform).registry.RevokeGrant(RevokeGrantRequest(name=editor.name, reason="离职"))
                world.settle(platform)
            yield message

    def stopped() -> None:
        for answer in made.caller.listings.ImportListings(messages()):
            taken.extend(answer.receipts)

    with pytest.raises(grpc.RpcError) as denied:
        stopped()
    assert denied.value.code() == grpc.StatusCode.PERMISSION_DENIED
    assert "listings.listings.import" in world.said(denied.value)
    assert _outcomes(iter(taken)) == [_ACCEPTED] * _CHUNK
    assert sorted(_published(made)) == [row.listing.external_key for row in rows[:_CHUNK]]


def test_an_import_that_was_killed_is_done_again_without_doubles(platform: Platform, issuer: Member) -> None:
    rows = [_row(number, f"key-{number}") for number in range(1000)]
    seen: list[rpc.ImportReceipt] = []

    def killed_midway() -> None:
        for receipt in _receipts(issuer, rows):
            seen.append(receipt)
            if len(seen) == 4 * _CHUNK:
                platform.kill("listings")

    with pytest.raises(grpc.RpcError) as broken:
        killed_midway()
    assert broken.value.code() == grpc.StatusCode.UNAVAILABLE

    def again() -> list[rpc.ImportReceipt]:
        try:
            return list(_receipts(issuer, rows))
        except grpc.RpcError:  # not up yet
            return []

    outcomes = {one.external_key: one.outcome for one in until(again, 60)}
    assert all(outcomes[one.external_key] == _UNCHANGED for one in seen), "what had a receipt was committed"
    assert set(outcomes.values()) == {_ACCEPTED, _UNCHANGED}
    assert Counter(_published(issuer)) == Counter(f"key-{number}" for number in range(1000))
    request = matching.SearchListingsRequest(issuer=issuer.name, page_size=1)
    until(lambda: issuer.caller.matching.SearchListings(request).total_size == len(rows))
