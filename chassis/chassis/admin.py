"""The operator's services 运维, the same in every service: dead letters, jobs, clocks, personal data."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from aiokafka.errors import KafkaError
from google.protobuf.json_format import MessageToJson

from alliance.admin.v1 import admin_service_pb2 as pb
from alliance.admin.v1 import personal_data_service_pb2 as personal_pb
from chassis import deadletter, dlq, jobs, paging, parked, topics
from chassis.consumer import Consumers
from chassis.errors import Invalid, NotFound, Precondition, Violation, refuse
from chassis.handling import Handling
from chassis.personal import repeated, screen, subject_problems
from chassis.record import RawRecord, decode
from chassis.rpc import Call
from chassis.service import Parts
from chassis.vault import Paper, Papers, PersonalRecord, Vault

_STATES = {
    pb.DEAD_LETTER_STATE_RETRYING: "retrying",
    pb.DEAD_LETTER_STATE_WAITING: "waiting",
    pb.DEAD_LETTER_STATE_DEAD: "dead",
    pb.DEAD_LETTER_STATE_REPLAYED: "replayed",
    pb.DEAD_LETTER_STATE_SUPERSEDED: "superseded",
    pb.DEAD_LETTER_STATE_DROPPED: "dropped",
}
_NUMBERS = {name: number for number, name in _STATES.items()}
_OUTBOX = "SELECT count(*) FROM outbox WHERE parked IS NULL"


class Admin:
    """`alliance.admin.v1.AdminService`."""

    def __init__(self, service: str, parts: Parts, consumers: Consumers, handlings: Sequence[Handling]) -> None:
        self._service = service
        self._handlings = handlings
        self._parts = parts
        self._context = parts.context
        self._consumers = consumers

    async def ListDeadLetters(self, call: Call, request: pb.ListDeadLettersRequest) -> pb.ListDeadLettersResponse:
        """See the contract."""
        size, after = paging.page_size(request.page_size), paging.decode(request, UUID)
        wanted = dlq.Filter(
            states=[_STATES[request.state]] if request.state else deadletter.OPEN,
            group=request.group,
            topic=request.topic,
            key=request.key,
            reason=request.reason,
            after=after[0] if after else dlq.Filter.after,
        )
        rows = await dlq.listed(call.tx, wanted, size + 1)
        answer = pb.ListDeadLettersResponse(dead_letters=[_dead_letter(row) for row in rows[:size]])
        if len(rows) > size:
            answer.next_page_token = paging.encode(request, [str(rows[size - 1].id)])
        return answer

    async def GetDeadLetter(self, call: Call, request: pb.GetDeadLetterRequest) -> pb.DeadLetterDetail:
        """See the contract."""
        (identifier,) = _ids([request.id], "id")
        found = await dlq.detail(call.tx, identifier)
        if found is None:
            raise NotFound(request.id)
        return _detail(found)

    async def ReplayDeadLetters(self, call: Call, request: pb.ReplayDeadLettersRequest) -> pb.ReplayDeadLettersResponse:
        """See the contract."""
        states = ["retrying", "dead"] if request.ids else ["dead"]  # the others are tried by themselves
        chosen, more = await _chosen(call, request, states)
        await dlq.refuse_waiting(call.tx, _ids(request.ids, "ids"))
        done = chosen if request.dry_run else await dlq.replay(call.tx, chosen)
        return pb.ReplayDeadLettersResponse(queued=len(done), ids=map(str, done), more=more)

    async def DropDeadLetters(self, call: Call, request: pb.DropDeadLettersRequest) -> pb.DropDeadLettersResponse:
        """See the contract."""
        chosen, more = await _chosen(call, request, deadletter.OPEN)
        if request.dry_run:
            await dlq.refuse_earlier(call.tx, chosen)
        done = chosen if request.dry_run else await dlq.drop(call.tx, chosen)
        return pb.DropDeadLettersResponse(dropped=len(done), ids=map(str, done), more=more)

    async def ListParkedEvents(self, call: Call, request: pb.ListParkedEventsRequest) -> pb.ListParkedEventsResponse:
        """See the contract."""
        size, after = paging.page_size(request.page_size), paging.decode(request, _place) or [0]
        rows = await parked.listed(call.tx, after[0], size + 1, given_up=request.given_up)
        answer = pb.ListParkedEventsResponse(events=[_parked(self._service, row) for row in rows[:size]])
        if len(rows) > size:
            answer.next_page_token = paging.encode(request, [str(rows[size - 1].row.seq)])
        return answer

    async def RetryParkedEvents(self, call: Call, request: pb.RetryParkedEventsRequest) -> pb.RetryParkedEventsResponse:
        """See the contract."""
        decide = parked.still_parked if request.dry_run else parked.retry
        return pb.RetryParkedEventsResponse(seqs=await decide(call.tx, _seqs(request)))

    async def GiveUpParkedEvents(self, call: Call, request: pb.GiveUpParkedEventsRequest) -> pb.GiveUpParkedEventsResponse:
        """See the contract."""
        decide = parked.still_parked if request.dry_run else parked.give_up
        return pb.GiveUpParkedEventsResponse(seqs=await decide(call.tx, _seqs(request)))

    async def ReplayTopic(self, call: Call, request: pb.ReplayTopicRequest) -> pb.ReplayTopicResponse:
        """See the contract."""
        _required(request.reason, "reason")
        own = [topic.name for topic in topics.load().owned_by(self._service)]
        if request.topic not in own:
            listed = ", ".join(own)
            problem = Violation(
                "topic",
                "owner",
                f"本服务只能重放自己的主题：{listed}",
                f"this service replays its own topics: {listed}",
            )
            raise Invalid([problem])
        return pb.ReplayTopicResponse(job=str(await jobs.start(call.tx, "replay", request.topic, request.reason)))

    async def ListGroups(self, call: Call, request: pb.ListGroupsRequest) -> pb.ListGroupsResponse:
        """See the contract."""
        size, after = paging.page_size(request.page_size), paging.decode(request) or [""]
        following = sorted((one for one in self._handlings if one.group > after[0]), key=lambda one: one.group)
        answer = pb.ListGroupsResponse(groups=map(_group, following[:size]))
        if len(following) > size:
            answer.next_page_token = paging.encode(request, [following[size - 1].group])
        return answer

    async def RebuildGroup(self, call: Call, request: pb.RebuildGroupRequest) -> pb.RebuildGroupResponse:
        """See the contract."""
        _required(request.reason, "reason")
        found = [one.group for one in self._handlings if one.listen.projection]
        if request.group not in found:
            listed = ", ".join(found)
            problem = Violation(
                "group", "rebuildable", f"本服务可重建的处理组：{listed}", f"groups that can be rebuilt here: {listed}"
            )
            raise Invalid([problem])
        return pb.RebuildGroupResponse(job=str(await jobs.start(call.tx, "rebuild", request.group, request.reason)))

    async def GetJob(self, call: Call, request: pb.GetJobRequest) -> pb.Job:
        """See the contract."""
        (identifier,) = _ids([request.id], "id")
        if (row := await jobs.get(call.tx, identifier)) is None:
            raise NotFound(request.id)
        return _job(self._service, row)

    async def ListJobs(self, call: Call, request: pb.ListJobsRequest) -> pb.ListJobsResponse:
        """See the contract."""
        size, before = paging.page_size(request.page_size), paging.decode(request, UUID) or [jobs.LAST]
        rows = await jobs.listed(call.tx, before[0], size + 1, only_open=request.open)
        answer = pb.ListJobsResponse(jobs=[_job(self._service, row) for row in rows[:size]])
        if len(rows) > size:
            answer.next_page_token = paging.encode(request, [str(rows[size - 1].id)])
        return answer

    async def CancelJob(self, call: Call, request: pb.CancelJobRequest) -> pb.Job:
        """See the contract."""
        _required(request.reason, "reason")
        (identifier,) = _ids([request.id], "id")
        if await jobs.cancellable(call.tx, identifier) is None:
            raise NotFound(request.id)
        if not request.dry_run:
            await jobs.cancel(call.tx, identifier)
        return _job(self._service, await jobs.get(call.tx, identifier))

    async def GetProgress(self, call: Call, request: pb.GetProgressRequest) -> pb.Progress:
        """See the contract."""
        return await self._progress(call)

    async def SetClock(self, call: Call, request: pb.SetClockRequest) -> pb.Progress:
        """See the contract."""
        context = self._context
        if context.settings.profile == "production":
            raise Precondition(
                "CLOCK_FIXED",
                "生产环境不允许调整业务时间",
                "the business clock can't be moved in the production profile",
            )
        # The row is locked so that of two calls the later sees what the earlier set.
        current = await call.tx.sql.value("SELECT moved_by FROM clock_offset FOR UPDATE")
        offset = request.business_time.ToDatetime(tzinfo=call.tx.recorded_at.tzinfo) - context.system_clock.now()
        if offset < current - timedelta(seconds=1):
            problem = Violation("business_time", "forward", "业务时间只能向前调整", "the business clock moves forward only")
            raise Invalid([problem])
        offset = max(offset, current)
        await call.tx.sql.run("UPDATE clock_offset SET moved_by = $1", offset)
        call.tx.on_commit(lambda: setattr(context.clock, "offset", offset))
        progress = await self._progress(call)
        progress.offset.FromTimedelta(offset)
        progress.business_time.FromDatetime(context.system_clock.now() + offset)
        return progress

    async def _progress(self, call: Call) -> pb.Progress:
        context = self._context
        try:
            lag = await self._consumers.lag()
        except (KafkaError, OSError):
            lag = -1
        due = await self._parts.due_work(call.tx)  # before the outbox: what is done by then stands there
        found = pb.Progress(
            outbox_depth=await call.tx.sql.value(_OUTBOX),
            consumer_lag=lag,
            due_work=due,
            open_dead_letters=sum((await deadletter.counts(call.tx.sql)).values()),
        )
        found.business_time.FromDatetime(context.clock.now())
        found.system_time.FromDatetime(context.system_clock.now())
        found.offset.FromTimedelta(context.clock.offset)
        return found


class PersonalData:
    """`alliance.admin.v1.PersonalDataService`."""

    def __init__(self, papers: Papers) -> None:
        self._vault = Vault()
        self._papers = papers

    async def ExportPersonalData(
        self, call: Call, request: personal_pb.ExportPersonalDataRequest
    ) -> personal_pb.ExportPersonalDataResponse:
        """See the contract. The read itself is recorded, so it has a transaction of its own."""
        async with call.database.transaction(call.cause) as tx:
            found = await self._vault.of_subject(tx, _subject(request.subject), _required(request.purpose, "purpose"))
            refuse([*screen("purpose", request.purpose), *repeated("purpose", request.purpose, [one.fields for one in found])])
            papers = await self._papers.listed(tx, [one.fields for one in found])
            namesakes = await self._vault.namesakes(tx, request.subject)
        return personal_pb.ExportPersonalDataResponse(
            records=[_personal(one) for one in found],
            papers=[_paper(one, one.file_name) for one in papers],
            namesakes=namesakes,
        )

    async def ErasePersonalData(
        self, call: Call, request: personal_pb.ErasePersonalDataRequest
    ) -> personal_pb.ErasePersonalDataResponse:
        """See the contract."""
        erased = await self._vault.erase(call.tx, _subject(request.subject), self._papers.lock)
        papers = await self._papers.erase(call.tx, erased)
        return personal_pb.ErasePersonalDataResponse(
            erased=len(erased),
            erased_papers=map(_paper, papers.erased),
            papers_left=map(_paper, papers.left),
            namesakes=await self._vault.namesakes(call.tx, request.subject),
            mentioned_in=await self._papers.mentions(call.tx, erased),
        )


def _subject(subject: str) -> str:
    if found := subject_problems(_required(subject, "subject")):
        raise Invalid(found)
    return subject


def _required(value: str, field: str) -> str:
    if not value.strip():
        raise Invalid([Violation(field, "required", f"请填写 {field}", f"{field} is required")])
    return value


async def _chosen(
    call: Call, request: pb.ReplayDeadLettersRequest | pb.DropDeadLettersRequest, states: Sequence[str]
) -> tuple[list[UUID], bool]:
    """The open rows that a request means, and whether there are more than one call takes."""
    _required(request.reason, "reason")
    fits = request.filter
    if bool(request.ids) == request.HasField("filter"):
        problem = Violation("ids", "one-of", "请填写 ids 或 filter 之一", "give either ids or a filter")
        raise Invalid([problem])
    wanted = dlq.Filter(_ids(request.ids, "ids"), states, fits.group, fits.topic, fits.key, fits.reason)
    rows = await dlq.listed(call.tx, wanted, dlq.MAX_ROWS + 1)
    return [row.id for row in rows[: dlq.MAX_ROWS]], len(rows) > dlq.MAX_ROWS


def _ids(texts: Sequence[str], field: str) -> list[UUID]:
    try:
        return [UUID(one) for one in texts]
    except ValueError:
        problem = Violation(field, "uuid", "编号须为 UUID，见列表", "ids have to be UUIDs, as the lists give them")
        raise Invalid([problem]) from None


def _seqs(request: pb.RetryParkedEventsRequest | pb.GiveUpParkedEventsRequest) -> Sequence[int]:
    """The places in the queue that a request names."""
    _required(request.reason, "reason")
    if not 1 <= len(request.seqs) <= parked.MAX_ROWS:
        most = parked.MAX_ROWS
        raise Invalid([Violation("seqs", "number", f"请填写 1–{most} 个序号", f"name 1 to {most} places of the queue")])
    return request.seqs


def _place(text: str) -> int:
    """A place in the queue in a position. Raises ValueError for what no column holds."""
    found = int(text)
    if not 0 <= found < 2**63:
        raise ValueError(text)
    return found


def _parked(service: str, found: parked.Parked) -> pb.ParkedEvent:
    row = found.row
    answer = pb.ParkedEvent(
        service=service,
        seq=row.seq,
        key=found.key,
        topic=row.topic or "",
        version=row.version or 0,
        type=row.type or "",
        size=row.size,
        parked_because=found.why,
        waiting=row.waiting,
        given_up=found.key != row.key,
    )
    for one in found.actions:
        answer.actions.add(action=one.action, actor=one.actor, reason=one.reason).act_time.FromDatetime(one.acted_at)
    return answer


def _detail(found: dlq.Detail) -> pb.DeadLetterDetail:
    raw = deadletter.raw_of(found.row)
    answer = pb.DeadLetterDetail(
        dead_letter=_dead_letter(found.row),
        raw_key=raw.key or b"",
        value=raw.value or b"",
        headers=[pb.RecordHeader(name=name, value=value or b"") for name, value in raw.headers],
        json=_json(raw),
        applied_version=found.applied,
    )
    for one in found.actions:
        answer.actions.add(action=one.action, actor=one.actor, reason=one.reason).act_time.FromDatetime(one.acted_at)
    return answer


def _json(raw: RawRecord) -> str:
    """A record's content for people; empty where it has none that can be read."""
    try:
        message = decode(raw).message
        return MessageToJson(message, preserving_proto_field_name=True, ensure_ascii=False) if message else ""
    except Exception:  # its value may be anything, and its topic may be gone: the record is to be looked at all the same
        return ""


def _dead_letter(row: Any) -> pb.DeadLetter:
    found = pb.DeadLetter(
        id=str(row.id),
        group=row.consumer_group,
        topic=row.topic,
        partition=row.partition,
        offset=row.offset,
        key=row.key,
        version=row.version,
        state=_NUMBERS[row.state],
        reason=row.reason,
        attempts=row.attempts,
    )
    found.first_failed_at.FromDatetime(row.first_failed_at)
    found.last_failed_at.FromDatetime(row.last_failed_at)
    return found


def _group(handling: Handling) -> pb.Group:
    topic = topics.load().named(handling.listen.topic)
    return pb.Group(
        name=handling.group, topic=topic.name, topic_owner=topic.owner, rebuildable=handling.listen.projection is not None
    )


def _job(service: str, row: Any) -> pb.Job:
    found = pb.Job(
        service=service,
        id=str(row.id),
        kind=row.kind,
        subject=row.subject,
        position=row.position,
        records=row.records,
        removed=row.removed,
        failed=row.failed,
        failure=row.failure,
        actor=row.actor,
        reason=row.reason,
    )
    found.create_time.FromDatetime(row.created_at)
    if row.finished_at:
        found.finish_time.FromDatetime(row.finished_at)
    return found


def _personal(record: PersonalRecord) -> personal_pb.PersonalRecord:
    found = personal_pb.PersonalRecord(
        name=record.name,
        kind=record.kind,
        fields=record.fields,
        purpose=record.purpose,
        legal_basis=record.legal_basis,
        source=record.source,
        retain_until=record.retain_until.isoformat(),
    )
    found.create_time.FromDatetime(record.created_at)
    return found


def _paper(paper: Paper, file_name: str = "") -> personal_pb.PersonalPaper:
    return personal_pb.PersonalPaper(name=paper.name, kind=paper.kind, attached_to=paper.attached_to, file_name=file_name)
