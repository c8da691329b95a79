"""Listings: what becomes of the rows of one chunk, those of one key folded in their order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from alliance.listings.v1 import details_pb2
from alliance.listings.v1 import listing_pb2 as pb
from alliance.listings.v1 import listings_service_pb2 as rpc
from chassis.database import Cause, Tx
from chassis.ids import resource
from listings.checks import flagged
from listings.domain.names import STATE_NAMES, Kind, State
from listings.importing import Chunk, identity
from listings.store import ListingRow

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
ACCEPTED, REVISED, UNCHANGED = rpc.IMPORT_OUTCOME_ACCEPTED, rpc.IMPORT_OUTCOME_REVISED, rpc.IMPORT_OUTCOME_UNCHANGED
REFUSED, PUBLISHED = rpc.IMPORT_OUTCOME_REFUSED, rpc.IMPORT_OUTCOME_PUBLISHED


class Run:
    """Chunks one after the other; what one leaves, the next one finds."""

    def __init__(self) -> None:
        self.now = NOW
        self.foreign: frozenset[str] = frozenset()
        self.stored: dict[str, ListingRow] = {}
        self.receipts: list[rpc.ImportReceipt] = []
        self.written: list[ListingRow] = []

    def take(self, *rows: tuple[str, str], publish: bool = True, dry_run: bool = False) -> list[int]:
        """The outcomes of rows of a key and a title."""
        return self.folded(*(job(key, title) for key, title in rows), publish=publish, dry_run=dry_run)

    def folded(
        self,
        *listings: pb.Listing,
        kind: pb.ListingKind.ValueType = pb.LISTING_KIND_JOB_POSITION,
        publish: bool = True,
        dry_run: bool = False,
        withdrawn_stay: bool = False,
    ) -> list[int]:
        """The outcomes of rows."""
        header = rpc.ImportHeader(issuer="organizations/a", source="erp", kind=kind, publish=publish, dry_run=dry_run)
        tx = Tx(cast(Any, None), cast(Any, None), Cause("tester"), self.now, self.now)
        sound = [(rpc.ImportReceipt(row=place, external_key=one.external_key), one) for place, one in enumerate(listings)]
        chunk = Chunk(tx, header, cast(Any, None), withdrawn_stay=withdrawn_stay)
        chunk._foreign = self.foreign
        self.written = chunk.fold(sound, dict(self.stored))
        if not dry_run:
            self.stored |= {identity(row): row for row in self.written}
        self.receipts = [receipt for receipt, _ in sound]
        return [receipt.outcome for receipt in self.receipts]


def job(key: str, title: str) -> pb.Listing:
    details = pb.JobPosition(skills=["封装"])
    return pb.Listing(external_key=key, title=title, visibility=pb.VISIBILITY_PUBLIC, job_position=details)


def test_a_row_that_names_the_same_bodies_in_another_order_is_unchanged() -> None:
    def named(*bodies: str) -> pb.Listing:
        row = job("1", "一月")
        row.bodies.extend(bodies)
        return row

    run, (one, two, three) = Run(), [resource("bodies") for _ in range(3)]
    assert run.folded(named(one, two)) == [ACCEPTED]
    assert run.folded(named(two, one)) == [UNCHANGED]
    assert not run.written
    assert run.folded(named(two, three)) == [REVISED]


def test_a_row_without_dates_is_unchanged_where_the_same_ones_would_be_filled_in() -> None:
    dated = job("1", "一月")
    dated.valid_from, dated.valid_to = "2026-03-02", "2026-08-29"
    run = Run()
    assert run.folded(dated) == [ACCEPTED]
    assert run.folded(job("1", "一月")) == [UNCHANGED]
    run.now += timedelta(days=1)
    assert run.folded(job("1", "一月")) == [REVISED], "they are others today"


def test_a_key_that_stands_twice_is_a_row_and_its_revision_and_then_unchanged() -> None:
    run, rows = Run(), (("a", "一月"), ("b", "其他"), ("a", "二月"), ("a", "三月"))
    assert run.take(*rows) == [ACCEPTED, ACCEPTED, REVISED, REVISED]
    assert {key: (row.version, row.state) for key, row in run.stored.items()} == {"a": (4, 2), "b": (2, 2)}
    assert run.take(*rows) == [UNCHANGED] * 4
    assert run.written == []
    assert all(receipt.listing == run.stored[receipt.external_key].name for receipt in run.receipts)


def test_each_listing_is_written_once_in_its_last_version() -> None:
    run = Run()
    run.take(("a", "一月"), ("a", "二月"))
    assert [(row.version, pb.Listing.FromString(row.content).title) for row in run.written] == [(3, "二月")]


def test_where_the_last_of_a_key_is_new_those_before_it_count_too() -> None:
    run = Run()
    run.take(("a", "一月"))
    assert run.take(("a", "一月"), ("a", "二月")) == [UNCHANGED, REVISED]
    assert run.take(("a", "三月"), ("a", "四月")) == [REVISED, REVISED]
    assert run.take(("a", "三月")) == [REVISED]


def test_a_wrong_row_is_refused_and_no_end_of_its_key() -> None:
    run, rows = Run(), (("a", "一月"), ("a", ""))
    assert run.take(*rows) == [ACCEPTED, REFUSED]
    assert run.take(*rows) == [UNCHANGED, REFUSED]
    assert run.receipts[1].listing == ""
    assert run.written == []


def test_rows_without_a_key_are_refused_each_by_itself() -> None:
    run = Run()
    assert run.take(("", "一月"), ("", "一月"), ("a", "一月")) == [REFUSED, REFUSED, ACCEPTED]


def test_a_row_without_a_key_is_the_listing_without_a_key_that_it_names() -> None:
    run = Run()
    run.take(("a", "一月"))
    entered = replace(run.stored["a"], external_key="", source="")
    message = pb.Listing.FromString(entered.content)
    message.ClearField("external_key")
    message.ClearField("source")
    run.stored = {entered.name: replace(entered, content=message.SerializeToString())}
    assert run.folded(message) == [UNCHANGED]
    message.title = "二月"
    assert run.folded(message, message) == [REVISED, UNCHANGED]
    revised = pb.Listing.FromString(run.stored[entered.name].content)
    assert (revised.name, revised.title, revised.source, revised.external_key) == (entered.name, "二月", "", "")
    message.name = "listings/of-somebody-else"
    assert run.folded(message) == [REFUSED]
    assert [(one.field, one.rule) for one in run.receipts[0].problems] == [("name", "found")]


def test_a_draft_that_comes_again_to_be_published_is_published() -> None:
    run = Run()
    assert run.take(("a", "一月"), publish=False) == [ACCEPTED]
    assert run.take(("a", "一月"), publish=False) == [UNCHANGED]
    assert run.take(("a", "一月")) == [PUBLISHED]
    assert run.receipts[0].listing == run.stored["a"].name
    assert run.stored["a"].state == State.PUBLISHED
    assert run.take(("a", "一月")) == [UNCHANGED]


def test_of_a_draft_that_comes_twice_the_last_row_is_published() -> None:
    run, rows = Run(), (("a", "一月"), ("a", "二月"))
    run.take(*rows, publish=False)
    assert run.take(*rows) == [UNCHANGED, PUBLISHED]
    assert run.take(*rows) == [UNCHANGED, UNCHANGED]


def test_a_draft_that_is_revised_and_published_is_revised() -> None:
    run = Run()
    run.take(("a", "一月"), publish=False)
    assert run.take(("a", "二月")) == [REVISED]
    assert run.stored["a"].state == State.PUBLISHED


@pytest.mark.parametrize(
    ("state", "title"),
    [
        (State.WITHDRAWN, "一月"),
        (State.WITHDRAWN, "二月"),
        (State.EXPIRED, "二月"),
        (State.FULFILLED, "二月"),
    ],
)
def test_a_row_of_what_is_over_is_refused_and_told_how_to_publish_it_anew(state: State, title: str) -> None:
    run = Run()
    run.take(("a", "一月"))
    run.stored["a"].state = state
    assert run.take(("a", title), ("b", "一月"), ("a", title)) == [REFUSED, ACCEPTED, REFUSED]
    assert [row.external_key for row in run.written] == ["b"]
    for receipt in (run.receipts[0], run.receipts[2]):
        (problem,) = receipt.problems
        assert (problem.field, problem.rule) == ("external_key", "state")
        assert run.stored["a"].name in problem.message.zh
        assert STATE_NAMES[state][0] in problem.message.zh
        assert "新的外部编号" in problem.message.zh
        assert STATE_NAMES[state][1] in problem.message.en
        assert "a new external key" in problem.message.en
    assert run.take(("a-2", "一月")) == [ACCEPTED], "what it was told to do"
    assert run.stored["a-2"].state == State.PUBLISHED


@pytest.mark.parametrize("state", [State.FULFILLED, State.EXPIRED])
def test_what_is_fulfilled_or_ran_out_is_unchanged_and_no_revision_is_taken(state: State) -> None:
    run = Run()
    run.take(("a", "一月"))
    run.stored["a"].state = state
    assert run.take(("a", "一月")) == [UNCHANGED]
    assert run.take(("a", "二月"), ("a", "一月")) == [REFUSED, UNCHANGED]
    assert run.written == []


def test_what_ran_out_is_unchanged_after_its_last_day_and_its_revision_has_one_fix() -> None:
    run, row = Run(), job("a", "一月")
    row.valid_to = "2026-03-02"
    assert run.folded(row) == [ACCEPTED]
    run.stored["a"].state, run.now = State.EXPIRED, NOW + timedelta(days=1)
    assert run.folded(row) == [UNCHANGED]
    row.title = "二月"
    assert run.folded(row) == [REFUSED]
    assert [(one.field, one.rule) for one in run.receipts[0].problems] == [("external_key", "state")]


@pytest.mark.parametrize("state", [State.PUBLISHED, State.FULFILLED])
def test_what_is_unchanged_is_not_asked_anew_for_its_bodies(state: State) -> None:
    run, row = Run(), job("a", "一月")
    row.bodies.append("bodies/1")
    assert run.folded(row) == [ACCEPTED]
    run.stored["a"].state, run.foreign = state, frozenset({"bodies/1"})
    assert run.folded(row) == [UNCHANGED]
    row.title = "二月"
    assert run.folded(row) == [REFUSED]


def test_a_draft_is_not_published_in_a_body_that_it_left() -> None:
    run, row = Run(), job("a", "一月")
    row.bodies.append("bodies/1")
    run.folded(row, publish=False)
    run.foreign = frozenset({"bodies/1"})
    assert run.folded(row, publish=False) == [UNCHANGED]
    assert run.folded(row) == [REFUSED]


def test_a_row_without_a_key_of_what_is_over_is_told_to_get_one() -> None:
    run = Run()
    run.take(("a", "一月"))
    row = replace(run.stored["a"], external_key="", source="", state=State.WITHDRAWN)
    message = pb.Listing.FromString(row.content)
    message.ClearField("external_key")
    message.ClearField("source")
    run.stored = {row.name: replace(row, content=message.SerializeToString())}
    assert run.folded(message) == [REFUSED]
    (problem,) = run.receipts[0].problems
    assert (problem.field, problem.rule) == ("name", "state")
    assert "填写外部编号" in problem.message.zh


def test_a_dry_run_names_no_listing_that_it_did_not_enter() -> None:
    run = Run()
    assert run.take(("a", "一月"), ("a", "二月"), dry_run=True) == [ACCEPTED, REVISED]
    assert [receipt.listing for receipt in run.receipts] == ["", ""]
    run.take(("a", "一月"), publish=False)
    assert run.take(("a", "一月"), dry_run=True) == [PUBLISHED]
    assert run.receipts[0].listing == run.stored["a"].name


def test_what_publication_filled_in_is_no_revision_where_a_row_says_it() -> None:
    run = Run()
    run.take(("a", "一月"))
    exported = pb.Listing.FromString(run.stored["a"].content)
    assert exported.valid_to
    assert run.folded(exported) == [UNCHANGED]
    exported.valid_to = "2099-12-31"
    assert run.folded(exported) == [REVISED]


@pytest.mark.parametrize(
    "field", [{"issuer": "organizations/b"}, {"source": "其他系统"}, {"kind": pb.LISTING_KIND_INTERNSHIP}]
)
def test_a_row_that_names_another_issuer_source_or_kind_is_refused(field: dict[str, Any]) -> None:
    run, given = Run(), job("a", "一月")
    given.MergeFrom(pb.Listing(issuer="organizations/a", source="erp", kind=pb.LISTING_KIND_JOB_POSITION))
    assert run.folded(given) == [ACCEPTED]
    given.MergeFrom(pb.Listing(**field))
    assert run.folded(given) == [REFUSED]
    assert [(one.field, one.rule) for one in run.receipts[0].problems] == [(next(iter(field)), "header")]


def test_a_post_that_asks_for_what_it_may_not_is_taken_in_and_flagged() -> None:
    run = Run()
    unfair, sound = job("a", "会计，限女性"), job("b", "会计，性别不限")
    unfair.description = "35岁以下优先"
    assert run.folded(unfair, sound) == [ACCEPTED, ACCEPTED]
    told = [(one.field, one.rule, one.message.zh) for one in run.receipts[0].warnings]
    assert [(field, rule) for field, rule, _ in told] == [
        ("title", "就业促进法第二十七条、妇女权益保障法第四十三条"),
        ("description", "国办发〔2013〕35号"),
    ]
    assert "限女性" in told[0][2]
    assert "35岁以下" in told[1][2]
    assert not run.receipts[1].warnings
    assert not any(one.problems for one in run.receipts)


@pytest.mark.parametrize(("kind", "is_post"), [(Kind.TEACHER_POST, True), (Kind.COURSE, False), (Kind.TALENT_SUPPLY, False)])
def test_only_what_asks_for_people_is_flagged(kind: Kind, is_post: bool) -> None:
    assert bool(flagged(pb.Listing(kind=kind.value, title="限女性"))) == is_post  # type: ignore[arg-type]


def test_a_key_of_another_kind_is_refused_and_what_it_names_stays() -> None:
    run = Run()
    run.take(("a", "一月"))
    run.stored["a"] = replace(run.stored["a"], kind=Kind.COURSE.value)
    before = run.stored["a"]
    assert run.take(("a", "二月"), ("b", "其他")) == [REFUSED, ACCEPTED]
    (problem,) = run.receipts[0].problems
    assert (problem.field, problem.rule) == ("external_key", "immutable")
    assert "LISTING_KIND_COURSE" in problem.message.zh
    assert run.stored["a"] is before


def test_a_row_of_another_source_says_how_sources_are_taken_apart() -> None:
    run, row = Run(), job("a", "一月")
    row.source = "crm"
    assert run.folded(row) == [REFUSED]
    (problem,) = run.receipts[0].problems
    assert (problem.field, problem.rule) == ("source", "header")
    assert "export --source" in problem.message.zh
    assert "export --source" in problem.message.en


def test_a_row_whose_key_and_id_are_of_different_listings_is_refused() -> None:
    run = Run()
    run.take(("a", "一月"), ("b", "二月"))
    row = job("a", "三月")
    row.name = run.stored["b"].name
    assert run.folded(row) == [REFUSED]
    assert [(one.field, one.rule) for one in run.receipts[0].problems] == [("name", "contradiction")]
    row.name = run.stored["a"].name
    assert run.folded(row) == [REVISED]
    row.external_key = "c"
    assert run.folded(row) == [ACCEPTED], "a copy with a new key, as a refusal says"


def test_details_that_are_missing_are_named_as_people_know_them() -> None:
    run, row = Run(), job("a", "一月")
    row.ClearField("job_position")
    assert run.folded(row) == [REFUSED]
    (problem,) = run.receipts[0].problems
    assert problem.field == "job_position"
    assert "job_position" not in problem.message.zh
    assert "职业、最低学历" in problem.message.zh


LIST = pb.LISTING_KIND_TALENT_SUPPLY_DEMAND_LIST


def listed(key: str, of: str, *bodies: str) -> pb.Listing:
    """A row that makes a list public."""
    made = details_pb2.SupplyDemandList(round=f"rounds/{of}")
    return pb.Listing(
        external_key=key, title="清单", visibility=pb.VISIBILITY_PUBLIC, bodies=["bodies/1", *bodies], supply_demand_list=made
    )


def test_a_list_is_made_public_once_by_the_rows_of_a_chunk() -> None:
    run = Run()
    assert run.folded(listed("a", "1"), listed("b", "1"), listed("a", "1"), kind=LIST) == [ACCEPTED, REFUSED, PUBLISHED]
    assert [(one.field, one.rule) for one in run.receipts[1].problems] == [("supply_demand_list.round", "R43")]
    assert set(run.stored) == {"a"}
    assert run.folded(listed("c", "2"), listed("d", "3"), kind=LIST) == [ACCEPTED, ACCEPTED]


def test_a_row_that_is_refused_or_a_withdrawn_one_that_stays_publishes_no_list() -> None:
    run = Run()
    run.foreign = frozenset({"bodies/foreign"})
    assert run.folded(listed("a", "1", "bodies/foreign"), listed("b", "1"), kind=LIST) == [REFUSED, ACCEPTED]
    run.stored["b"].state = State.WITHDRAWN
    rows = listed("b", "1"), listed("c", "1")
    for again in (rows, reversed(rows)):
        before = dict(run.stored)
        assert sorted(run.folded(*again, kind=LIST, withdrawn_stay=True)) == [ACCEPTED, UNCHANGED]
        assert run.stored["c"].state == State.PUBLISHED
        run.stored = before


def test_a_row_whose_key_goes_on_to_another_list_leaves_the_one_before_to_others() -> None:
    run = Run()
    rows = listed("a", "1"), listed("a", "2"), listed("b", "1"), listed("c", "2")
    assert run.folded(*rows, kind=LIST) == [ACCEPTED, REVISED, ACCEPTED, REFUSED]


def test_published_listings_are_not_revised_to_one_list() -> None:
    run = Run()
    run.folded(listed("a", "1"), listed("b", "2"), kind=LIST)
    assert run.folded(listed("a", "3"), listed("b", "3"), kind=LIST, publish=False) == [REVISED, REFUSED]
    assert pb.Listing.FromString(run.stored["b"].content).supply_demand_list.round == "rounds/2"


def test_drafts_of_one_list_are_entered_and_one_of_them_is_published() -> None:
    run, rows = Run(), (listed("a", "1"), listed("b", "1"))
    assert run.folded(*rows, kind=LIST, publish=False) == [ACCEPTED, ACCEPTED]
    assert run.folded(*rows, kind=LIST) == [PUBLISHED, REFUSED]
    assert [run.stored[key].state for key in "ab"] == [State.PUBLISHED, State.DRAFT]
    assert run.folded(listed("c", "2"), listed("b", "2"), kind=LIST) == [ACCEPTED, REFUSED]
    assert run.stored["b"].state == State.DRAFT, "a row that is refused publishes nothing"
