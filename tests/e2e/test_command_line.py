"""The command line as staff and scripts use it: a process a call, its output, its exit code."""

import json
import stat
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alliance.common.v1 import access_pb2
from alliance.registry.v1 import organization_pb2
from alliance_cli.output import business_day
from alliance_local.control import Platform
from tests import world
from tests.e2e.conftest import logged_in
from tests.e2e.program import AWAY, NOT_ALLOWED, NOT_FOUND, REFUSED, USAGE, Alliance
from tests.world import Member


@pytest.fixture
def alliance(process: Alliance) -> Alliance:
    return process


@pytest.fixture(scope="module")
def program(platform: Platform, tmp_path_factory: pytest.TempPathFactory, somebody: Member) -> Alliance:
    """For the tests that leave nothing behind."""
    return logged_in(Alliance(platform, tmp_path_factory.mktemp("session")), somebody)


def test_a_session_is_its_owners_alone(program: Alliance) -> None:
    assert stat.S_IMODE(program.session.stat().st_mode) == 0o600


def test_a_rule_is_read_and_a_refusal_says_what_to_do(platform: Platform, alliance: Alliance) -> None:
    body = world.alliance(platform)
    alliance("login", world.OPERATOR)
    checked = alliance.json("body", "check", body.display_name)
    assert {"R10", "R11", "R12", "R13.1"} <= {one["rule"] for one in checked}
    refused = alliance("body", "form", body.name, "--reason", "试", code=REFUSED)
    assert "S0" in refused
    assert "FAILED_PRECONDITION" in refused
    english = alliance("--lang", "en", "body", "form", body.name, "--reason", "try", code=REFUSED)
    assert "secretariat" in english


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("listing", "invented"), USAGE),
        (("listing", "import"), USAGE),
        (("--lang", "fr", "listing", "list"), USAGE),
        (("listing", "list", "--kind", "invented"), USAGE),
        (("listing", "list", "--state", "invented"), USAGE),
        (("org", "create", "虚构示例", "--type", "invented"), USAGE),
        (("listing", "create", "/etc/hostname"), USAGE),
        (("listing", "show", "listings/01890000-0000-7000-8000-000000000000"), NOT_FOUND),
        (("org", "show", "没有这样的单位"), NOT_FOUND),
        (("org", "verify", "{own}", "--reason", "试"), NOT_ALLOWED),
        (("search", "工程师", "--region", "北就"), REFUSED),
    ],
)
def test_exit_codes_tell_scripts_what_happened(
    program: Alliance, somebody: Member, arguments: tuple[str, ...], code: int
) -> None:
    assert program(*(one.format(own=somebody.name) for one in arguments), code=code)


def test_a_service_that_is_away_is_worth_another_try(alliance: Alliance, tmp_path: Path) -> None:
    alliance("login", world.OPERATOR)
    session = json.loads(alliance.session.read_text())
    session["targets"] = dict.fromkeys(session["targets"], "127.0.0.1:1")
    alliance.session.write_text(json.dumps(session))
    empty = tmp_path / "nothing"
    empty.mkdir()
    alliance("listing", "list", code=AWAY, ALLIANCE_STATE_DIR=str(empty))


def test_one_listing_from_a_file_to_its_end(alliance: Alliance, tmp_path: Path) -> None:
    """Mark-up and control characters in what people wrote are shown as they are, and do nothing."""
    file = tmp_path / "listing.json"
    title = "[bold]封装[/x] [急招]"
    written = {"kind": "LISTING_KIND_JOB_POSITION", "title": title, "visibility": "VISIBILITY_PUBLIC", "jobPosition": {}}
    file.write_text(json.dumps({**written, "description": "旧"}), encoding="utf-8")
    name = alliance.json("listing", "create", str(file), "--publish")["name"]
    assert title in alliance("listing", "show", name)
    file.write_text(json.dumps({"quantity": 3, "regionCodes": ["110000"], "description": ""}), encoding="utf-8")
    revised = alliance.json("listing", "revise", name, str(file), "--reason", "扩招")
    assert (revised["quantity"], revised["region_codes"], revised["title"]) == (3, ["110000"], title)
    assert "description" not in revised
    file.write_text(json.dumps({"issuer": "organizations/a"}), encoding="utf-8")
    assert "update_mask" in alliance("listing", "revise", name, str(file), code=REFUSED)
    assert alliance.json("listing", "withdraw", name, "--reason", "招满")["state"] == "LISTING_STATE_WITHDRAWN"


def test_staff_see_what_their_role_lets_them(platform: Platform, alliance: Alliance) -> None:
    auditor = world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE, access_pb2.ROLE_AUDITOR)
    alliance("login", auditor.caller.sub, "--as", auditor.name)
    assert alliance.json("org", "show", auditor.name)["name"] == auditor.name
    alliance("org", "create", "虚构示例单位", "--type", "enterprise", code=NOT_ALLOWED)


def test_what_a_table_shows_can_be_typed(platform: Platform, alliance: Alliance, employer: Member) -> None:
    body, name = world.alliance(platform), world.unique("单位")
    alliance("login", world.OPERATOR)
    alliance("org", "create", name, "--type", "enterprise")
    (made,) = alliance.json("org", "list", "--name", name)
    identifier = made["name"].removeprefix("organizations/")
    assert identifier in alliance("org", "show", name)
    assert name in alliance("org", "show", identifier)
    alliance("body", "join", body.display_name, identifier, "--role", "participant", "--from", "2026-01-01")
    assert name in alliance("body", "members", body.name)
    change = ("body", "change-member", body.display_name, name)
    alliance(*change, code=USAGE)
    changed = alliance.json(*change, "--role", "vice_chair", "--role", "secretariat", "--to", "2026-06-30", "--reason", "换届")
    assert (changed["roles"], changed["valid_to"]) == (["MEMBER_ROLE_VICE_CHAIR", "MEMBER_ROLE_SECRETARIAT"], "2026-06-30")
    assert "valid_to" not in alliance.json(*change, "--to", "", "--etag", changed["etag"])
    assert "ABORTED" in alliance(*change, "--from", "2026-01-02", "--etag", changed["etag"], code=REFUSED)
    assert "valid_to" in alliance(*change, "--to", "2025-12-31", code=REFUSED)
    alliance("body", "leave", body.display_name, name, "--last", "2026-01-31", "--reason", "退出")
    again = ("body", "join", body.display_name, name, "--role", "participant", "--from")
    assert "2026-02-01" in alliance(*again, "2026-01-31", code=REFUSED), "the first day that is possible"
    assert alliance.json(*again, "2026-02-01")["valid_from"] == "2026-02-01"
    alliance("body", "leave", body.display_name, name, "--last", "2026-02-01", "--reason", "退出")
    (left, _) = alliance.json("body", "members", body.name.removeprefix("bodies/"))
    assert left["valid_to"] == "2026-01-31"
    alliance("body", "leave", body.display_name, employer.name, "--reason", "退出", code=NOT_FOUND)


def test_an_organization_loaded_without_a_code_gets_one_and_is_verified(alliance: Alliance) -> None:
    name, code = world.unique("单位"), world.credit_code()
    alliance("login", world.OPERATOR)
    alliance("org", "create", name, "--type", "university")
    alliance("org", "update", name, "--type", "enterprise")
    assert "credit_code" in alliance("org", "verify", name, "--reason", "试", code=REFUSED)
    refused = alliance("org", "update", name, "--code", code[:-1], "--industry", "C99", "--region", "朝阳区", code=REFUSED)
    for said in ("credit_code", "GB 32100", "industry_codes", "GB/T 4754", "region_code", "110105"):
        assert said in refused
    changed = alliance.json("org", "update", name, "--code", code, "--region", "北京", "--industry", "C39", "--industry", "65")
    assert (changed["credit_code"], changed["region_code"], changed["industry_codes"]) == (code, "110000", ["39", "65"])
    assert alliance.json("org", "verify", name, "--reason", "执照")["verification"] == "VERIFICATION_STATE_VERIFIED"
    renamed = world.unique("更名")
    assert "ABORTED" in alliance("org", "update", name, "--name", renamed, "--etag", changed["etag"], code=REFUSED)
    first, parent = (alliance.json("org", "create", world.unique("大学"), "--type", "university")["name"] for _ in range(2))
    college = alliance.json("org", "create", world.unique("学院"), "--type", "secondary_college", "--parent", first)
    assert renamed in alliance("org", "update", name, "--name", renamed, "--region", "", "--etag", "4")
    assert "region_code" not in alliance.json("org", "show", renamed)
    assert alliance.json("org", "update", college["name"], "--parent", parent)["parent"] == parent
    assert alliance.json("org", "show", renamed)["org_type"] == "ORG_TYPE_ENTERPRISE"
    assert "enterprise" in alliance("org", "update", renamed, "--type", "shop", code=USAGE)
    alliance("org", "update", renamed, code=USAGE)


def test_a_grant_that_is_revoked_is_in_force_no_more(alliance: Alliance, employer: Member) -> None:
    alliance("login", world.OPERATOR)
    made = alliance.json("org", "grant", world.unique("账号"), "--role", "organization_editor", "--org", employer.name)
    identifier = made["name"].removeprefix("grants/")
    assert identifier in alliance("org", "grants", "--org", employer.name)
    alliance("org", "revoke", identifier, code=USAGE)
    revoked = alliance.json("org", "revoke", identifier, "--reason", "离职")
    assert revoked["state"] == "GRANT_STATE_REVOKED"
    assert identifier not in alliance("org", "grants", "--org", employer.name)
    alliance("org", "revoke", "01890000-0000-7000-8000-000000000000", "--reason", "离职", code=NOT_FOUND)


def test_a_draft_gets_the_facts_that_the_check_asks_for(alliance: Alliance, employer: Member) -> None:
    name = world.unique("联盟")
    alliance("login", world.OPERATOR)
    create = ("body", "create", name, "--kind", "alliance", "--region", "110000", "--fact")
    assert "alliance.task_force" in alliance(*create, f"task_force={employer.name}", code=REFUSED)
    department, force = world.unique("部门"), world.unique("专班")
    alliance("org", "create", department, "--type", "gov_department")
    task_force = alliance.json("org", "create", force, "--type", "task_force", "--parent", department)["name"]
    made = alliance.json(*create, f"task_force={force}")
    assert (made["state"], made["alliance"]) == ("BODY_STATE_DRAFT", {"task_force": task_force})
    alliance("body", "join", name, employer.name, "--role", "secretariat", "--from", "2026-01-01")
    year = str(business_day(datetime.fromisoformat(made["update_time"])).year)
    typed = {
        "key_industry": name,
        "secretariat_full_time_staff": "5",
        "secretariat_space": "是",
        "secretariat_funding": "yes",
        "charter_adopted_on": "2026-01-05",
        "three_year_goals": "true",
        "annual_plan_year": year,
        "full_councils_in_year": "2",
    }
    asked = {one for finding in alliance.json("body", "check", name) for one in finding.get("missing", [])}
    assert asked == set(typed)
    seen = alliance.json("body", "show", name)["etag"]
    facts = [word for fact in typed.items() for word in ("--fact", "=".join(fact))]
    assert f"annual_plan_year={year}" in alliance("body", "update", name, *facts, "--etag", seen, "--reason", "补充")
    verdicts = {one["rule"]: one["verdict"] for one in alliance.json("body", "check", name)}
    assert {verdicts[rule] for rule in verdicts if rule not in ("R10.3", "R11")} == {"VERDICT_SATISFIED"}
    charter = alliance.json("body", "findings", name, "--rule", "R13.1")
    assert [one["verdict"] for one in charter] == ["VERDICT_SATISFIED", "VERDICT_CANNOT_BE_TOLD"]
    assert charter[0]["rule_version"] == "1"
    earlier = alliance.json("body", "check", name, "--at", charter[1]["since_time"])
    assert {one["rule"]: one["verdict"] for one in earlier}["R13.1"] == "VERDICT_CANNOT_BE_TOLD"
    assert "2026-03-31" in alliance("body", "check", name, "--at", "yesterday", code=USAGE)
    today = alliance.json("body", "show", name)["update_time"]
    day = business_day(datetime.fromisoformat(today))
    at_the_end = alliance.json("body", "check", name, "--at", str(day))
    assert {one["rule"]: one["verdict"] for one in at_the_end} == verdicts, "today is now"
    assert "登记于" in alliance("body", "check", name, "--at", str(day - timedelta(days=1)), code=NOT_FOUND)
    assert "尚未到来" in alliance("body", "check", name, "--at", str(day + timedelta(days=1)), code=REFUSED)
    assert "ABORTED" in alliance("body", "update", name, "--region", "310000", "--etag", seen, code=REFUSED)
    assert "charter_adopted_on" in alliance("body", "update", name, "--fact", "charter_adopted_on=明天", code=REFUSED)
    assert "key_industry" in alliance("body", "update", name, "--fact", "industry=x", code=USAGE)
    alliance("body", "update", name, code=USAGE)
    after = alliance.json("body", "update", name, "--fact", "secretariat_space=", "--region", "310000")
    assert (after["region_code"], after["alliance"]["task_force"]) == ("310000", task_force)
    assert "secretariat_space" not in after["alliance"]


def test_a_community_says_its_field(alliance: Alliance) -> None:
    name = world.unique("共同体")
    alliance("login", world.OPERATOR)
    assert "industry_code" in alliance(
        "body", "create", name, "--kind", "community", "--fact", "industry_code=C99", code=REFUSED
    )
    made = alliance.json("body", "create", name, "--kind", "community", "--fact", "industry_code=C39")
    assert made["community"] == {"industry_code": "39"}


def test_a_pilot_says_its_major_and_field(platform: Platform, alliance: Alliance) -> None:
    name, university = world.unique("试点"), world.organization(platform, organization_pb2.ORG_TYPE_UNIVERSITY)
    alliance("login", world.OPERATOR)
    typed = {"institution": university.name, "major_code": "计算机科学与技术", "call_year": "2026", "field": "人工智能"}
    facts = [word for fact in typed.items() for word in ("--fact", "=".join(fact))]
    made = alliance.json("body", "create", name, "--kind", "pilot_unit", *facts)
    assert (made["pilot_unit"]["field"], made["pilot_unit"]["major_code"]) == ("PILOT_FIELD_AI", "080901")
    assert "big_data" in alliance("body", "update", name, "--fact", "field=magic", code=USAGE)
    assert "080901" in alliance("body", "update", name, "--fact", "major_code=计算机科学", code=REFUSED)
    asked = {one for finding in alliance.json("body", "check", name) for one in finding.get("missing", [])}
    assert {"college", "enrolling_since", "cooperation_experience"} <= asked


def test_matches_are_told_by_their_titles(platform: Platform, alliance: Alliance, employer: Member) -> None:
    title = world.unique("封装")
    college = world.organization(platform, organization_pb2.ORG_TYPE_UNIVERSITY)
    demand = world.publish(employer, world.job(employer.name, title))
    supply = world.publish(college, world.talent(college.name, title))
    match = world.matched(employer, demand.name, supply.name)
    shown = alliance("match", "list", "--listing", demand.name.removeprefix("listings/"))
    assert shown.count(title) >= 2
    assert match.name.removeprefix("matches/") in shown
    why = alliance("match", "why", match.name)
    assert "具备技能“热仿真”" in why
    assert "双方有效至" in why
    found = alliance("search", title, "--facet", "kind", "--facet", "region")
    assert found.count(title) >= 2
    assert "人才供给" in found
    assert "kind, region, issuer, source" in alliance("search", title, "--facet", "colour", code=REFUSED)
