"""`alliance application`: applications 申报 and other procedures of the programmes, step by step."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from google.protobuf.field_mask_pb2 import FieldMask

from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import application_service_pb2 as rpc
from alliance.registry.v1.body_pb2 import RuleFinding
from alliance_cli import changes, facts, naming, stubs
from alliance_cli.commands import candidate
from alliance_cli.commands.body import FINDING_COLUMNS, HISTORY_COLUMNS, At, at_that_time
from alliance_cli.commands.document import attached
from alliance_cli.errors import explained
from alliance_cli.output import Column, called, ident, instant, short, show, show_one, value_of
from alliance_cli.session import call, context, t

app = typer.Typer(no_args_is_help=True, help="申报与程序 · applications")
app.add_typer(candidate.app, name="candidate")
_programme = short(pb.Programme, "PROGRAMME_")
_called = called(pb.Programme, "PROGRAMME_")
_state = called(pb.ApplicationState, "APPLICATION_STATE_")
_certified_kind = called(pb.CertifiedKind, "CERTIFIED_KIND_")
_certification_state = called(pb.CertificationState, "CERTIFICATION_STATE_")
STEP_COLUMNS: list[Column] = [
    ("步骤", "step", lambda s: s.step),
    ("名称", "title", lambda s: _said(s.title)),
    ("条款", "clause", lambda s: s.clause),
    ("办理", "by", lambda s: "\n".join(s.parties)),
    ("材料", "documents", lambda s: ", ".join(s.documents)),
    ("须填", "asks", lambda s: ", ".join([*s.inputs, *(t(f"可填 {one}", f"{one} (may)") for one in s.optional_inputs)])),
    ("障碍", "in the way", lambda s: _said(s.refusal)),
]
CATALOGUE_COLUMNS: list[Column] = [
    ("对象", "kind", lambda c: _certified_kind(c.kind)),
    ("单位", "organization", lambda c: c.display_name),
    ("地区", "region", lambda c: c.region_code),
    ("行业", "industry", lambda c: c.industry_code),
    ("状态", "state", lambda c: _certification_state(c.state)),
    ("培育", "cultivated", lambda c: c.cultivated_on),
    ("认证", "certified", lambda c: c.certified_on),
    ("退出", "exited", lambda c: c.exited_on),
    ("申报", "application", lambda c: ident(c.application)),
]
COUNT_COLUMNS: list[Column] = [
    ("发布", "published", lambda c: c.published),
    ("承接", "taken on", lambda c: c.taken_on),
    ("完成", "completed", lambda c: c.completed),
]
Programme = Annotated[str, typer.Argument(help=f"程序 · one of {', '.join(map(_programme, pb.Programme.values()[1:]))}")]
Fact = Annotated[
    list[str] | None,
    typer.Option("--fact", metavar="NAME=VALUE", help="事实，可重复 · a fact; repeatable"),
]


def _columns(names: Mapping[str, str]) -> list[Column]:
    return [
        ("编号", "id", lambda a: ident(a.name)),
        ("程序", "programme", lambda a: _called(a.programme)),
        ("标题", "title", lambda a: a.display_name),
        ("申报单位", "applicant", lambda a: names.get(a.applicant, "")),
        ("状态", "state", lambda a: _state(a.state)),
        ("截止", "due", lambda a: a.due_on),
    ]


def _details(names: Mapping[str, str]) -> list[Column]:
    return [
        *_columns(names),
        ("截止事项", "due for", lambda a: _said(a.due_title)),
        ("组织", "body", lambda a: ident(a.body)),
        ("征集", "call", lambda a: ident(a.call)),
        ("主管单位", "authority", lambda a: names.get(a.authority, "")),
        ("事实", "facts", facts.known),
        ("材料", "documents", lambda a: "\n".join(f"{one.kind} {ident(one.document)}" for one in a.documents)),
        ("版本", "etag", lambda a: a.etag),
    ]


def _taken(names: Mapping[str, str]) -> list[Column]:
    return [
        ("时间", "time", lambda s: instant(s.take_time)),
        ("步骤", "step", lambda s: s.step),
        ("名称", "title", lambda s: _said(s.title)),
        ("之后", "state after", lambda s: _state(s.state)),
        ("单位", "organization", lambda s: names.get(s.organization, "")),
        ("经办", "actor", lambda s: s.actor),
        ("原因", "reason", lambda s: s.reason),
        ("指明", "names", lambda s: " ".join(one for one in (names.get(s.named_organization), s.named_principal) if one)),
        ("评分", "score", lambda s: s.score if s.HasField("score") else ""),
    ]


def _show(found: pb.Application) -> None:
    named = (one for step in found.steps for one in (step.organization, step.named_organization))
    names = naming.shown(found.applicant, found.authority, *named)
    show_one(found, _details(names))
    if context.output != "json":
        show(found.steps, _taken(names))


def _show_evaluations(found: Sequence[pb.PublishedEvaluation]) -> None:
    names = naming.shown(*(name for one in found for name in (one.organization, one.authority, one.evaluator)))
    show(found, _evaluations(names), title=t("第三方评价（R33）", "third-party evaluations (R33)"))


def _evaluations(names: Mapping[str, str]) -> list[Column]:
    return [
        ("评价", "evaluation", lambda e: ident(e.application)),
        ("单位", "organization", lambda e: names.get(e.organization, "")),
        ("标题", "title", lambda e: e.display_name),
        ("委托", "authority", lambda e: names.get(e.authority, "")),
        ("机构", "evaluator", lambda e: names.get(e.evaluator, "")),
        ("评分", "score", lambda e: e.score),
        ("公布", "published", lambda e: e.published_on),
    ]


def _said(text: object) -> str:
    return str(getattr(text, context.language))


def _evidence(finding: RuleFinding) -> str:
    missing = t("缺 ", "missing: ")
    return "\n".join(f"{'' if one.documents else missing}{_said(one.title)} {one.kind}" for one in finding.evidence)


@app.command("list")
def list_(
    programme: Annotated[str, typer.Option(help="程序 · programme")] = "",
    state: Annotated[str, typer.Option(help="状态 · state")] = "",
    body: Annotated[str, typer.Option(help="组织 · body")] = "",
) -> None:
    """列出参与的申报 · list applications that you have a part in."""
    with explained():
        request = rpc.ListApplicationsRequest(
            page_size=naming.PAGE,
            programmes=[value_of(pb.Programme, "PROGRAMME_", programme)] if programme else [],
            states=[value_of(pb.ApplicationState, "APPLICATION_STATE_", state)] if state else [],
            body=naming.body(body) if body else "",
        )
        found = naming.every(stubs.applications().ListApplications, request, "applications")
        show(found, _columns(naming.shown(*(one.applicant for one in found))))


@app.command("show")
def show_(application: str) -> None:
    """查看申报及其经过 · show one application and what has happened."""
    with explained():
        _show(call(stubs.applications().GetApplication, rpc.GetApplicationRequest(name=_named(application))))


@app.command()
def create(
    programme: Programme,
    title: str,
    call_: Annotated[str, typer.Option("--call", help="征集编号，见 call list · id of the call")],
    applicant: Annotated[str, typer.Option(help="申报单位，缺省为本单位 · whom it is for; your own where left out")] = "",
    body: Annotated[str, typer.Option(help="组织 · the body that it is for")] = "",
    fact: Fact = None,
) -> None:
    """起草 · begin an application."""
    with explained():
        draft = pb.Application(
            programme=value_of(pb.Programme, "PROGRAMME_", programme),
            display_name=title,
            applicant=naming.organization(applicant),
            call=naming.resource("calls", call_),
            body=naming.body(body) if body else "",
        )
        facts.enter(draft, fact or ())
        request = rpc.CreateApplicationRequest(application=draft)
        _show(call(stubs.applications().CreateApplication, request))


@app.command()
def update(
    application: str,
    title: Annotated[str | None, typer.Option(help="标题 · title")] = None,
    fact: Fact = None,
    etag: Annotated[str, typer.Option(help=changes.ETAG)] = "",
    reason: Annotated[str, typer.Option(help="原因 · why")] = "",
) -> None:
    """修改草稿 · change a draft, or what was returned."""
    with explained():
        changed = call(stubs.applications().GetApplication, rpc.GetApplicationRequest(name=_named(application)))
        paths = changes.enter(changed, display_name=title) + facts.enter(changed, fact or ())
        changes.require(paths)
        changed.etag = changes.etag(etag) or changed.etag
        request = rpc.UpdateApplicationRequest(application=changed, update_mask=FieldMask(paths=paths), reason=reason)
        _show(call(stubs.applications().UpdateApplication, request))


@app.command()
def attach(
    application: str,
    document: Annotated[list[str], typer.Option(metavar="KIND=FILE", help="材料，可重复 · a document; repeatable")],
    etag: Annotated[str, typer.Option(help=changes.ETAG)] = "",
) -> None:
    """附材料，到提交时仍在 · attach documents to a draft, or to what was returned; the steps find them there."""
    with explained():
        request = rpc.AttachDocumentsRequest(name=_named(application), etag=changes.etag(etag))
        with attached(document) as documents:
            request.documents.extend(documents)
            done = call(stubs.applications().AttachDocuments, request)
        _show(done)


@app.command()
def steps(
    application: Annotated[str, typer.Argument(help="申报编号，或程序名 · an application's id, or a programme")],
) -> None:
    """可办理的步骤 · the steps, and what is in their way for you."""
    with explained():
        known = {name(number): number for number in pb.Programme.values()[1:] for name in (_programme, _called)}
        request = (
            rpc.GetProcedureRequest(programme=known[application])
            if application in known
            else rpc.GetProcedureRequest(application=_named(application))
        )
        show(call(stubs.applications().GetProcedure, request).steps, STEP_COLUMNS)


@app.command()
def take(
    application: str,
    step: str,
    reason: Annotated[str, typer.Option(help="原因 · why")] = "",
    organization: Annotated[str, typer.Option(help="指明的单位 · the organization that the step names")] = "",
    principal: Annotated[str, typer.Option(help="指明的人员账号 · the principal that the step names")] = "",
    score: Annotated[int | None, typer.Option(help="评分 0–100 · score")] = None,
    day: Annotated[str, typer.Option(help="日期 · day, YYYY-MM-DD")] = "",
    document: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND=FILE", help="材料，可重复 · a document that comes with it; repeatable"),
    ] = None,
) -> None:
    """办理一步 · take a step."""
    with explained():
        request = rpc.TakeStepRequest(
            name=_named(application),
            step=step,
            reason=reason,
            named_organization=naming.organization(organization) if organization else "",
            named_principal=principal,
            score=score,
            day=day,
        )
        with attached(document or ()) as documents:
            request.documents.extend(documents)
            done = call(stubs.applications().TakeStep, request)
        _show(done)


@app.command()
def check(application: str, at: At = "") -> None:
    """逐条对照政策 · check against every rule, now or as it was said at a time."""
    with explained():
        request = rpc.CheckApplicationRequest(name=_named(application))
        found = call(stubs.applications().CheckApplication, request)
        if at:
            found = call(stubs.applications().CheckApplication, at_that_time(request, at, found.check_time))
        if context.output == "json":
            show_one(found, [])
            return
        columns = HISTORY_COLUMNS if at else [*FINDING_COLUMNS, ("佐证", "evidence", _evidence)]
        show(found.findings, columns, title=found.application)
        if found.evaluations:
            _show_evaluations(found.evaluations)


@app.command()
def catalogue(
    kind: Annotated[str, typer.Option(help="对象 · region, industry, enterprise")] = "",
    state: Annotated[str, typer.Option(help="状态 · cultivating, certified, exited")] = "",
    region: Annotated[str, typer.Option(help="地区，含下辖 · region and what lies in it, code or name")] = "",
    organization: Annotated[str, typer.Option("--org", help="单位 · organization")] = "",
) -> None:
    """产教融合型认证名录 · the catalogue of what is certified."""
    with explained():
        request = rpc.ListCertificationsRequest(
            page_size=naming.PAGE,
            kinds=[value_of(pb.CertifiedKind, "CERTIFIED_KIND_", kind)] if kind else [],
            states=[value_of(pb.CertificationState, "CERTIFICATION_STATE_", state)] if state else [],
            region_code=region,
            organization=naming.organization(organization) if organization else "",
        )
        found = naming.every(stubs.applications().ListCertifications, request, "certifications")
        show(found, CATALOGUE_COLUMNS)


@app.command()
def evaluations(organization: Annotated[str, typer.Option("--org", help="单位 · organization")] = "") -> None:
    """已公布的第三方评价结果 · published results of third-party evaluations."""
    with explained():
        request = rpc.ListEvaluationsRequest(
            page_size=naming.PAGE, organization=naming.organization(organization) if organization else ""
        )
        _show_evaluations(naming.every(stubs.applications().ListEvaluations, request, "evaluations"))


@app.command()
def challenges(
    body: Annotated[str, typer.Argument(help="组织 · body")],
    year: Annotated[int, typer.Option(help="征集年度 · year of the calls; all where left out")] = 0,
) -> None:
    """产业出题的发布、承接、完成数 · how many challenges were published, taken on and completed."""
    with explained():
        request = rpc.GetChallengeCountsRequest(body=naming.body(body), year=year)
        show_one(call(stubs.applications().GetChallengeCounts, request), COUNT_COLUMNS)


def _named(text: str) -> str:
    return naming.resource("applications", text)
