"""The command line as staff and scripts use it: a process a call, its output, its exit code, its receipts."""

import csv
import gzip
import json
import os
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from alliance.common.v1 import access_pb2
from alliance.matching.v1 import matching_service_pb2 as matching
from alliance.registry.v1 import organization_pb2
from alliance_local.control import Platform
from tests import world
from tests.world import Member

DONE, USAGE, NOT_FOUND, NOT_ALLOWED, REFUSED, AWAY, PARTLY = 0, 2, 3, 4, 5, 6, 7
USUAL = {
    "job_id": "",
    "title": "封装工程师",
    "description": "负责封装",
    "district": "",
    "city": "北京",
    "education": "本科",
    "headcount": "2",
    "keywords": "封装，热仿真",
    "experience": "",
    "salary_min_month": "",
    "salary_max_month": "",
    "source": "虚构",
}
HEADINGS = tuple(USUAL)
SAMPLE = os.environ.get("ALLIANCE_SAMPLE_DATA")
IMPORT = ("--kind", "job_position", "--map", "zh_job_postings")


class Alliance:
    """The program, with a session of its own."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        self.folder = folder
        self.session = folder / "session.json"
        self._environment = {
            **os.environ,
            "ALLIANCE_STATE_DIR": str(platform.state.root),
            "ALLIANCE_SESSION": str(self.session),
        }

    def __call__(self, *arguments: str, code: int = DONE, **environment: str) -> str:
        """What it prints; stderr where it fails, as it has to with `code`."""
        done = subprocess.run(
            [str(Path(sys.executable).parent / "alliance"), *arguments],
            env={**self._environment, **environment},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout if code in (DONE, PARTLY) else done.stderr

    def json(self, *arguments: str) -> Any:
        """What it prints, as data."""
        return json.loads(self("--output", "json", *arguments))

    def receipts(self, file: Path, *options: str, code: int = DONE, how: Sequence[str] = IMPORT) -> list[dict[str, str]]:
        """What became of every row of an imported file."""
        self("listing", "import", str(file), *how, *options, code=code)
        with Path(f"{file}.receipts.csv").open(encoding="utf-8-sig", newline="") as opened:
            return list(csv.DictReader(opened))


@pytest.fixture
def employer(platform: Platform) -> Member:
    return world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)


@pytest.fixture
def alliance(platform: Platform, tmp_path: Path, employer: Member) -> Alliance:
    """The program, logged in for an enterprise."""
    program = Alliance(platform, tmp_path)
    program("login", employer.caller.sub, "--as", employer.name)
    return program


@pytest.fixture(scope="module")
def somebody(platform: Platform) -> Member:
    return world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)


@pytest.fixture(scope="module")
def program(platform: Platform, tmp_path_factory: pytest.TempPathFactory, somebody: Member) -> Alliance:
    """The program, logged in once for the tests that leave nothing behind."""
    made = Alliance(platform, tmp_path_factory.mktemp("session"))
    made("login", somebody.caller.sub, "--as", somebody.name)
    return made


def rows(*changes: dict[str, str]) -> list[dict[str, str]]:
    """Postings that differ in these columns."""
    return [{**USUAL, "job_id": f"p-{number}", **one} for number, one in enumerate(changes)]


def written(file: Path, content: list[dict[str, str]]) -> Path:
    """A file in the form that its name says."""
    if file.suffix == ".xlsx":
        book = Workbook()
        for line in (HEADINGS, *(tuple(row.values()) for row in content)):
            book.active.append(line)  # type: ignore[union-attr]
        book.save(file)
        return file
    with gzip.open(file, "wt") if file.suffix == ".gz" else file.open("w", encoding="utf-8-sig") as opened:
        writer = csv.DictWriter(opened, HEADINGS)
        writer.writeheader()
        writer.writerows(content)
    return file


def test_a_session_is_its_owners_alone(program: Alliance) -> None:
    assert stat.S_IMODE(program.session.stat().st_mode) == 0o600


def test_a_rule_is_read_and_a_refusal_says_what_to_do(platform: Platform, alliance: Alliance) -> None:
    body = world.alliance(platform)
    alliance("login", world.OPERATOR)
    checked = alliance.json("body", "check", body.display_name)
    assert {"R10", "R11", "R12", "R13"} <= {one["rule"] for one in checked}
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
        (("search", "工程师", "--region", "北京"), REFUSED),
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


@pytest.mark.parametrize("name", ["posts.csv", "posts.csv.gz", "posts.xlsx"])
def test_a_file_goes_in_once_whatever_its_form(alliance: Alliance, employer: Member, tmp_path: Path, name: str) -> None:
    file = written(tmp_path / name, rows({}, {"title": "测试工程师"}, {"city": "上海"}))
    checked = alliance.receipts(file, "--dry-run")
    assert [(one["outcome"], one["listing"]) for one in checked] == [("accepted", "")] * 3
    assert alliance.json("listing", "list", "--issuer", employer.name) == []
    first = alliance.receipts(file)
    assert [one["outcome"] for one in first] == ["accepted"] * 3
    again = alliance.receipts(written(file, rows({}, {"title": "测试工程师"}, {"city": "广州"})))
    assert [one["outcome"] for one in again] == ["unchanged", "unchanged", "revised"]
    assert [one["listing"] for one in again] == [one["listing"] for one in first]


def test_a_bad_row_is_named_and_stops_no_good_one(alliance: Alliance, tmp_path: Path) -> None:
    wrong = [
        {"city": "火星"},
        {"title": ""},
        {"headcount": "-1"},
        {"headcount": "99999999999"},
        {"description": "加微信13812345678"},
    ]
    receipts = alliance.receipts(written(tmp_path / "posts.csv", rows({}, *wrong, {})), code=PARTLY)
    by_row = {int(one["row"]): one for one in receipts}
    assert [by_row[number]["outcome"] for number in range(1, 8)] == ["accepted", *["refused"] * 5, "accepted"]
    assert [by_row[number]["field"] for number in range(2, 7)] == [
        "region_codes",
        "title",
        "quantity",
        "quantity",
        "description",
    ]
    assert all(by_row[number]["rule"] and by_row[number]["message"] for number in range(2, 7))
    assert "13812345678" not in by_row[6]["message"]


def test_a_file_of_a_chinese_spreadsheet_is_read_too(alliance: Alliance, tmp_path: Path) -> None:
    file = written(tmp_path / "posts.csv", rows({"title": "封装工艺工程师"}))
    file.write_bytes(file.read_text(encoding="utf-8-sig").encode("gb18030"))
    (receipt,) = alliance.receipts(file)
    assert alliance.json("listing", "show", receipt["listing"])["title"] == "封装工艺工程师"


@pytest.mark.parametrize("name", ["posts.csv.xlsx", "posts.csv.gz", "posts.doc"])
def test_a_file_that_is_none_is_named(program: Alliance, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x00\xff nothing of the kind")
    assert ".csv" in program("listing", "import", str(tmp_path / name), *IMPORT, code=USAGE)


def test_a_wrong_mapping_is_refused_before_anything_is_sent(program: Alliance, tmp_path: Path) -> None:
    file, mapping = written(tmp_path / "posts.csv", rows({})), tmp_path / "map.yaml"
    for wrong, named, right in [
        ("{titel: title}", "titel", "title"),
        ("{title: title, visibility: {value: VISIBILITY_PUBLIK}}", "visibility", "VISIBILITY_PUBLIC"),
        ("{title: title, quantity: {value: two}}", "quantity", "整数"),
    ]:
        mapping.write_text(f"{{source: s, key: job_id, fields: {wrong}}}", encoding="utf-8")
        refused = program("listing", "import", str(file), "--kind", "job_position", "--map", str(mapping), code=USAGE)
        assert named in refused
        assert right in refused
    assert not Path(f"{file}.receipts.csv").exists()


def test_a_cell_that_cannot_be_converted_refuses_its_row_alone(alliance: Alliance, tmp_path: Path) -> None:
    mapping = tmp_path / "map.yaml"
    mapping.write_text(
        """
        source: cells
        key: job_id
        fields:
          title: title
          visibility: {column: source, values: {虚构: VISIBILITY_PUBLIC}}
          quantity: headcount
          job_position.salary.min: {column: salary_min_month, number: true}
          job_position.salary.max: {column: salary_min_month, number: true}
        """,
        encoding="utf-8",
    )
    changes = {"headcount": "两人"}, {"source": "内部"}, {"salary_min_month": "250元/天"}, {"salary_min_month": "1-1.5万·13薪"}
    heading = {name: name for name in HEADINGS}
    file = written(tmp_path / "posts.csv", [*rows({}, *changes), heading])
    receipts = alliance.receipts(file, code=PARTLY, how=("--kind", "job_position", "--map", str(mapping)))
    by_row = {int(one["row"]): one for one in receipts}
    assert [by_row[number]["outcome"] for number in range(1, 7)] == ["accepted", *["refused"] * 3, "accepted", "refused"]
    fields = ["quantity", "visibility", "job_position.salary.min", "external_key"]
    assert [by_row[number]["field"] for number in (2, 3, 4, 6)] == fields
    assert all(by_row[number]["message"] for number in (2, 3, 4, 6))
    salary = alliance.json("listing", "show", by_row[5]["listing"])["job_position"]["salary"]
    assert salary == {"min": 10_000, "max": 15_000}


def test_receipts_that_cannot_be_written_stop_the_import_before_it_begins(
    alliance: Alliance, employer: Member, tmp_path: Path
) -> None:
    file = written(tmp_path / "posts.csv", rows({}))
    content = file.read_bytes()
    for target in (tmp_path / "nowhere" / "x.csv", tmp_path, file):
        refused = alliance("listing", "import", str(file), *IMPORT, "--receipts", str(target), code=USAGE)
        assert "Traceback" not in refused
    assert alliance.json("listing", "list", "--issuer", employer.name) == []
    assert file.read_bytes() == content


def test_a_column_that_the_file_lacks_is_named_with_those_there(program: Alliance, tmp_path: Path) -> None:
    file = tmp_path / "posts.csv"
    file.write_text("编号,title,city\n1,工程师,北京\n", encoding="utf-8")
    refused = program("listing", "import", str(file), *IMPORT, code=REFUSED)
    assert "job_id" in refused
    assert "编号, title, city" in refused


@pytest.mark.parametrize("content", ["", "job_id,title,city\n"])
def test_a_file_without_rows_says_so(program: Alliance, tmp_path: Path, content: str) -> None:
    file = tmp_path / "posts.csv"
    file.write_text(content, encoding="utf-8")
    assert "no rows" in program("--lang", "en", "listing", "import", str(file), *IMPORT, code=REFUSED)


@pytest.mark.parametrize(
    ("name", "separator", "encoding"),
    [("posts.csv", ";", "utf-8"), ("posts.csv", "\t", "utf-16"), ("POSTS.CSV", ",", "utf-16")],
)
def test_other_separators_and_encodings_are_read(
    alliance: Alliance, tmp_path: Path, name: str, separator: str, encoding: str
) -> None:
    file = tmp_path / name
    with file.open("w", encoding=encoding, newline="") as opened:
        writer = csv.DictWriter(opened, HEADINGS, delimiter=separator)
        writer.writeheader()
        writer.writerows(rows({"title": "封装；测试, 工艺"}))
    (receipt,) = alliance.receipts(file)
    assert alliance.json("listing", "show", receipt["listing"])["title"] == "封装；测试, 工艺"


def test_days_and_numbers_of_a_spreadsheet_are_read_as_such(alliance: Alliance, tmp_path: Path) -> None:
    file, mapping = tmp_path / "POSTS.XLSX", tmp_path / "map.yaml"
    fields = "{title: 标题, valid_to: 截止, quantity: 人数, visibility: {value: VISIBILITY_PUBLIC}, job_position.majors: 专业}"
    mapping.write_text(f"{{source: sheet, key: 编号, fields: {fields}}}", encoding="utf-8")
    book = Workbook()
    for line in (("编号", "标题", "截止", "人数", "专业"), (7, "封装工程师", datetime(2099, 4, 20), 2.0, "微电子")):
        book.active.append(line)  # type: ignore[union-attr]
    book.save(file)
    (receipt,) = alliance.receipts(file, how=("--kind", "job_position", "--map", str(mapping)))
    assert receipt["external_key"] == "7"
    shown = alliance.json("listing", "show", receipt["listing"])
    assert (shown["valid_to"], shown["quantity"], shown["job_position"]["majors"]) == ("2099-04-20", 2, ["微电子"])


def test_a_dry_run_foresees_a_key_that_comes_again_in_a_later_chunk(alliance: Alliance, tmp_path: Path) -> None:
    again = [{"job_id": "p-0", "title": "测试工程师"}, {"job_id": "p-1"}]
    file = written(tmp_path / "posts.csv", rows(*[{}] * 500, *again))
    foreseen = Counter(one["outcome"] for one in alliance.receipts(file, "--dry-run"))
    assert foreseen == Counter(one["outcome"] for one in alliance.receipts(file))
    assert foreseen == {"accepted": 500, "revised": 1, "unchanged": 1}


@pytest.mark.skipif(not SAMPLE, reason="ALLIANCE_SAMPLE_DATA is not set: no real postings here")
def test_real_postings_that_nobody_shaped_for_us(platform: Platform, alliance: Alliance, employer: Member) -> None:
    """Every row has its receipt, every accepted one is found, and the second time nothing changes."""
    file = Path(str(SAMPLE)) / "data/texts/zh_job_postings_sample.csv.gz"
    kept = alliance.folder / file.name
    kept.write_bytes(file.read_bytes())
    outcomes = Counter({int(one["row"]): one["outcome"] for one in alliance.receipts(kept, code=PARTLY)}.values())
    assert outcomes == {"accepted": 4977, "refused": 23}
    world.settle(platform)
    request = matching.SearchListingsRequest(issuer=employer.name, page_size=1)
    assert employer.caller.matching.SearchListings(request).total_size == 4977
    again = Counter({int(one["row"]): one["outcome"] for one in alliance.receipts(kept, code=PARTLY)}.values())
    assert again == {"unchanged": 4977, "refused": 23}


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
    alliance("body", "leave", body.display_name, name, "--last", "2026-01-31", "--reason", "退出")
    (left,) = alliance.json("body", "members", body.name.removeprefix("bodies/"))
    assert left["valid_to"] == "2026-01-31"
    alliance("body", "leave", body.display_name, employer.name, "--reason", "退出", code=NOT_FOUND)


def test_an_organization_loaded_without_a_code_gets_one_and_is_verified(alliance: Alliance) -> None:
    name, code = world.unique("单位"), world.credit_code()
    alliance("login", world.OPERATOR)
    alliance("org", "create", name, "--type", "enterprise")
    assert "credit_code" in alliance("org", "verify", name, "--reason", "试", code=REFUSED)
    refused = alliance("org", "update", name, "--code", code[:-1], "--industry", "C39", "--region", "北京", code=REFUSED)
    for said in ("credit_code", "GB 32100", "industry_codes", "GB/T 4754", "region_code", "110000"):
        assert said in refused
    changed = alliance.json(
        "org", "update", name, "--code", code, "--region", "110000", "--industry", "39", "--industry", "65"
    )
    assert (changed["credit_code"], changed["region_code"], changed["industry_codes"]) == (code, "110000", ["39", "65"])
    assert alliance.json("org", "verify", name, "--reason", "执照")["verification"] == "VERIFICATION_STATE_VERIFIED"
    renamed = world.unique("更名")
    assert "ABORTED" in alliance("org", "update", name, "--name", renamed, "--etag", changed["etag"], code=REFUSED)
    first, parent = (alliance.json("org", "create", world.unique("大学"), "--type", "university")["name"] for _ in range(2))
    college = alliance.json("org", "create", world.unique("学院"), "--type", "secondary_college", "--parent", first)
    assert renamed in alliance("org", "update", name, "--name", renamed, "--region", "", "--etag", "3")
    assert "region_code" not in alliance.json("org", "show", renamed)
    assert alliance.json("org", "update", college["name"], "--parent", parent)["parent"] == parent
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
    made = alliance.json(
        "body", "create", name, "--kind", "alliance", "--region", "110000", "--fact", f"task_force={employer.name}"
    )
    assert (made["state"], made["alliance"]) == ("BODY_STATE_DRAFT", {"task_force": employer.name})
    alliance("body", "join", name, employer.name, "--role", "secretariat", "--from", "2026-01-01")
    typed = {
        "key_industry": name,
        "secretariat_full_time_staff": "5",
        "secretariat_space": "是",
        "secretariat_funding": "yes",
        "charter_adopted_on": "2026-01-05",
        "three_year_goals": "true",
        "annual_plan_year": "2099",
        "full_councils_in_year": "2",
    }
    asked = {one for finding in alliance.json("body", "check", name) for one in finding.get("missing", [])}
    assert asked == set(typed)
    seen = alliance.json("body", "show", name)["etag"]
    facts = [word for fact in typed.items() for word in ("--fact", "=".join(fact))]
    assert "annual_plan_year=2099" in alliance("body", "update", name, *facts, "--etag", seen, "--reason", "补充")
    verdicts = {one["rule"]: one["verdict"] for one in alliance.json("body", "check", name)}
    assert {verdicts[rule] for rule in ("R10", "R12", "R13")} == {"VERDICT_SATISFIED"}
    assert "ABORTED" in alliance("body", "update", name, "--region", "310000", "--etag", seen, code=REFUSED)
    assert "charter_adopted_on" in alliance("body", "update", name, "--fact", "charter_adopted_on=明天", code=REFUSED)
    assert "key_industry" in alliance("body", "update", name, "--fact", "industry=x", code=USAGE)
    alliance("body", "update", name, code=USAGE)
    after = alliance.json("body", "update", name, "--fact", "secretariat_space=", "--region", "310000")
    assert (after["region_code"], after["alliance"]["task_force"]) == ("310000", employer.name)
    assert "secretariat_space" not in after["alliance"]


def test_a_community_says_its_field(alliance: Alliance) -> None:
    name = world.unique("共同体")
    alliance("login", world.OPERATOR)
    assert "industry_code" in alliance(
        "body", "create", name, "--kind", "community", "--fact", "industry_code=C39", code=REFUSED
    )
    made = alliance.json("body", "create", name, "--kind", "community", "--fact", "industry_code=39")
    assert made["community"] == {"industry_code": "39"}


def test_matches_are_told_by_their_titles(platform: Platform, alliance: Alliance, employer: Member) -> None:
    title = world.unique("封装")
    college = world.organization(platform, organization_pb2.ORG_TYPE_UNIVERSITY)
    demand = world.publish(employer, world.job(employer.name, title))
    supply = world.publish(college, world.talent(college.name, title))
    match = world.matched(employer, demand.name, supply.name)
    shown = alliance("match", "list", "--listing", demand.name.removeprefix("listings/"))
    assert shown.count(title) >= 2
    assert match.name.removeprefix("matches/") in shown
