"""Posts that are done from anywhere, by their titles."""

import pytest

from alliance.listings.v1 import listing_pb2
from codes import regions
from listings.checks import settled
from matching.domain.remote import is_remote
from matching.mapping import entry_of

ANYWHERE = (
    *(
        "Java开发工程师（全国远程）",
        "前端工程师(远程)",
        "可居家办公的客服",
        "【远程】产品经理",
        "支持远程办公",
        "远程兼职翻译",
    ),
    *("数据标注员 在家办公", "测试工程师（Remote）", "Python Developer, remote work", "Fully remote QA engineer"),
)
SOMEWHERE = (
    *(
        "远程医疗工程师",
        "远程办公系统开发工程师",
        "远程监控运维",
        "远程教育顾问",
        "远程桌面支持",
        "卫星远程测控",
        "远程工作站管理员",
    ),
    *("不支持远程办公", "Java（非远程）", "不接受居家办公", "QA engineer, no remote work", "封装工程师"),
)


@pytest.mark.parametrize("title", ANYWHERE)
def test_what_is_done_from_anywhere_says_so(title: str) -> None:
    assert is_remote(title)


@pytest.mark.parametrize("title", SOMEWHERE)
def test_what_is_made_or_denied_is_somewhere(title: str) -> None:
    assert not is_remote(title)


def test_a_post_from_anywhere_has_no_place_and_a_problem_about_it_has() -> None:
    post = listing_pb2.Listing(kind=listing_pb2.LISTING_KIND_JOB_POSITION, title=ANYWHERE[0], region_codes=["110108"])
    problem = listing_pb2.Listing(kind=listing_pb2.LISTING_KIND_TECH_DEMAND, title=ANYWHERE[4], region_codes=["110108"])
    assert entry_of(post, 1).facts.regions == ()
    assert entry_of(problem, 1).facts.regions == ("110108",)


@pytest.mark.parametrize("written", ["远程", " 全国 ", "不限", "Remote"])
def test_who_writes_that_it_is_anywhere_names_no_region(written: str) -> None:
    given = listing_pb2.Listing(kind=listing_pb2.LISTING_KIND_CASE, title="案例", region_codes=["北京", written])
    assert regions.is_anywhere(written)
    assert not [one for one in settled(given) if one.field.startswith("region_codes")]
    assert not given.region_codes


def test_a_place_that_only_begins_so_is_one() -> None:
    assert not any(map(regions.is_anywhere, ("远安县", "中国香港", "北京", "")))
