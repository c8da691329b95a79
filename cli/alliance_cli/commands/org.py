"""`alliance org`: organizations 单位 and what principals may do for them."""

from typing import Annotated

import typer
from google.protobuf.field_mask_pb2 import FieldMask

from alliance.common.v1 import access_pb2
from alliance.registry.v1 import grant_pb2, organization_pb2
from alliance.registry.v1 import registry_service_pb2 as rpc
from alliance_cli import changes, naming, stubs
from alliance_cli.errors import explained
from alliance_cli.output import Column, ident, instant, short, show, show_one, value_of
from alliance_cli.session import call

app = typer.Typer(no_args_is_help=True, help="单位 · organizations")
_type = short(organization_pb2.OrgType, "ORG_TYPE_")
_verification = short(organization_pb2.VerificationState, "VERIFICATION_STATE_")
_role = short(access_pb2.Role, "ROLE_")
_grant_state = short(grant_pb2.GrantState, "GRANT_STATE_")
COLUMNS: list[Column] = [
    ("编号", "id", lambda o: ident(o.name)),
    ("名称", "name", lambda o: o.display_name),
    ("类型", "type", lambda o: _type(o.org_type)),
    ("地区", "region", lambda o: o.region_code),
    ("信用代码", "credit code", lambda o: o.credit_code),
    ("核验", "verification", lambda o: _verification(o.verification)),
    ("更新", "updated", lambda o: instant(o.update_time)),
]
DETAILS: list[Column] = [
    *COLUMNS,
    ("行业", "industries", lambda o: ", ".join(o.industry_codes)),
    ("上级", "parent", lambda o: ident(o.parent)),
    ("外部编号", "external key", lambda o: o.external_key),
    ("版本", "etag", lambda o: o.etag),
]

Industries = Annotated[
    list[str] | None,
    typer.Option(help="行业代码或名称，可重复 · GB/T 4754 code or name; repeatable"),
]


@app.command("list")
def list_(
    name: Annotated[str, typer.Option(help="名称包含 · name contains")] = "",
    org_type: Annotated[str, typer.Option("--type", help="如 university · e.g. university")] = "",
) -> None:
    """列出单位 · list organizations."""
    request = rpc.ListOrganizationsRequest(page_size=naming.PAGE, display_name=name)
    if org_type:
        request.org_types.append(value_of(organization_pb2.OrgType, "ORG_TYPE_", org_type))
    with explained():
        show(naming.every(stubs.registry().ListOrganizations, request, "organizations"), COLUMNS)


@app.command("show")
def show_(organization: str) -> None:
    """查看单位 · show one organization."""
    with explained():
        name = naming.organization(organization)
        show_one(call(stubs.registry().GetOrganization, rpc.GetOrganizationRequest(name=name)), DETAILS)


@app.command()
def create(
    name: str,
    org_type: Annotated[str, typer.Option("--type")],
    region: Annotated[str, typer.Option(help="行政区划代码或名称 · GB/T 2260 code or name")] = "",
    industry: Industries = None,
    code: Annotated[str, typer.Option(help="统一社会信用代码 · unified social credit code")] = "",
    parent: str = "",
    key: Annotated[str, typer.Option(help="外部编号 · external key")] = "",
) -> None:
    """登记单位 · enter an organization."""
    organization = organization_pb2.Organization(
        display_name=name,
        org_type=value_of(organization_pb2.OrgType, "ORG_TYPE_", org_type),
        region_code=region,
        industry_codes=industry,
        credit_code=code,
        external_key=key,
    )
    with explained():
        if parent:
            organization.parent = naming.organization(parent)
        request = rpc.CreateOrganizationRequest(organization=organization)
        show_one(call(stubs.registry().CreateOrganization, request), COLUMNS)


@app.command()
def update(
    organization: str,
    name: Annotated[str | None, typer.Option(help="名称 · name")] = None,
    org_type: Annotated[str | None, typer.Option("--type", help="如 university · e.g. university")] = None,
    code: Annotated[str | None, typer.Option(help="统一社会信用代码 · unified social credit code")] = None,
    region: Annotated[str | None, typer.Option(help="行政区划代码或名称 · GB/T 2260 code or name")] = None,
    industry: Industries = None,
    parent: Annotated[str | None, typer.Option(help="上级单位 · organization that it belongs to")] = None,
    etag: Annotated[str, typer.Option(help=changes.ETAG)] = "",
    reason: Annotated[str, typer.Option(help="原因 · why")] = "",
) -> None:
    """修改单位，空值即清空 · change an organization; an empty value empties.

    名称、类型、信用代码或上级变动后须重新核验 · a new name, type, code or parent ends the verification.
    """
    with explained():
        changed = organization_pb2.Organization(name=naming.organization(organization), etag=changes.etag(etag))
        paths = changes.enter(
            changed,
            display_name=name,
            org_type=value_of(organization_pb2.OrgType, "ORG_TYPE_", org_type) if org_type else None,
            credit_code=code,
            region_code=region,
            industry_codes=industry or None,
            parent=naming.organization(parent) if parent else parent,
        )
        changes.require(paths)
        request = rpc.UpdateOrganizationRequest(organization=changed, update_mask=FieldMask(paths=paths), reason=reason)
        show_one(call(stubs.registry().UpdateOrganization, request), DETAILS)


@app.command()
def verify(organization: str, reason: Annotated[str, typer.Option(help="依据 · what it rests on")]) -> None:
    """核验单位 · verify an organization."""
    with explained():
        request = rpc.VerifyOrganizationRequest(name=naming.organization(organization), reason=reason)
        show_one(call(stubs.registry().VerifyOrganization, request), COLUMNS)


@app.command()
def grant(
    principal: str,
    role: Annotated[str, typer.Option(help="如 organization_editor, secretariat")],
    organization: Annotated[str, typer.Option("--org")] = "",
    body: str = "",
    reason: str = "",
) -> None:
    """授权 · grant a role to a principal."""
    with explained():
        granted = grant_pb2.Grant(principal=principal, role=value_of(access_pb2.Role, "ROLE_", role))
        if organization:
            granted.organization = naming.organization(organization)
        if body:
            granted.body = naming.body(body)
        request = rpc.CreateGrantRequest(grant=granted, reason=reason)
        show_one(call(stubs.registry().CreateGrant, request), GRANT_COLUMNS)


GRANT_COLUMNS: list[Column] = [
    ("编号", "id", lambda g: ident(g.name)),
    ("账号", "principal", lambda g: g.principal),
    ("角色", "role", lambda g: _role(g.role)),
    ("单位", "organization", lambda g: ident(g.organization)),
    ("组织", "body", lambda g: ident(g.body)),
    ("状态", "state", lambda g: _grant_state(g.state)),
]


@app.command()
def revoke(
    granted: Annotated[str, typer.Argument(metavar="GRANT", help="编号，见 org grants · id as `org grants` shows it")],
    reason: Annotated[str, typer.Option(help="原因 · why")],
) -> None:
    """撤销授权 · revoke a grant."""
    with explained():
        request = rpc.RevokeGrantRequest(name=naming.resource("grants", granted), reason=reason)
        show_one(call(stubs.registry().RevokeGrant, request), GRANT_COLUMNS)


@app.command()
def grants(principal: str = "", organization: Annotated[str, typer.Option("--org")] = "", body: str = "") -> None:
    """列出授权 · list grants."""
    with explained():
        request = rpc.ListGrantsRequest(
            principal=principal,
            organization=naming.organization(organization) if organization else "",
            body=naming.body(body) if body else "",
            page_size=naming.PAGE,
        )
        show(naming.every(stubs.registry().ListGrants, request, "grants"), GRANT_COLUMNS)
