"""What a title says of education and seniority 标题中的学历与职级: `博士后` asks for a doctorate, `总监` for experience.

The words are data; a title is read by them alone, so that nothing of gender, age or the like can enter. A word counts where
it is said of whom the post is for: neither where it is denied (`非高级`), nor of somebody else (`总监助理`), nor in other
words (`博士眼镜`, `高级中学`). Where several levels are welcome, the least one is what is asked for.

Source: our own reading of titles; a postdoc holds a doctorate by 博士后管理工作规定 (国人部发〔2006〕149号).
"""

import re
from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from codes import education
from matching.domain import text


class Seniority(IntEnum):
    """How much experience a demand asks for, or a supply has."""

    UNSAID = 0
    FRESH = 1
    EXPERIENCED = 2
    LEADING = 3


EDUCATION: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "博士后": ("11",),
        "postdoc": ("11",),
        "博士研究生": ("11",),
        "博士": ("11",),
        "phd": ("11",),
        "本硕博": ("20", "14", "11"),
        "本硕": ("20", "14"),
        "硕博": ("14", "11"),
        "硕士研究生": ("14",),
        "硕士": ("14",),
        "研究生": ("10",),
        "本科": ("20",),
        "大专": ("30",),
        "专科": ("30",),
    }
)
"""Word → GB/T 4658 codes of the levels that it names; longer words before those that they begin with."""

SENIORITY: Mapping[Seniority, tuple[str, ...]] = MappingProxyType(
    {
        Seniority.FRESH: (
            *("应届", "校招", "管培", "实习", "在校生", r"\d\d届", "(?:无需|不需|不要求|不限|无|零)(?:工作)?经验"),
            *(r"\binterns?(?:hip)?\b", r"\bgraduates?\b", r"\btrainees?\b"),
            *("初级", "初(?=[/、中])", "助理工程师", r"\bjunior\b"),
        ),
        Seniority.EXPERIENCED: (
            *("资深", "高级(?!中学|语言|[别酒会定餐轿])", "专家(?!门诊|系统|[库组号])", "总监理"),
            "(?<![班])(?<!客户|业务|销售|市场)主任",
            *(r"\bsenior\b", r"\bsr\b"),
        ),
        Seniority.LEADING: (
            *(
                "总监(?!理)",
                "合伙人",
                "首席",
                "总经理",
                "副总",
                "总裁",
                r"\bc[etfoi]o\b",
                r"\bvp\b",
                r"\bdirector\b",
                r"\bchief\b",
            ),
            r"(?<!business )(?<!channel )\bpartner\b(?! (?:manager|sales|success|account|operations|program|marketing))",
        ),
    }
)
"""What says of a title how senior its post is; patterns of text in normal form."""

EXPERIENCED_YEARS = 3
"""Years of experience from which on a post that states them asks for more than a graduate has."""

_NOT_BEFORE = "(?<![非])(?<!不是|不招|不要|并非)"
_NOT_BEHIND = "(?!(?:们|的)?(?:助理|秘书|助手|司机|文员)| (?:assistant|secretary))"
_DENIED = re.compile("(?:非|不招|不要|不收|不接受|不考虑)(?:收|招)?应届|应届(?:毕业)?生?(?:勿扰|勿投|除外|不考虑)")
_YEARS = re.compile(r"[1-9一二两三四五六七八九十]\d?年(?:以上)?(?:的)?(?:工作|相关|行业|从业|实践|项目)?经[验历]")
_WORD = "|".join(EDUCATION)
_OR = r"[\s/、,或和及与]*"
_ASKED = re.compile(
    rf"(?<![非及])(?<!接受|欢迎|不限|不招|不要|士\((?=研究生))(?P<levels>(?:{_WORD})(?:{_OR}(?:{_WORD}))*)(?!{_OR}(?:{_WORD}))(?:toral|s)?"
    r"(?=$|[^一-鿿a-z]|生|研究|学[历位]|及?以上|毕业|应届|实习|人[员才]|工程师|科学家|[岗级])"
    r"(?!\W?(?:研究)?生?(?:学历)?(?:者)?(?:优先|加分|更?佳|可|亦可|也可|均可|不限|勿))"
)
_OF = {
    one: re.compile(f"{_NOT_BEFORE}(?:{'|'.join(words)}){_NOT_BEHIND if one > Seniority.FRESH else ''}")
    for one, words in SENIORITY.items()
}
_EACH = re.compile(_WORD)


def educations(title: str) -> list[str]:
    """GB/T 4658 codes of the levels that a title names, the lowest first; empty where it names none."""
    words = (word for asked in _ASKED.finditer(text.normal(title)) for word in _EACH.findall(asked["levels"]))
    found = {code for word in words for code in EDUCATION[word]}
    return sorted(found, key=lambda code: (education.level(code), code))


def asked(title: str) -> Seniority:
    """What a demand's title asks for; those whom it welcomes without experience need none, whatever else it says."""
    told = text.normal(title)
    if _DENIED.search(told):
        return max(Seniority.EXPERIENCED, _highest(told))
    return Seniority.FRESH if _OF[Seniority.FRESH].search(told) else _highest(told)


def offered(title: str) -> Seniority:
    """What a supply of graduates has: they come without experience unless the title says otherwise."""
    told = text.normal(title)
    is_experienced = _highest(told) > Seniority.UNSAID or _YEARS.search(told)
    return Seniority.EXPERIENCED if is_experienced else Seniority.FRESH


def _highest(told: str) -> Seniority:
    found = (one for one in (Seniority.LEADING, Seniority.EXPERIENCED) if _OF[one].search(told))
    return next(found, Seniority.UNSAID)
