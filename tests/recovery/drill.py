"""Recovery drills 恢复演练 on a platform of their own, each step timed: `python -m tests.recovery.drill [PAIRS]`.

    listings    its database is put back to an earlier point; then the restore fence
    reporting   the same; then the owners replay their topics, and its projections are written anew
    kafka       all of it is lost: the topics are published again out of the databases, and every projection written anew
    moment      all five databases are put back to one moment, out of a base backup and the log; the restore fence in each
    everything  the same, and Kafka is lost with them

In each, compaction has removed events of before the backup and of after it, as if they were older than the compaction lag.
Each ends with all that is kept anywhere equal to what its owner has (`tests.recovery.equality`).
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from rich.console import Console

from alliance.listings.v1 import listings_service_pb2 as listings
from alliance.matching.v1 import events_pb2
from alliance.matching.v1 import matching_service_pb2 as matching
from alliance.registry.v1 import organization_pb2
from alliance.reporting.v1 import report_pb2
from alliance.reporting.v1 import reporting_service_pb2 as reporting
from alliance_local.control import Platform, interruptible
from alliance_local.state import SERVICES, State
from chassis import topics
from chassis.clock import SystemClock, business_date
from codes import quarters
from tests import world
from tests.recovery import backup, equality
from tests.recovery.point import Archive
from tests.waiting import until
from tests.world import Member

ROUND = "R55"
_LISTING = "alliance.internal.listings.listing.v1"
_MATCH = "alliance.internal.matching.match.v1"
_WHY = "恢复演练"
_AFTER = "此后"
_REVISIONS = 4
_SEGMENT = 1.1  # seconds after which the test profile begins a new segment; only closed ones are compacted
_LEFT = 2  # versions of a listing that compaction leaves: the last of the closed segments, and the last of all


@dataclass
class Scene:
    """Who publishes what: one alliance reports and has both sides' listings, the other has a demand only."""

    body: str
    quiet: str
    employer: Member
    college: Member
    jobs: list[str] = field(default_factory=list)
    talents: list[str] = field(default_factory=list)
    draft: str = ""


class Drill:
    """One platform, and what happens to it."""

    def __init__(self, root: Path) -> None:
        self.platform = Platform(State(root))
        self._console = Console(highlight=False)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A step, told with its time."""
        began = time.monotonic()
        yield
        self._console.print(f"{time.monotonic() - began:6.1f} s  {name}")

    async def begin(self) -> None:
        """Start, with topics as in production."""
        self.up()
        await self.keep("production")

    def up(self, **environment: str) -> None:
        """Start the platform, with a broker that does not take long to compact what is to be compacted."""
        self.platform.up(lambda _: None, sinks=False, ALLIANCE_TOPICS_PROFILE="test", **environment)

    def published(self, pairs: int) -> Scene:
        """Demands, supplies and their matches, one of them accepted; a compiled report."""
        (body, council), (quiet, _) = world.formed_alliance(self.platform), world.formed_alliance(self.platform)
        employer, college = council[0], world.organization(self.platform, organization_pb2.ORG_TYPE_UNIVERSITY)
        for name, member in ((body.name, college), (quiet.name, college), (quiet.name, employer)):
            world.join(self.platform, name, member)
        scene = Scene(body.name, quiet.name, employer, college)
        for number in range(pairs):
            scene.jobs.append(world.publish(employer, world.job(employer.name, f"封装工程师 {number}", (body.name,))).name)
            scene.talents.append(world.publish(college, world.talent(college.name, f"毕业生 {number}", (body.name,))).name)
        world.publish(employer, world.job(employer.name, "测试工程师", (quiet.name,)))
        draft = listings.CreateListingRequest(listing=world.job(employer.name, "待发布", (body.name,)))
        scene.draft = employer.caller.listings.CreateListing(draft).name
        wanted = matching.ListMatchesRequest(listing=scene.jobs[0])
        (match, *_) = world.until(lambda: list(employer.caller.matching.ListMatches(wanted).matches))
        accept = matching.AcceptMatchRequest(name=match.name, organization=employer.name)
        employer.caller.matching.AcceptMatch(accept)
        world.settle(self.platform)
        self.compiled(body.name)
        return scene

    def changed(self, scene: Scene) -> None:
        """What a database that is put back will not have: new listings, a published draft, a withdrawal, revisions."""
        employer, college = scene.employer, scene.college
        world.publish(employer, world.job(employer.name, _AFTER, (scene.body,)))
        world.publish(college, world.talent(college.name, _AFTER, (scene.quiet,)))
        employer.caller.listings.PublishListing(listings.PublishListingRequest(name=scene.draft))
        withdraw = listings.WithdrawListingRequest(name=scene.jobs[-1], reason=_WHY)
        employer.caller.listings.WithdrawListing(withdraw)
        for number in range(_REVISIONS):
            self.revised(scene, number)
        for body in (scene.body, scene.quiet):
            self.compiled(body)
        world.settle(self.platform)

    def revised(self, scene: Scene, number: int) -> None:
        """One more version of a listing."""
        listing = world.talent(scene.college.name, f"毕业生 修订 {number}")
        listing.name = scene.talents[-1]
        request = listings.UpdateListingRequest(listing=listing, reason=_WHY)
        request.update_mask.paths.append("title")
        scene.college.caller.listings.UpdateListing(request)

    def compiled(self, body: str) -> report_pb2.Report:
        """The report of this quarter, compiled from what is known now."""
        period, kind = quarters.of(business_date(SystemClock().now())), report_pb2.REPORT_KIND_ALLIANCE_QUARTERLY
        request = reporting.CompileReportRequest(body=body, kind=kind, period=str(period))
        report: report_pb2.Report = world.operator(self.platform).reporting.CompileReport(request)
        return report

    def figures(self, scene: Scene) -> dict[str, dict[str, int]]:
        """Every figure of both bodies' reports."""
        return {body: {one.id: one.value for one in self.compiled(body).figures} for body in (scene.body, scene.quiet)}

    async def proposed(self, body: str) -> int:
        """Matches that matching has ever proposed in a body."""
        query = "SELECT key, payload FROM event WHERE topic = $1 AND type LIKE '%.proposed.%'"
        found = await equality.rows(self.platform, "matching", query, _MATCH)
        return len({one["key"] for one in found if body in events_pb2.MatchEvent.FromString(one["payload"]).match.bodies})

    def otherwise(self, scene: Scene, before: dict[str, dict[str, int]]) -> list[str]:
        """What the reports say now and did not say before."""
        now = self.figures(scene)
        return [
            f"{body} reports {now[body].get(name)} for {name} instead of {value}"
            for body, was in before.items()
            for name, value in was.items()
            if now[body].get(name) != value
        ]

    def round_of(self, body: str) -> int:
        """The state of a body's round of this quarter."""
        request = reporting.ListDeadlinesRequest(body=body)
        found = world.operator(self.platform).reporting.ListDeadlines(request).deadlines
        return int(next(one.state for one in found if one.rule == ROUND))

    def dumped(self, service: str) -> Path:
        """A backup of a service's database."""
        file = self.platform.state.root / f"{service}.dump"
        with self.step(f"{service}: pg_dump"):
            backup.dump(self.platform, service, file)
        return file

    async def put_back(self, service: str, file: Path) -> None:
        """Put a service's database back, and start with the fence."""
        self.platform.down()
        self.up(ALLIANCE_LOCAL_SERVICES="")
        with self.step(f"{service}: pg_restore"):
            await backup.restore(self.platform, service, file)
        self.platform.down()
        with self.step(f"{service}: start, with the fence"):
            self.up(ALLIANCE_LOCAL_RESTORED=service)

    async def put_back_to(self, archive: Archive, moment: str) -> None:
        """Put all five databases back to a moment, and start with the fence of each."""
        with self.step("PostgreSQL's log is archived"):
            await archive.complete()
        self.platform.down()
        with self.step("PostgreSQL, out of base backup and log, to the moment"):
            archive.put_back(moment)
            self.up(ALLIANCE_LOCAL_SERVICES="")
        self.platform.down()

    async def compacted(self, scene: Scene) -> None:
        """Revise a listing while topics are compacted at once, until hardly a version is left; then as in production again."""
        await self.keep("test")
        for number in range(_REVISIONS):
            self.revised(scene, number)
            await asyncio.sleep(_SEGMENT)
        topic, name = topics.load().named(_LISTING), scene.talents[-1]

        async def is_compacted() -> bool:
            kept = [one for one in await equality.records(self.platform, topic) if one.key == name.encode()]
            return len(kept) <= _LEFT

        await until(is_compacted)
        await self.keep("production")
        world.settle(self.platform)

    async def keep(self, profile: str) -> None:
        """Configure all topics as a profile says."""
        admin = AIOKafkaAdminClient(**self.platform.kafka("admin").options())
        await admin.start()
        config, names = topics.load().config(profile), [one.name for one in topics.load().all]
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs=config) for name in names])
        await admin.close()

    async def kafka_lost(self) -> None:
        """The broker's data is gone."""
        self.platform.down()
        shutil.rmtree(self.platform.state.folder("kafka"))
        with self.step("kafka: start without its data"):
            await self.begin()

    def replayed(self) -> None:
        """All topics are published again."""
        with self.step("alliance replay --all"):
            self._alliance("replay", "--all", "--reason", _WHY)
            world.settle(self.platform)

    def rebuilt(self, service: str, *options: str) -> None:
        """All that a service keeps of topics is written anew."""
        command = ("rebuild", "--service", service, *options)
        with self.step(" ".join(("alliance", *command))):
            self._alliance(*command, "--reason", _WHY)
            world.settle(self.platform)

    def _alliance(self, *arguments: str) -> None:
        environment = {
            **os.environ,
            "ALLIANCE_STATE_DIR": str(self.platform.state.root),
            "ALLIANCE_SESSION": str(self.platform.state.root / "session.json"),
        }
        program = str(Path(sys.executable).parent / "alliance")
        for command in (("login", world.OPERATOR), arguments):
            done = subprocess.run([program, *command], env=environment, capture_output=True, text=True, timeout=1800)
            assert not done.returncode, f"{done.stdout}\n{done.stderr}"


async def listings_put_back(drill: Drill, pairs: int) -> list[str]:
    """Listings is restored; returns what differs in the end.

    Reports say what they said before, but for the proposals: what matching proposed meanwhile, it has proposed.
    """
    scene = drill.published(pairs)
    figures, standing = drill.figures(scene), drill.round_of(scene.quiet)
    file = drill.dumped("listings")
    drill.changed(scene)
    await drill.compacted(scene)
    closed = drill.round_of(scene.quiet)
    await drill.put_back("listings", file)
    with drill.step("listings: all have heard of it"):
        world.settle(drill.platform)
    found = await equality.differences(drill.platform)
    if closed != report_pb2.DEADLINE_STATE_CLOSED or drill.round_of(scene.quiet) != standing:
        found.append("the round that a lost supply closed is not open again")
    for body, values in figures.items():
        values["matches.proposed"] = await drill.proposed(body)
    found += drill.otherwise(scene, figures)
    drill.revised(scene, _REVISIONS)
    return found


async def reporting_put_back(drill: Drill, pairs: int) -> list[str]:
    """Reporting is restored, and what it missed is on no topic any more; returns what differs in the end."""
    scene = drill.published(pairs)
    file = drill.dumped("reporting")
    drill.changed(scene)
    await drill.compacted(scene)
    figures = drill.figures(scene)
    await drill.put_back("reporting", file)
    drill.rebuilt("reporting")
    return await equality.differences(drill.platform) + drill.otherwise(scene, figures)


async def kafka_gone(drill: Drill, pairs: int) -> list[str]:
    """Kafka is lost altogether; returns what differs in the end.

    Reports say what they said before, but for the proposals: matching scores all once more, and may propose to a listing that
    fits more than ten what it had not before.
    """
    scene = drill.published(pairs)
    drill.changed(scene)
    await drill.compacted(scene)
    figures = drill.figures(scene)
    await drill.kafka_lost()
    drill.replayed()
    found = await equality.differences(drill.platform)
    for service in SERVICES[1:]:
        drill.rebuilt(service, "--no-replay")
    for body, values in figures.items():
        values["matches.proposed"] = await drill.proposed(body)
    return found + await equality.differences(drill.platform) + drill.otherwise(scene, figures)


async def all_put_back(drill: Drill, pairs: int) -> list[str]:
    """All databases are put back to one moment, while Kafka has what came after; returns what differs in the end."""
    archive, scene, figures, moment = await _before_and_after_a_moment(drill, pairs)
    await drill.put_back_to(archive, moment)
    with drill.step("start, with the fence of all five"):
        drill.up(ALLIANCE_LOCAL_RESTORED=",".join(SERVICES))
        await drill.keep("production")
    with drill.step("all have heard of it"):
        world.settle(drill.platform)
    drill.rebuilt("reporting")
    return await equality.differences(drill.platform) + drill.otherwise(scene, figures)


async def everything_lost(drill: Drill, pairs: int) -> list[str]:
    """All databases are put back to one moment, and all of Kafka is lost; returns what differs in the end."""
    archive, scene, figures, moment = await _before_and_after_a_moment(drill, pairs)
    await drill.put_back_to(archive, moment)
    shutil.rmtree(drill.platform.state.folder("kafka"))
    with drill.step("start without Kafka's data, with the fence of all five"):
        drill.up(ALLIANCE_LOCAL_RESTORED=",".join(SERVICES))
        await drill.keep("production")
    drill.replayed()
    for service in SERVICES[1:]:
        drill.rebuilt(service, "--no-replay")
    for body, values in figures.items():
        values["matches.proposed"] = await drill.proposed(body)
    return await equality.differences(drill.platform) + drill.otherwise(scene, figures)


async def _before_and_after_a_moment(drill: Drill, pairs: int) -> tuple[Archive, Scene, dict[str, dict[str, int]], str]:
    """A base backup, then what is to come back, with its figures; the moment; then what is not."""
    archive = Archive(drill.platform)
    await archive.begin()
    drill.platform.down()
    drill.up()
    with drill.step("base backup"):
        archive.take_base()
    scene = drill.published(pairs)
    figures = drill.figures(scene)
    moment = await archive.moment()
    drill.changed(scene)
    await drill.compacted(scene)
    return archive, scene, figures, moment


async def main(pairs: int) -> int:
    """All of them, one after the other."""
    root, found = Path(tempfile.mkdtemp(prefix="alliance-recovery-")), []
    drill = Drill(root)
    try:
        await drill.begin()
        for exercise in (listings_put_back, reporting_put_back, kafka_gone, all_put_back, everything_lost):
            with drill.step(f"{exercise.__name__}, {2 * pairs} listings"):
                found += [f"{exercise.__name__}: {one}" for one in await exercise(drill, pairs)]
    finally:
        drill.platform.down()
    print("\n".join(found) or "all that is kept equals what its owner has")
    if not found:
        shutil.rmtree(root)
    return 1 if found else 0


def chosen_pairs(arguments: Sequence[str]) -> int:
    """How many pairs of listings each drill has; ends with a word about what is no number of them."""
    text = arguments[0] if arguments else "50"
    if not re.fullmatch(r"[1-9]\d*", text, re.ASCII):
        sys.exit(f"PAIRS: {text!r} is no number of pairs; 50 is usual")
    return int(text)


if __name__ == "__main__":
    interruptible()
    sys.exit(asyncio.run(main(chosen_pairs(sys.argv[1:]))))
