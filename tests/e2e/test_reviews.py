"""Reviews of matches by a person on the running platform: asked for by a side, settled by nobody of either, told to both."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from alliance.common.v1 import access_pb2
from alliance.listings.v1 import listing_pb2, listings_service_pb2
from alliance.matching.v1 import match_pb2, matching_service_pb2, review_service_pb2
from alliance.matching.v1 import review_pb2 as pb
from alliance.notify.v1 import notify_pb2, notify_service_pb2
from alliance.registry.v1 import organization_pb2
from alliance_local.caller import Caller
from alliance_local.control import Platform
from tests import world
from tests.e2e.program import NOT_ALLOWED, Here
from tests.world import Member

_TITLE = "封装可靠性"


@dataclass
class Scene:
    """A match between two members of an alliance, and a person of its secretariat."""

    body: str
    owner: Member
    college: Member
    secretary: Caller
    job: listing_pb2.Listing
    match: match_pb2.Match


@pytest.fixture
def scene(platform: Platform) -> Scene:
    body, council = world.formed_alliance(platform)
    college = world.organization(platform, organization_pb2.ORG_TYPE_UNIVERSITY)
    world.join(platform, body.name, college)
    secretary = world.unique("secretary")
    world.grant(platform, secretary, access_pb2.ROLE_SECRETARIAT, body=body.name)
    title = world.unique(_TITLE)
    job = world.publish(council[0], world.job(council[0].name, title, (body.name,)))
    supply = world.publish(college, world.talent(college.name, title, (body.name,)))
    match = world.matched(council[0], job.name, supply.name)
    return Scene(body.name, council[0], college, Caller(platform, secretary), job, match)


def _requested(scene: Scene, member: Member, reason: str = "不清楚为何推荐") -> pb.Review:
    request = review_service_pb2.RequestReviewRequest(match=scene.match.name, organization=member.name, reason=reason)
    made: pb.Review = member.caller.reviews.RequestReview(request)
    return made


def _settled(caller: Caller, review: str, outcome: Any, reason: str = "专业与岗位不符") -> pb.Review:
    request = review_service_pb2.SettleReviewRequest(name=review, outcome=outcome, reason=reason)
    made: pb.Review = caller.reviews.SettleReview(request)
    return made


def _refused(call: Callable[[], Any]) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as refused:
        call()
    code: grpc.StatusCode = refused.value.code()
    return code


def _state(scene: Scene) -> Any:
    request = matching_service_pb2.GetMatchRequest(name=scene.match.name)
    return scene.college.caller.matching.GetMatch(request).state


def _titles(member: Member) -> list[str]:
    request = notify_service_pb2.ListInboxMessagesRequest(organization=member.name, page_size=1000)
    return [one.title for one in member.caller.notify.ListInboxMessages(request).messages]


def test_an_overturned_match_ends_until_a_listing_changes(platform: Platform, scene: Scene) -> None:
    for side in (scene.owner, scene.college):
        world.subscribe(side, "alliance.matching.review.*.v1", channel=notify_pb2.CHANNEL_INBOX)
        world.subscribe(side, "alliance.matching.match.overturned.v1", channel=notify_pb2.CHANNEL_INBOX)
    world.settle(platform)
    review = _requested(scene, scene.college)
    assert (review.state, review.match.score, review.organization) == (
        pb.REVIEW_STATE_REQUESTED,
        scene.match.score,
        scene.college.name,
    )
    report = scene.secretary.reviews.GetReview(review_service_pb2.GetReviewRequest(name=review.name))
    assert report.recomputation.same, "the same two listings have the same score for ever"
    assert (report.recomputation.score, report.recomputation.algorithm_version) == (
        scene.match.score,
        scene.match.algorithm_version,
    )
    assert report.recomputation.sentence_model
    settled = _settled(scene.secretary, review.name, pb.REVIEW_STATE_OVERTURNED)
    assert (settled.state, settled.finding) == (pb.REVIEW_STATE_OVERTURNED, "专业与岗位不符")
    assert _state(scene) == match_pb2.MATCH_STATE_OVERTURNED
    ended = scene.college.caller.reviews.GetReview(review_service_pb2.GetReviewRequest(name=review.name))
    assert (ended.review, ended.HasField("recomputation")) == (settled, False)
    world.until(lambda: all({"复核结论：撤销", "匹配经复核撤销"} <= set(_titles(one)) for one in (scene.owner, scene.college)))
    steps = scene.college.caller.matching.ExplainMatch(matching_service_pb2.ExplainMatchRequest(name=scene.match.name)).steps
    assert (steps[-1].verb, steps[-1].reason) == ("overturned", "专业与岗位不符")
    changed = listing_pb2.Listing(name=scene.job.name, title=scene.job.title + "高级")
    mask = FieldMask(paths=["title"])
    update = listings_service_pb2.UpdateListingRequest(listing=changed, reason="改标题", update_mask=mask)
    scene.owner.caller.listings.UpdateListing(update)
    world.until(lambda: _state(scene) == match_pb2.MATCH_STATE_PROPOSED)


def test_an_upheld_match_stands(scene: Scene) -> None:
    review = _requested(scene, scene.owner)
    assert _refused(lambda: _requested(scene, scene.college)) is grpc.StatusCode.FAILED_PRECONDITION, "one at a time"
    settled = _settled(scene.secretary, review.name, pb.REVIEW_STATE_UPHELD, "技能与专业相符")
    assert settled.HasField("settle_time")
    assert _state(scene) == match_pb2.MATCH_STATE_PROPOSED
    again = _refused(lambda: _settled(scene.secretary, review.name, pb.REVIEW_STATE_OVERTURNED))
    assert again is grpc.StatusCode.FAILED_PRECONDITION, "it is settled once"
    _requested(scene, scene.college)
    wanted = review_service_pb2.ListReviewsRequest(match=scene.match.name)
    assert len(scene.secretary.reviews.ListReviews(wanted).reviews) == 2


def test_who_may_ask_and_who_may_settle(platform: Platform, scene: Scene) -> None:
    rival = world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    assert _refused(lambda: _requested(scene, rival)) is grpc.StatusCode.NOT_FOUND
    assert _refused(lambda: _requested(scene, scene.college, " ")) is grpc.StatusCode.INVALID_ARGUMENT
    review = _requested(scene, scene.college).name
    for side in (scene.owner, scene.college):
        assert _refused(partial(_settled, side.caller, review, pb.REVIEW_STATE_UPHELD)) is grpc.StatusCode.PERMISSION_DENIED
    torn = Caller(platform, scene.owner.caller.sub)  # without the organization in the token
    world.grant(platform, scene.owner.caller.sub, access_pb2.ROLE_SECRETARIAT, body=scene.body)
    world.settle(platform)
    assert _refused(lambda: _settled(torn, review, pb.REVIEW_STATE_UPHELD)) is grpc.StatusCode.FAILED_PRECONDITION
    unnamed = _refused(lambda: _settled(scene.secretary, review, pb.REVIEW_STATE_REQUESTED))
    assert unnamed is grpc.StatusCode.INVALID_ARGUMENT
    assert _settled(scene.secretary, review, pb.REVIEW_STATE_UPHELD).state == pb.REVIEW_STATE_UPHELD


def test_the_command_line_asks_and_settles(platform: Platform, scene: Scene, tmp_path: Path) -> None:
    asking, reviewing = (Here(platform, tmp_path / one) for one in ("asking", "reviewing"))
    for program in (asking, reviewing):
        program.folder.mkdir()
    asking("login", scene.college.caller.sub, "--as", scene.college.name)
    reviewing("login", scene.secretary.sub)
    made = asking.json("match", "review", "request", scene.match.name, "--reason", "为何推荐")
    assert "与推荐时一致" in reviewing("match", "review", "show", made["name"])
    assert [one["name"] for one in reviewing.json("match", "review", "list", "--body", scene.body)] == [made["name"]]
    settled = reviewing.json("match", "review", "settle", made["name"], "--overturn", "--reason", "理由不成立")
    assert settled["state"] == "REVIEW_STATE_OVERTURNED"
    assert [one["finding"] for one in asking.json("match", "review", "list")] == ["理由不成立"]
    ended = [
        int(one["ended"]) for one in asking.json("match", "stats") if one["lowest"] <= scene.match.score <= one["highest"]
    ]
    assert ended == [1]


def test_a_side_is_told_who_reads_the_evidence_of_its_match(platform: Platform, scene: Scene, tmp_path: Path) -> None:
    rival = world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    asking, outside = Here(platform, tmp_path / "a"), Here(platform, tmp_path / "b")
    for program in (asking, outside):
        program.folder.mkdir()
    asking("login", scene.college.caller.sub, "--as", scene.college.name)
    outside("login", rival.caller.sub, "--as", rival.name)
    told = asking("match", "evidence", scene.match.name, code=NOT_ALLOWED)
    assert "PERMISSION_DENIED" in told
    assert scene.job.name in told.replace("\n", "")
    assert "秘书处" in told
    told = outside("match", "evidence", scene.match.name, code=NOT_ALLOWED)
    assert "matching.matches.get" in told, "who is no side is told of no listing"
    assert scene.job.name not in told.replace("\n", "")


def test_a_match_is_computed_anew_out_of_its_evidence_after_its_listings_have_changed(
    platform: Platform, scene: Scene, tmp_path: Path
) -> None:
    reviewing = Here(platform, tmp_path)
    reviewing("login", scene.secretary.sub)
    changed = listing_pb2.Listing(name=scene.job.name, title=scene.job.title + "（急招）")
    update = listings_service_pb2.UpdateListingRequest(
        listing=changed, reason="改标题", update_mask=FieldMask(paths=["title"])
    )
    before = reviewing.json("match", "evidence", scene.match.name)
    scene.owner.caller.listings.UpdateListing(update)
    assert before["match"]["score"] == scene.match.score
    assert before["demand"]["title"] == scene.job.title
    file = tmp_path / "evidence.json"

    def computed(evidence: dict[str, Any]) -> tuple[int, str]:
        file.write_text(json.dumps(evidence), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "matching.recompute", str(file)], capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    code, told = computed(before)
    assert (code, f"{scene.match.score} 一致" in told) == (0, True), told
    forged = {**before, "match": {**before["match"], "score": 999}}
    assert computed(forged)[0] == 1
    older = {**before, "match": {**before["match"], "algorithm_version": "words-1/index-1"}}
    code, told = computed(older)
    assert (code, "words-1/index-1" in told) == (3, True)
    assert computed({"match": {}})[0] == 2
    version = listings_service_pb2.GetListingVersionRequest(
        name=scene.job.name, version=int(before["match"]["demand_version"])
    )
    assert scene.secretary.listings.GetListingVersion(version).title == scene.job.title
    assert _refused(lambda: scene.college.caller.listings.GetListingVersion(version)) is grpc.StatusCode.NOT_FOUND
    version.version = 99
    assert _refused(lambda: scene.secretary.listings.GetListingVersion(version)) is grpc.StatusCode.NOT_FOUND
