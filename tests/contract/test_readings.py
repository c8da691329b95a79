"""What is read out of a listing, and how a pair is judged, changes with the stamp that matches bear, and never without it.

An index on the disk is used by a release with the same stamp, and what stands is scored anew by one with another: so whoever
changes the words that are cut out, the skills, the places, the tables or the rules raises `INDEX_VERSION` or
`ALGORITHM_VERSION`, and renews the digest by `python -m tests.contract.test_readings --write`.
"""

import hashlib
import json
import sys
from datetime import date
from itertools import product
from pathlib import Path

from alliance.listings.v1 import listing_pb2 as pb
from matching.domain.pairs import RULES, STAMP
from matching.domain.score import judge
from matching.entry import Entry
from matching.mapping import entry_of

_GOLDEN = Path(__file__).parent / "readings.json"
_TODAY = date(2026, 3, 2)
_POSTS = (
    ("集成电路封装工程师", "精通热仿真与 ANSYS，熟悉封装工艺；有车规项目经验者优先，不要求英语。本科及以上，微电子专业。"),
    ("Java 后端开发（上海）", "熟悉 Java、Spring 与 MySQL，了解 Kafka；能独立完成模块设计。限男性，35 周岁以下。"),
    ("数据分析实习生", "会使用 Excel、Python 和 SQL 制作报表；在校生均可，零基础可培训。"),
    ("博士后研究员", "材料学博士研究生，从事低温润滑研究，发表过论文；女士优先。"),
    ("高级机械设计师", "掌握 SolidWorks 与 AutoCAD，五年以上经验，接受出差；汉族，本地户口。"),
    ("护士", "持护士执业证，责任心强；形象气质佳，请附照片。"),
    ("PLC 调试技术员", "PLC 编程与现场调试，能看懂电气图纸；大专以上，机电一体化。"),
    ("Senior Software Engineer", "Must have Go and Kubernetes; nice to have Rust. No German required. Age under 40."),
    ("跨境电商运营经理助理", "熟悉亚马逊规则，英语六级；抗压能力强，90后团队。"),
    ("无人机飞手", "持有民航无人机执照，熟悉航测与内业处理；无犯罪记录。"),
)
_GRADUATES = (
    ("微电子科学与工程专业毕业生", "学过半导体物理、封装与测试，会用 ANSYS；没学过 Java。"),
    ("软件工程专业毕业生", "掌握 Java、Spring、MySQL，做过课程管理系统；了解 Docker。"),
    ("数据科学专业毕业生", "Python、SQL、统计学；参加过数据分析竞赛。"),
    ("机电一体化技术专业毕业生", "PLC 编程实训一年，能读电气图纸。"),
    ("护理学专业毕业生", "临床实习十个月，持护士执业证。"),
    ("Graduates in computer science", "Go, Linux and networks; Kubernetes in a project; no Rust."),
    ("电子商务专业毕业生", "直播运营、选品与客服；英语四级。"),
)


def _entries() -> list[Entry]:
    posts = [
        pb.Listing(
            title=title,
            description=text,
            kind=pb.LISTING_KIND_JOB_POSITION,
            region_codes=["310000"] if number % 3 else [],
            job_position=pb.JobPosition(
                majors=["0809"] if number % 2 else [],
                education_code="20" if number % 4 == 1 else "",
                occupation_code="2-02-10-03" if number % 3 == 1 else "",
            ),
        )
        for number, (title, text) in enumerate(_POSTS)
    ]
    graduates = [
        pb.Listing(
            title=title,
            description=text,
            kind=pb.LISTING_KIND_TALENT_SUPPLY,
            region_codes=["310115"] if number % 2 else [],
            talent_supply=pb.TalentSupply(
                majors=["080902"] if number == 1 else [],
                education_code="20",
                occupation_codes=["2-02-10-01", "2"] if number < 3 else [],
            ),
        )
        for number, (title, text) in enumerate(_GRADUATES)
    ]
    for number, listing in enumerate([*posts, *graduates]):
        listing.name, listing.issuer = f"listings/{number}", f"organizations/{listing.kind}"
        listing.state, listing.visibility = pb.LISTING_STATE_PUBLISHED, pb.VISIBILITY_PUBLIC
    return [entry_of(listing, 1).measured(b"") for listing in [*posts, *graduates]]


def _read() -> dict[str, str]:
    entries = _entries()
    read = [(one.facts, one.passage, one.held) for one in entries]
    pairs = [(one, other) for one, other in product(entries, entries) if _meet(one, other)]
    judged = [judge(one.facts, other.facts, _TODAY, near) for one, other in pairs for near in (None, 350, 600)]
    said = repr((RULES, read, [(one.score, one.broken, one.gaps, one.parts) for one in judged]))
    return {"stamp": STAMP, "digest": hashlib.sha256(said.encode()).hexdigest()}


def _meet(one: Entry, other: Entry) -> bool:
    return any((rule.demand, rule.supply) == (one.facts.kind, other.facts.kind) for rule in RULES)


def test_another_reading_has_another_stamp() -> None:
    assert _read() == json.loads(_GOLDEN.read_text(encoding="utf-8")), __doc__


def test_the_changelog_says_which_release_has_the_stamp() -> None:
    """An image of it computes anew what was scored by it (ADR 0031)."""
    assert f"`{STAMP}`" in (Path(__file__).parents[2] / "CHANGELOG.md").read_text(encoding="utf-8")


def main() -> None:
    """Renew the digest, with another stamp."""
    before, now = json.loads(_GOLDEN.read_text(encoding="utf-8")) if _GOLDEN.exists() else {}, _read()
    if before and before["digest"] != now["digest"] and before["stamp"] == STAMP:
        sys.exit(f"{STAMP} stands for another reading: raise INDEX_VERSION, or ALGORITHM_VERSION, in matching/domain/pairs.py")
    _GOLDEN.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__" and "--write" in sys.argv:
    main()
