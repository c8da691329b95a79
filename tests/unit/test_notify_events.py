"""Notify: which events a subscription is for, and what people read."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

import pytest

from alliance.listings.v1 import feed_pb2, listing_pb2
from alliance.listings.v1.events_pb2 import FeedEvent, ListingEvent
from alliance.matching.v1 import match_pb2, review_pb2
from alliance.notify.v1 import notify_pb2 as pb
from alliance.registry.v1 import application_pb2 as registry_pb
from alliance.registry.v1 import body_pb2
from alliance.registry.v1.events_pb2 import ApplicationEvent, BodyEvent
from alliance.reporting.v1 import report_pb2
from alliance.reporting.v1.events_pb2 import ReportEvent
from chassis import topics
from chassis.personal import screen
from chassis.record import Record
from notify.abouts import TOPICS, subscribable, told
from notify.abouts import about as about_of
from notify.domain import texts
from notify.domain.events import About, Audience, Filter, known_patterns, patterns
from notify.domain.texts import title_and_text
from notify.mapping import NOW, about_json, abouts_of_json, now_json, subscription_problems
from notify.shown import is_told

PROPOSED = "alliance.matching.match.proposed.v1"
ANY_MATCH = "alliance.matching.match.*.v1"


def about(event_type: str = PROPOSED, **more: Any) -> About:
    return About("event", event_type, "matches/a", **more)


def test_a_type_is_named_by_itself_or_for_all_its_verbs() -> None:
    assert patterns(PROPOSED) == (PROPOSED, ANY_MATCH)
    assert known_patterns([PROPOSED, "alliance.matching.match.accepted.v1"]) == {
        PROPOSED,
        "alliance.matching.match.accepted.v1",
        ANY_MATCH,
    }


@pytest.mark.parametrize("name", TOPICS)
def test_every_type_of_a_subscribable_topic_can_be_named(name: str) -> None:
    topic = topics.load().named(name)
    assert {topic.type_of(verb) for verb in topic.types} <= subscribable()


@pytest.mark.parametrize("name", ["*", "alliance.*", "alliance.matching.*.v1", "alliance.matching.match.proposed.v2", ""])
def test_nothing_wider_can_be_named(name: str) -> None:
    assert name not in subscribable()


@pytest.mark.parametrize(
    ("wanted", "takes"),
    [
        (Filter(), True),
        (Filter(body="bodies/a"), True),
        (Filter(body="bodies/b"), False),
        (Filter(listing_kinds=frozenset({5, 6})), True),
        (Filter(listing_kinds=frozenset({6})), False),
        (Filter(organization="organizations/a"), True),
        (Filter(organization="organizations/b"), False),
        (Filter("bodies/a", frozenset({5}), "organizations/a"), True),
        (Filter("bodies/a", frozenset({5}), "organizations/b"), False),
    ],
)
def test_a_filter_narrows_by_everything_that_it_names(wanted: Filter, takes: bool) -> None:
    event = about(bodies=frozenset({"bodies/a"}), listing_kind=5, organizations=frozenset({"organizations/a"}))
    assert wanted.takes(event) is takes


@pytest.mark.parametrize("english", [True, False])
@pytest.mark.parametrize("topic", TOPICS)
def test_every_event_has_a_text(topic: str, english: bool) -> None:
    declared = topics.load().named(topic)
    for verb in declared.types:
        title, text = title_and_text(about(declared.type_of(verb)), {}, "", english=english)
        assert title
        assert text
        assert "{" not in title + text
        assert bool(re.search("[一-鿿]", title + text)) is not english


def test_texts_belong_to_types_that_there_are() -> None:
    known = {one.removeprefix("alliance.").removesuffix(".v1") for one in subscribable()}
    assert {".".join(one.split(".")[:3]) for one in texts._TEXTS} <= known


def test_a_fact_that_is_not_known_reads_as_a_dash() -> None:
    title, text = title_and_text(
        about("alliance.reporting.deadline.due.v1", facts={"title": "信息报送"}), {}, "", english=False
    )
    assert (title, text) == ("今日截止：信息报送", "—：信息报送（—）今日截止。")


def test_braces_in_what_people_wrote_stay_as_they_are() -> None:
    event = about("alliance.listings.listing.published.v1", facts={"title": "{0} {secret.__class__}", "issuer": "甲"})
    assert title_and_text(event, {}, "", english=False)[0] == "新发布：{0} {secret.__class__}"


def test_what_a_delivery_keeps_of_an_event_is_all_of_it() -> None:
    event = about(bodies=frozenset({"bodies/b", "bodies/a"}), organizations=frozenset({"organizations/a"}), facts={"a": "b"})
    assert abouts_of_json(about_json(event)) == [event]
    later = about(visibility=3, bodies=frozenset({"bodies/c"}), audience=Audience.VIEWERS, shown=True)
    then, now = abouts_of_json({**about_json(event), NOW: now_json(later)})
    assert then == event
    assert now == replace(event, visibility=3, bodies=frozenset({"bodies/c"}), shown=True)


def test_what_waits_is_judged_by_what_came_after_it() -> None:
    """A listing that has ended is shown to nobody any more, but that it has is told; and who is released."""
    came, gone = (
        About("e", f"alliance.listings.listing.{verb}.v1", "listings/a", audience=Audience.VIEWERS, shown=True)
        for verb in ("published", "withdrawn")
    )
    after = replace(gone, type="alliance.listings.listing.assigned.v1", shown=False)
    assert [one.shown for one in abouts_of_json({**about_json(came), NOW: now_json(gone)})] == [True, False]
    assert [one.shown for one in abouts_of_json({**about_json(gone), NOW: now_json(after)})] == [True, True]
    first = about(organizations=frozenset({"organizations/a", "organizations/b"}), audience=Audience.PARTIES)
    later = replace(first, organizations=frozenset({"organizations/a"}))
    assert abouts_of_json({**about_json(first), NOW: now_json(later)}) == [first, later]
    assert now_json(about()) == {}, "of a match the sides stay"


def application(*steps: tuple[str, str], programme: Any = registry_pb.PROGRAMME_PILOT, reason: str = "") -> Record:
    """The record of the newest of an application's steps, each with the state after it."""
    message = registry_pb.Application(
        name="applications/a",
        programme=programme,
        display_name="虚构示例申报",
        applicant="organizations/applicant",
        authority="organizations/authority",
        body="bodies/b",
    )
    for step, state in steps:
        number: Any = registry_pb.ApplicationState.Value(f"APPLICATION_STATE_{state}")
        message.state = number
        taken = message.steps.add(step=step, state=number, actor="somebody", named_principal="expert", reason=reason)
        taken.organization = "" if step == "lapse" else "organizations/authority"
        taken.named_organization = "organizations/named"
        taken.released.extend(["expert who left"])
        taken.title.zh, taken.title.en = f"步骤{step}", step
    topic, event = "alliance.internal.registry.application.v1", ApplicationEvent(application=message)
    kind = "alliance.registry.application.stepped.v1"
    return Record(topic, 0, 0, message.name, 3, kind, "e1", datetime(2026, 3, 2, tzinfo=UTC), event, "")


@pytest.mark.parametrize(
    ("steps", "reason", "title", "text"),
    [
        (
            [("submit", "SUBMITTED")],
            "",
            "步骤submit：虚构示例申报",
            "主管 已办理“虚构示例申报”（试点单位遴选）的“步骤submit”，现为“已提交”。",
        ),
        (
            [("return", "RETURNED")],
            "缺材料",
            "退回：虚构示例申报",
            "主管 将“虚构示例申报”（试点单位遴选）退回。原因：缺材料。请补正后再次提交。",
        ),
        (
            [("submit", "SUBMITTED"), ("select", "RUNNING")],
            "",
            "结果：虚构示例申报——步骤select",
            "主管 对“虚构示例申报”（试点单位遴选）作出决定：步骤select，现为“建设中”。",
        ),
        (
            [("select", "RUNNING"), ("summarise", "RUNNING")],
            "",
            "步骤summarise：虚构示例申报",
            "主管 已办理“虚构示例申报”（试点单位遴选）的“步骤summarise”，现为“建设中”。",
        ),
        (
            [("lapse", "LAPSED")],
            "逾期失效",
            "逾期失效：虚构示例申报",
            "“虚构示例申报”（试点单位遴选）未在期限内提交，已失效。",
        ),
    ],
)
def test_a_step_reads_by_what_it_means_to_the_applicant(
    steps: list[tuple[str, str]], reason: str, title: str, text: str
) -> None:
    found = about_of(application(*steps, reason=reason))
    assert title_and_text(found, {"organizations/authority": "主管"}, "", english=False) == (title, text)


def test_a_silent_feed_reads_since_when_it_is_and_why() -> None:
    feed = feed_pb2.Feed(name="feeds/a", display_name="虚构示例接口", issuer="organizations/a")
    feed.silent_since_time.FromDatetime(datetime(2026, 3, 2, 12, 5, tzinfo=UTC))
    feed.last_error.zh = "对方返回 HTTP 503"
    topic, kind = "alliance.internal.listings.feed.v1", "alliance.listings.feed.silent.v1"
    record = Record(topic, 0, 0, feed.name, 2, kind, "e1", datetime(2026, 3, 2, tzinfo=UTC), FeedEvent(feed=feed), "")
    assert title_and_text(about_of(record), {}, "", english=False) == (
        "数据接口无响应：虚构示例接口",
        "“虚构示例接口”自 2026-03-02 20:05 起没有收到所期望的内容：对方返回 HTTP 503。查看 feeds/a。",
    )


@pytest.mark.parametrize(
    ("reader", "zh", "en"),
    [
        (
            "organizations/demand",
            "由秘书处或平台复核，结论不迟于 2026-03-17",
            "The secretariat or the platform settles it, by 2026-03-17",
        ),
        (
            "organizations/supply",
            "由秘书处或平台复核，结论不迟于 2026-03-17",
            "The secretariat or the platform settles it, by 2026-03-17",
        ),
        ("organizations/secretariat", "请不迟于 2026-03-17 作出结论", "Please settle it by 2026-03-17"),
    ],
)
def test_only_who_can_settle_a_review_is_asked_to(reader: str, zh: str, en: str) -> None:
    match = match_pb2.Match(name="matches/a", demand_issuer="organizations/demand", supply_issuer="organizations/supply")
    review = review_pb2.Review(name="reviews/a", match=match, organization="organizations/demand", due_on="2026-03-17")
    topic, kind = "alliance.internal.matching.review.v1", "alliance.matching.review.requested.v1"
    content = review_pb2.ReviewEvent(review=review)
    found = about_of(Record(topic, 0, 0, review.name, 1, kind, "e1", datetime(2026, 3, 2, tzinfo=UTC), content, ""))
    read = {english: title_and_text(found, {}, reader, english=english)[1] for english in (False, True)}
    assert zh in read[False]
    assert en in read[True]
    is_asked = [told for told in read.values() if "请不迟于" in told or "Please" in told]
    assert len(is_asked) == (2 if reader == "organizations/secretariat" else 0)


@pytest.mark.parametrize(
    ("reader", "zh", "en"),
    [
        ("organizations/supply", "现已逾期；可向秘书处或平台催办", "the secretariat or the platform can be reminded of it"),
        ("organizations/secretariat", "现已逾期，请尽快办理", "Please settle it now"),
    ],
)
def test_both_sides_and_who_can_settle_it_hear_of_a_review_that_is_overdue(reader: str, zh: str, en: str) -> None:
    match = match_pb2.Match(name="matches/a", demand_issuer="organizations/demand", supply_issuer="organizations/supply")
    review = review_pb2.Review(name="reviews/a", match=match, organization="organizations/demand", due_on="2026-03-17")
    topic, kind = "alliance.internal.matching.review.v1", "alliance.matching.review.overdue.v1"
    content = review_pb2.ReviewEvent(review=review)
    found = about_of(Record(topic, 0, 0, review.name, 2, kind, "e1", datetime(2026, 3, 18, tzinfo=UTC), content, ""))
    read = {english: title_and_text(found, {}, reader, english=english)[1] for english in (False, True)}
    assert (zh in read[False], en in read[True]) == (True, True)
    assert all("2026-03-17" in told for told in read.values())


def test_the_parties_of_an_application_are_its_organizations_and_where_it_is_shared_the_body() -> None:
    named = frozenset(f"organizations/{one}" for one in ("applicant", "authority", "named"))
    for programme, audience in (
        (registry_pb.PROGRAMME_PILOT, Audience.PARTIES),
        (registry_pb.PROGRAMME_CHALLENGE, Audience.SHARED),
    ):
        found = about_of(application(("publish", "ANSWERING"), programme=programme))
        assert (found.organizations, found.bodies, found.audience) == (named, frozenset({"bodies/b"}), audience)


def test_whoever_is_released_is_told_nothing_more() -> None:
    """A province that was dropped after its seal, and whom an expert came from who was taken off; another's stays."""
    authority, applicant = "organizations/authority", "organizations/applicant"
    message = registry_pb.Application(name="applications/a", applicant=applicant, authority=authority)
    message.steps.add(step="start_sealing", organization=applicant, named_organization="organizations/province")
    message.steps.add(step="seal", organization="organizations/province", actor="somebody")
    for expert in ("one", "other"):
        taken = message.steps.add(step="assign_expert", organization=authority, named_principal=expert)
        taken.named_organization = f"organizations/{expert}"

    def heard() -> set[str]:
        kind, now = "alliance.registry.application.stepped.v1", datetime(2026, 3, 2, tzinfo=UTC)
        event = ApplicationEvent(application=message)
        topic = "alliance.internal.registry.application.v1"
        organizations = about_of(Record(topic, 0, 0, message.name, 3, kind, "e1", now, event, "")).organizations
        return {one.removeprefix("organizations/") for one in organizations}

    assert heard() == {"applicant", "authority", "province", "one", "other"}
    message.steps.add(step="reopen", organization=applicant, released=["organizations/province"])
    message.steps.add(step="unassign_expert", organization=authority, named_principal="one", released=["one"])
    assert heard() == {"applicant", "authority", "other"}
    message.steps.add(step="start_sealing", organization=applicant, named_organization="organizations/province")
    assert heard() == {"applicant", "authority", "other", "province"}, "named again"


def posted(record: Record, *, whole: bool = True) -> dict[str, Any]:
    """The resource of a webhook."""
    found: dict[str, Any] = told(record, about_of(record), whole=whole)[1]["resource"]
    return found


def test_a_webhook_names_no_user_of_an_application() -> None:
    kept = str(posted(application(("submit", "SUBMITTED"))))
    assert "submit" in kept
    assert "somebody" not in kept
    assert "expert" not in kept


def test_a_webhook_names_no_record_of_a_person() -> None:
    """Neither a listing's contact and expert nor an intake's candidate: that is told to whose they are, where they ask."""
    listing = listing_pb2.Listing(name="listings/a", contact="personalRecords/one", title="personalRecords")
    listing.expert.person, listing.expert.field = "personalRecords/two", "封装"
    topic, kind = "alliance.internal.listings.listing.v1", "alliance.listings.listing.published.v1"
    listing.state = listing_pb2.LISTING_STATE_PUBLISHED
    event, now = ListingEvent(listing=listing), datetime(2026, 3, 2, tzinfo=UTC)
    told_of = Record(topic, 0, 0, listing.name, 2, kind, "e1", now, event, "")
    whole = {
        "name": "listings/a",
        "state": "LISTING_STATE_PUBLISHED",
        "title": "personalRecords",
        "expert": {"field": "封装"},
    }
    assert posted(told_of) == posted(told_of, whole=False) == whole
    record = application(("submit", "SUBMITTED"))
    record.message.application.employee_intake.candidate = "personalRecords/three"  # type: ignore[union-attr]
    assert "personalRecords" not in str(posted(record))


def test_a_reason_of_a_score_is_in_no_text_but_the_authoritys_while_it_is_reviewed() -> None:
    for state, is_open in (("IN_REVIEW", False), ("RUNNING", True)):
        record = application(("score", state), reason="基础薄弱")
        record.message.application.steps[0].score = 37  # type: ignore[union-attr]
        event = about_of(record)
        assert event.owners == {"organizations/authority"}
        for whole in (True, False):
            text = title_and_text(told(record, event, whole=whole)[0], {}, "", english=False)[1]
            assert ("基础薄弱" in text) is (whole or is_open)
            assert ("基础薄弱" in str(posted(record, whole=whole))) is (whole or is_open)
            assert ("37" in str(posted(record, whole=whole))) is (whole or is_open)


def test_a_draft_of_a_body_is_its_members_and_whom_it_names_is_told_nothing() -> None:
    topic, kind, now = (
        "alliance.internal.registry.body.v1",
        "alliance.registry.body.updated.v1",
        datetime(2026, 3, 2, tzinfo=UTC),
    )
    for state, formed_on, audience in (
        ("DRAFT", "", Audience.MEMBERS),
        ("FORMED", "2026-01-05", Audience.EVERYBODY),
        ("DISSOLVED", "2026-01-05", Audience.EVERYBODY),
        ("DISSOLVED", "", Audience.MEMBERS),
    ):
        body = body_pb2.Body(name="bodies/b", state=getattr(body_pb2, f"BODY_STATE_{state}"), formed_on=formed_on)
        body.alliance.task_force = "organizations/force"
        found = about_of(Record(topic, 0, 0, body.name, 2, kind, "e1", now, BodyEvent(body=body), ""))
        assert (found.audience, found.organizations, found.bodies) == (audience, frozenset[str](), frozenset({"bodies/b"}))


@pytest.mark.parametrize(
    ("verb", "state", "recipients"),
    [
        ("compiled", "COMPILED", frozenset()),
        ("amended", "COMPILED", frozenset()),
        ("submitted", "SUBMITTED", frozenset({"organizations/force"})),
    ],
)
def test_a_report_is_told_to_its_recipients_once_it_is_submitted(verb: str, state: str, recipients: frozenset[str]) -> None:
    report = report_pb2.Report(name="reports/a", body="bodies/b", state=getattr(report_pb2, f"REPORT_STATE_{state}"))
    report.recipients.add(display_name="专班", organization="organizations/force")
    report.recipients.add(display_name="市教委", copy=True)  # in no register
    topic, kind = "alliance.internal.reporting.report.v1", f"alliance.reporting.report.{verb}.v1"
    now = datetime(2026, 3, 2, tzinfo=UTC)
    found = about_of(Record(topic, 0, 0, report.name, 2, kind, "e1", now, ReportEvent(report=report), ""))
    assert (found.audience, found.organizations, found.bodies) == (Audience.RECIPIENTS, recipients, frozenset({"bodies/b"}))


def test_an_event_of_a_type_that_the_table_has_not_can_be_subscribed_to_by_nobody() -> None:
    known = application(("submit", "SUBMITTED"))
    assert is_told(known)
    assert not is_told(known._replace(type="alliance.registry.application.invented.v1"))


def wrong(*, mail: bool = True, allow_private: bool = False, **fields: Any) -> list[tuple[str, str]]:
    given = pb.Subscription(**{"event_types": [PROPOSED], "channel": pb.CHANNEL_INBOX, **fields})
    networks = [ip_network("10.20.0.0/16")]
    found = subscription_problems(given, mail=mail, allow_private=allow_private, networks=networks)
    return [(one.field, one.rule) for one in found]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"event_types": [ANY_MATCH, PROPOSED]}, []),
        ({"event_types": []}, [("event_types", "known")]),
        ({"event_types": [PROPOSED, "alliance.matching.match.invented.v1"]}, [("event_types", "known")]),
        ({"channel": 0}, [("channel", "required")]),
        ({"channel": 9}, [("channel", "required")]),
        ({"channel": pb.CHANNEL_EMAIL, "email": "a@example.com"}, []),
        ({"channel": pb.CHANNEL_EMAIL, "email": ""}, [("email", "address")]),
        ({"channel": pb.CHANNEL_EMAIL, "email": "a@example"}, [("email", "address")]),
        ({"channel": pb.CHANNEL_EMAIL, "email": "a@example.com\nBcc: b@example.com"}, [("email", "address")]),
        ({"channel": pb.CHANNEL_EMAIL, "email": "a@b.cn, c@d.cn"}, [("email", "address")]),
        ({"channel": pb.CHANNEL_WEBHOOK, "webhook_url": "https://hooks.example.com/"}, []),
        ({"channel": pb.CHANNEL_WEBHOOK, "webhook_url": "http://hooks.example.com/"}, [("webhook_url", "target")]),
        ({"channel": pb.CHANNEL_WEBHOOK, "webhook_url": "https://10.1.2.3/"}, [("webhook_url", "target")]),
        ({"channel": pb.CHANNEL_WEBHOOK, "webhook_url": "https://10.20.2.3/"}, []),
        *(
            ({"channel": pb.CHANNEL_WEBHOOK, "webhook_url": f"https://{url}"}, [("webhook_url", "personal-data")])
            for url in (
                "hooks.example.com/13907135791",
                "hooks.example.com/139%30713%35791",
                "hooks.example.com/?to=139-0713-5791",
                "hooks.example.com/of/ouyang.tiechui@example.org",
                "hooks.example.com/of/ouyang.tiechui%40example.org",
                "hooks.example.com/420106199001011231",
            )
        ),
        ({"channel": pb.CHANNEL_WEBHOOK, "webhook_url": "https://hooks.example.com:8443/2026/03/01?v=100%25"}, []),
    ],
)
def test_a_subscription_as_it_is_written(fields: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert wrong(**fields) == expected


def test_without_a_mail_server_there_are_no_mails() -> None:
    assert wrong(mail=False, channel=pb.CHANNEL_EMAIL, email="a@example.com") == [("channel", "no-mail")]


def test_http_is_taken_where_a_setting_allows_it() -> None:
    assert wrong(allow_private=True, channel=pb.CHANNEL_WEBHOOK, webhook_url="http://127.0.0.1:8080/hook") == []


@pytest.mark.parametrize("name", ["01a22689-6b8f-7006-a287-07006571631c", "01a22689-6c7f-7009-ad74-069563639673"])
def test_a_random_name_in_an_address_is_no_number_and_a_number_beside_it_is_one(name: str) -> None:
    assert screen("webhook_url", f"https://hook.example/organizations/{name}") == []
    (found,) = screen("webhook_url", f"https://hook.example/13800138000/organizations/{name}")
    assert found.rule == "personal-data"
