"""What the parties of an application, and everybody else, are told of it; read in the inbox."""

import asyncio
from typing import Any

import asyncpg

from alliance.notify.v1 import notify_pb2, notify_service_pb2
from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import registry_service_pb2
from alliance_local.control import Platform
from tests import world
from tests.applying import DEPARTMENT, ENTERPRISE, UNIVERSITY, begun, called, college_of, led, pilot, placed, take
from tests.world import Member

ZH, EN = notify_pb2.LANGUAGE_ZH, notify_pb2.LANGUAGE_EN


def listen(*members: Member, language: Any = ZH) -> None:
    for one in members:
        for event in ("alliance.registry.application.*.v1", "alliance.registry.call.*.v1"):
            world.subscribe(one, event, channel=notify_pb2.CHANNEL_INBOX, language=language)


def inbox(member: Member, subject: str) -> list[tuple[str, str]]:
    """Title and text of what a member was told of something, the oldest first."""
    request = notify_service_pb2.ListInboxMessagesRequest(organization=member.name, page_size=1000)
    found = member.caller.notify.ListInboxMessages(request).messages
    return [(one.title, one.text) for one in reversed(found) if one.subject == subject]


def title_of(platform: Platform, member: Member) -> str:
    """What an organization is called."""
    found = world.operator(platform).registry.GetOrganization(registry_service_pb2.GetOrganizationRequest(name=member.name))
    return str(found.display_name)


async def _near(platform: Platform, application: str) -> None:
    """Let the last day of an application be near."""
    registry = await asyncpg.connect(platform.database_url("registry"))
    await registry.execute("UPDATE application SET remind_on = '2020-01-01' WHERE name = $1", application)
    await registry.close()


def test_the_parties_of_an_application_are_told_of_its_steps_and_nobody_else(platform: Platform) -> None:
    body, university = pilot(platform)
    centre, stranger = placed(platform, ENTERPRISE, "110000"), world.organization(platform, UNIVERSITY)
    college = college_of(platform, university)
    world.settle(platform)
    listen(university, college, stranger)
    listen(centre, language=EN)
    call = called(platform, centre, pb.PROGRAMME_PILOT, closes_on="2099-12-31")
    made = begun(university, call, body=body.name)
    take(university, made.name, "submit", "SEALED_FORM", "PLATFORM_RECEIPT")
    returned = take(centre, made.name, "return", reason="缺少培养方案")
    asyncio.run(_near(platform, made.name))
    world.settle(platform)
    take(university, made.name, "resubmit")
    take(centre, made.name, "disqualify", reason="专业招生不满三年")
    world.settle(platform)
    about, what, asks = made.display_name, "试点单位遴选", title_of(platform, centre)
    applies = title_of(platform, university)
    told = inbox(university, made.name)
    assert told == [
        (f"新申报：{about}", f"{applies} 的“{about}”（{what}）已起草。"),
        (f"申报：{about}", f"{applies} 已办理“{about}”（{what}）的“申报”，现为“已提交”。"),
        (
            f"退回：{about}",
            f"{asks} 将“{about}”（{what}）退回。原因：缺少培养方案。请于 {returned.due_on} 前补正后再次提交。",
        ),
        (
            f"临近补正截止：{about}",
            f"“{about}”（{what}）现为“退回补正”，补正截止为 {returned.due_on}，请按时办理。",
        ),
        (f"补正后提交：{about}", f"{applies} 已办理“{about}”（{what}）的“补正后提交”，现为“已提交”。"),
        (
            f"结果：{about}——资格初审不合格",
            f"{asks} 对“{about}”（{what}）作出决定：资格初审不合格，现为“未通过”。原因：专业招生不满三年。",
        ),
    ]
    assert inbox(college, made.name) == told, "it acts for the university"
    assert inbox(stranger, made.name) == []
    english = inbox(centre, made.name)
    assert english[2] == (
        f"Returned: {about}",
        f"{asks} returned “{about}” (pilot). Reason: 缺少培养方案. Correct it and hand it in again by {returned.due_on}.",
    )
    assert english[3] == (
        f"end of the correction is near: {about}",
        f"“{about}” (pilot) is returned; end of the correction: {returned.due_on}. Please act in time.",
    )
    assert english[5][0] == f"Decision on {about}: disqualification"
    opened = f"新征集：{what}（{call.year} 年）", f"{asks} 启动 {call.year} 年“{what}”，受理时间 … 至 2099-12-31。"
    for one in (university, stranger):
        assert inbox(one, call.name) == [opened], "everybody may know of a call"


def test_members_of_a_body_are_told_of_what_they_share(platform: Platform) -> None:
    body, council = world.formed_alliance(platform)
    poser, member, stranger = council[0], council[2], world.organization(platform, ENTERPRISE)
    guide = placed(platform, DEPARTMENT, "110000")
    led(platform, body.name, guide)
    world.settle(platform)
    listen(member, stranger, guide)
    challenge = begun(poser, called(platform, world.verified(platform, council[1]), pb.PROGRAMME_CHALLENGE), body=body.name)
    take(poser, challenge.name, "publish")
    rated = begun(guide, called(platform, guide, pb.PROGRAMME_PERFORMANCE), council[1].name, body=body.name)
    take(guide, rated.name, "set_indicators", "INDICATORS")
    world.settle(platform)
    assert [title.split("：")[0] for title, _ in inbox(member, challenge.name)] == ["新申报", "发布题目"]
    assert [title.split("：")[0] for title, _ in inbox(guide, rated.name)] == ["新申报", "制定绩效指标"]
    assert inbox(member, rated.name) == inbox(guide, challenge.name) == inbox(stranger, challenge.name) == []
