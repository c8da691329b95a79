"""Between messages and rows of applications and calls; what callers write is checked here."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import body_pb2
from chassis.clock import business_date, parsed_date
from chassis.errors import Violation
from chassis.etag import etag
from chassis.personal import screen
from chassis.wellformed import trimmed
from registry.applications.store import ApplicationRow, CallRow
from registry.domain.calls import CLOSING, window
from registry.domain.facts import Value
from registry.domain.names import Programme
from registry.domain.procedure import FILLED_IN, PARTIES, STATES, Procedure, Refusal, State, Step
from registry.mapping.checks import bad_date, coded
from registry.mapping.versions import stamp

FACTS_OF: Mapping[int, str] = {
    Programme.CERTIFICATION: "certification",
    Programme.MAJOR_ADJUSTMENT: "major_adjustment",
    Programme.PERFORMANCE: "performance",
    Programme.EMPLOYEE_INTAKE: "employee_intake",
    Programme.CHALLENGE: "challenge",
    Programme.MEETING: "meeting",
}
"""Which field holds the facts of a programme's applications."""
APPLICATION_FIELDS = ("display_name", *FACTS_OF.values())
_DAY = ("_on", "_since")
_LISTING, _LISTING_NAME = "listing", re.compile(r"listings/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_YEARS = (2023, 2100)


def call_problems(given: pb.ApplicationCall) -> list[Violation]:
    """Everything that is wrong with a call as it was written."""
    return [*_programme(given.programme), *_year(given.year), *_window(given)]


def _programme(programme: int) -> Iterator[Violation]:
    if programme not in Programme._value2member_map_:
        yield Violation("programme", "required", "请填写程序", "the programme is required; see Programme")


def _year(year: int) -> Iterator[Violation]:
    first, last = _YEARS
    if not first <= year <= last:
        yield Violation("year", "range", f"年度须在 {first}–{last} 之间", f"the year is between {first} and {last}")


def _window(given: pb.ApplicationCall) -> Iterator[Violation]:
    opens, closes = parsed_date(given.opens_on), parsed_date(given.closes_on)
    for field, text, day in (("opens_on", given.opens_on, opens), ("closes_on", given.closes_on, closes)):
        if text and day is None:
            yield bad_date(field)
    if closes and closes.year < given.year - 1:
        yield Violation(
            "closes_on",
            "range",
            f"{given.year} 年度的征集不会在 {closes} 截止；请改日期或年度",
            f"a call of {given.year} does not close on {closes}; mend the day or the year",
        )
    if opens and closes and closes < opens:
        yield Violation("closes_on", "order", "截止日早于起始日；请修改其一", "it closes before it opens; mend one of them")
    if given.programme not in Programme._value2member_map_:
        return
    programme = Programme(given.programme)
    allowed = window(programme, given.year)
    if programme in CLOSING and not given.closes_on and allowed.closes_on is None:
        clause = CLOSING[programme]
        yield Violation(
            "closes_on",
            clause,
            f"该遴选须有申报截止日（{clause}）；请填写 closes_on",
            f"such a call names the last day for applications ({clause}); enter closes_on",
        )
    for field, day in (("opens_on", opens), ("closes_on", closes)):
        if day and not allowed.holds(day):
            yield Violation(
                field,
                "window",
                f"受理时间须在文件规定的 {allowed.opens_on or '…'} 至 {allowed.closes_on or '…'} 之内",
                f"it takes applications within {allowed.opens_on or '…'} to {allowed.closes_on or '…'}, as the document says",
            )


def application_problems(given: pb.Application) -> list[Violation]:
    """Everything that is wrong with an application as it was written, in which codes take the place of names."""
    return [*_programme(given.programme), *_title(given), *coded(given), *_facts(given)]


def changeable(procedure: Procedure, state: State) -> list[str]:
    """The fields of an application of a programme that can be changed in a state."""
    title = ["display_name"] if state in FILLED_IN else []
    facts = FACTS_OF.get(procedure.programme)
    return [*title, facts] if facts and state in procedure.facts_in else title


def untimely_facts(procedure: Procedure, state: State) -> Violation:
    """What is wrong with facts in a state in which the rest is filled in, and they are not."""
    states = [STATES[one] for one in sorted(procedure.facts_in)]
    zh, en = "、".join(zh for zh, _ in states), " or ".join(en for _, en in states)
    return Violation(
        FACTS_OF[procedure.programme],
        procedure.clause,
        f"该程序的事实于“{zh}”阶段填报，现为“{STATES[state][0]}”；请去掉，届时再填",
        f"facts of this programme are entered while it is {en}, and it is {STATES[state][1]}; leave them out until then",
    )


def _title(given: pb.Application) -> Iterator[Violation]:
    given.display_name = trimmed(given.display_name)
    if not 2 <= len(given.display_name) <= 200 or len(given.display_name.splitlines()) > 1:
        yield Violation("display_name", "length", "标题须为一行，2–200 个字", "the title is one line of 2 to 200 characters")
    yield from screen("display_name", given.display_name)


def _facts(given: pb.Application) -> Iterator[Violation]:
    kind = given.WhichOneof("facts")
    if kind and kind != FACTS_OF.get(int(given.programme)):
        yield Violation(
            kind, "facts-kind", f"{kind} 与程序不符；请去掉", f"{kind} does not belong to this programme; leave it out"
        )
        return
    for leaf, value in getattr(given, kind).ListFields() if kind else ():
        yield from _fact(f"{kind}.{leaf.name}", leaf.name, value)


def _fact(path: str, name: str, value: Any) -> Iterator[Violation]:
    if name.endswith(_DAY) and parsed_date(value) is None:
        yield bad_date(path)
    elif name.endswith("_percent") and not 0 <= value <= 100:
        yield Violation(path, "range", "百分比须在 0–100 之间", "a share is between 0 and 100 percent")
    elif type(value) is int and value < 0:
        yield Violation(path, "range", "不能为负数；未知请不填", "it can't be negative; leave it out where unknown")
    elif name == _LISTING:
        yield from [] if _LISTING_NAME.fullmatch(value) else [_no_listing(path), *screen(path, value)]
    elif isinstance(value, str):
        yield from screen(path, value)  # facts ride on topics, whoever they are about


def _no_listing(path: str) -> Violation:
    """Of the form alone: which listings there are, and whose, is known to the listings service, and registry asks nobody."""
    return Violation(
        path,
        "name",
        "须为出题信息的名称 listings/…（alliance listing list 所示）；没有请留空并附题目材料（PROBLEM）",
        "it is the name of the listing that sets it, listings/… as alliance listing list shows it; leave it empty for none, "
        "and attach what is asked (PROBLEM)",
    )


def candidate_problems(given: pb.Application, known: str = "") -> list[Violation]:
    """Who the candidate is lies apart, and nobody writes it here; `known` is the record that the application refers to."""
    if given.employee_intake.candidate in ("", known):
        return []
    return [
        Violation(
            "employee_intake.candidate",
            "personal-data",
            "候选人的个人信息由平台另行保管；请留空，并用 SetCandidate（alliance application candidate set）登记",
            "who the candidate is is kept apart; leave it empty, and use SetCandidate (alliance application candidate set)",
        )
    ]


def entered(message: pb.Application) -> dict[str, Value]:
    """What was entered of an application."""
    kind = message.WhichOneof("facts")
    found: dict[str, Value] = {}
    for leaf, value in getattr(message, kind).ListFields() if kind else ():
        if leaf.name.endswith(_DAY):
            found[leaf.name] = date.fromisoformat(value)
        elif leaf.enum_type:
            prefix = leaf.enum_type.values[0].name.removesuffix("UNSPECIFIED")
            found[leaf.name] = leaf.enum_type.values_by_number[value].name.removeprefix(prefix)
        else:
            found[leaf.name] = value
    return found


def call_row(message: pb.ApplicationCall, version: int, now: datetime) -> CallRow:
    """The row of a call in a new version; sets its etag and times."""
    stamp(message, version, now)
    return CallRow(
        name=message.name,
        version=version,
        programme=message.programme,
        year=message.year,
        authority=message.authority,
        create_time=message.create_time.ToDatetime(tzinfo=now.tzinfo),
        content=message.SerializeToString(deterministic=True),
    )


def call_message(row: CallRow) -> pb.ApplicationCall:
    """The call of a row."""
    message = pb.ApplicationCall.FromString(row.content)
    message.etag = etag(row.version)
    return message


def application_row(
    message: pb.Application, version: int, due_on: date | None, remind_on: date | None, now: datetime
) -> ApplicationRow:
    """The row of an application in a new version; sets its etag and times."""
    stamp(message, version, now)
    return ApplicationRow(
        name=message.name,
        version=version,
        programme=message.programme,
        state=message.state,
        applicant=message.applicant,
        body=message.body,
        call=message.call,
        authority=message.authority,
        due_on=due_on,
        remind_on=remind_on,
        create_time=message.create_time.ToDatetime(tzinfo=now.tzinfo),
        content=message.SerializeToString(deterministic=True),
    )


def application_message(row: ApplicationRow) -> pb.Application:
    """The application of a row."""
    message = pb.Application.FromString(row.content)
    message.etag = etag(row.version)
    return message


def keep_scores_back(message: pb.Application, actor: str) -> None:
    """Leave out the scores that others gave, and their reasons."""
    for step in message.steps:
        if step.HasField("score") and step.actor != actor:
            step.ClearField("score")
            step.ClearField("reason")


def evaluation_message(row: ApplicationRow) -> pb.PublishedEvaluation:
    """The published result of an evaluation."""
    message = application_message(row)
    last = {one.step: one for one in message.steps}
    return pb.PublishedEvaluation(
        application=message.name,
        display_name=message.display_name,
        organization=message.applicant,
        authority=message.authority,
        evaluator=last["report"].organization,
        score=last["report"].score,
        published_on=business_date(last["publish"].take_time.ToDatetime(tzinfo=UTC)).isoformat(),
    )


def step_message(step: Step, refusal: Refusal | None) -> pb.ProcedureStep:
    """A step as it is offered."""
    message = pb.ProcedureStep(
        step=step.name,
        clause=step.clause,
        states=[int(state) for state in step.at],  # type: ignore[misc]
        next_state=int(step.to) if step.to else 0,  # type: ignore[arg-type]
        parties=[" · ".join(PARTIES[party]) for party in step.by],
        documents=[*step.documents, *step.brings],
        inputs=step.asks,
        optional_inputs=step.takes,
    )
    message.title.zh, message.title.en = step.title
    if refusal:
        message.refusal.zh, message.refusal.en = refusal.zh, refusal.en
    return message


def evidence(
    procedure: Procedure, documents: Sequence[pb.ApplicationDocument], kinds: Sequence[str]
) -> list[body_pb2.RuleEvidence]:
    """Which of an application's documents are of some kinds; none of a kind that is missing."""
    found = []
    for kind in kinds:
        attached = [one.document for one in documents if one.kind == kind]
        found.append(body_pb2.RuleEvidence(kind=kind, documents=attached))
        found[-1].title.zh, found[-1].title.en = procedure.documents[kind]
    return found


def document_problems(
    procedure: Procedure, attached: Sequence[pb.ApplicationDocument], given: Sequence[pb.ApplicationDocument]
) -> list[Violation]:
    """What is wrong with the documents that are to be attached, beside those that are."""
    return [*_kinds(procedure, given), *_two_kinds([*attached, *given])]


def _two_kinds(documents: Sequence[pb.ApplicationDocument]) -> Iterator[Violation]:
    """A document counts as one of the kinds that a step asks for.

    Two uploads are two documents, also of the same bytes: a scan may hold both papers, and one byte more would make them
    differ. What they hold is for whoever checks them.
    """
    kinds: dict[str, str] = {}
    for one in documents:
        first = kinds.setdefault(one.document, one.kind)
        if first != one.kind:
            yield Violation(
                "documents.kind",
                "two-kinds",
                f"同一材料已作为 {first}，不能兼作 {one.kind}；请另行上传",
                f"this document is attached as {first} already and is no {one.kind}; upload another one",
            )


def _kinds(procedure: Procedure, given: Sequence[pb.ApplicationDocument]) -> list[Violation]:
    known = "、".join(f"{kind} {zh}" for kind, (zh, _) in procedure.documents.items())
    return [
        Violation(
            "documents.kind",
            "kind",
            f"没有材料种类 {one.kind[:40]}；可用：{known}",
            f"there is no kind {one.kind[:40]}; known: {known}",
        )
        for one in given
        if one.kind not in procedure.documents
    ]
