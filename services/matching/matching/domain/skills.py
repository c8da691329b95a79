"""Skills and knowledge that a text speaks of 技能提取 (R80), in Chinese and English as postings are written.

A text falls into clauses (sentences, numbered items, lines), these into parts (at commas, `但`, `but`). A skill is what stands
behind a cue (`熟悉…`, `familiar with …`), a certificate (`电工证`), or a Latin word of a Chinese title. `优先`, `a plus`,
`无需`, `not required` say of the skills in their part how much they are asked for; a heading (`加分项：`) says it of the
clauses beneath it. No list of skills is needed; the few that people write in several ways are data (`skillnames`). What every
post asks of everybody (`责任心`) is no skill.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import IntEnum
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from matching.domain import text
from matching.domain.skillnames import GENERIC, GENERIC_ALONE, NAMES, NO_SKILL, QUALITIES

MOST = 24  # skills of a listing that count, the first ones of its text: bounds what a pair costs
_LONGEST = 10  # characters of a Han skill; what is longer is a sentence
_LONGEST_ENGLISH = 3  # words
_FEW = 4  # Han characters: what stands beneath `优先项：` or `必须：` without a cue is a name, and no sentence
_MANNER = 3  # characters: beside a quality (`口头与书面表达能力`), what is as short says how, not what


class Level(IntEnum):
    """How much a demand asks for a skill. A supply offers it (`REQUIRED`) or says that it lacks it (`NEGATED`)."""

    NEGATED = 0
    PREFERRED = 1
    REQUIRED = 2

    __hash__ = int.__hash__  # an enum's own is no C; levels are hashed with every pair


class Skill(NamedTuple):
    """A skill as it is written, and its level."""

    written: str
    level: Level = Level.REQUIRED

    @property
    def key(self) -> str:
        """The same for all writings of it."""
        return canonical(self.written)


def asked(title: str, texts: Iterable[str]) -> tuple[Skill, ...]:
    """What a demand says of skills, in the order of the text; of one named twice, the higher level. At most `MOST`."""
    return _all_of(title, texts, _level_asked)


def offered(title: str, texts: Iterable[str]) -> tuple[Skill, ...]:
    """What a supply says of skills; what it offers in one place and lacks in another, it offers. At most `MOST`."""
    return _all_of(title, texts, _level_offered)


def affirmed(told: str, *, is_demand: bool) -> str:
    """A text without the parts that say which skills are not needed, or lacked: what is denied is no word in common.

    A part stays that names no skill, and so does what stands beside it (`不会Java，会Go` → `，会Go`).
    """
    if not _DENIAL.search(told):
        return told
    level_of = _level_asked if is_demand else _level_offered
    whole = unicodedata.normalize("NFKC", told)
    left = "".join(
        end if _denies(words.strip(), level_of) else words + end
        for clause, ending in _divided(_CLAUSES, whole)
        for words, end in (*_divided(_PARTS, clause), ("", ending))
    )
    return told if left == whole else left


@lru_cache(50_000)
def canonical(written: str) -> str:
    """One key for all writings of a skill: `Java 8` → `java`, `CET-4` → `英语四级`, `Vue.js` → `vue`, `PLC编程` → `plc`."""
    key = _SPACES.sub("", text.normal(written))
    if found := _NAME_AND_KIND.fullmatch(key):
        key = found[1]
    key = NAMES.get(key, key)
    key = _SCRIPT.sub("", _VERSION.sub("", key))
    return NAMES.get(key, key)


_SPACES = re.compile(r"[\s_]+|^[,;:、。]+|[,;:、。]+$|(?<=[a-z])-(?=[a-z0-9])")
_NAME_AND_KIND = re.compile(
    r"([a-z][a-z0-9+#./]+)(?:编程|开发|语言|软件|技术|框架|数据库|工具|操作|系统|程序|绘图|制图|脚本|应用|表格|证书)+"
)
_VERSION = re.compile(r"(?<=[a-z]{4})\d+(?:\.\d+)*(?:\+|\.x)?$")  # shorter names are known by their number: `S7`, `MP3`
_SCRIPT = re.compile(r"(?<=[a-z]{3})\.?js$")


# The clauses of a text and their parts


class _Part(NamedTuple):
    """Words between two commas, and what the heading above them says."""

    words: str
    is_preferred: bool
    is_duty: bool
    is_listed: bool = False  # names of skills stand beneath, without a cue


_NUMBER = r"(?<![A-Za-z0-9.+-])\d{1,2}(?:、|\)|\.(?!\d))|\(\d{1,2}\)|(?<![一-鿿])[一二三四五六七八九十]{1,2}、"
_CLAUSES = re.compile(
    rf"[。;!?\n\r•●◆■★·…]|{_NUMBER}|\.(?:\s|$)|(?=(?:任职|岗位|职位|工作)(?:要求|资格|条件|职责|内容)\s*:)"
    r"|(?=(?:必[须备会](?:项|条件|技能|要求)?|(?:加分|优先)(?:项|条件|技能|要求))\s*:)"
)
_PARTS = re.compile(
    r",|(?<=(?:必备|必须|必会|加分|优先|了解|熟悉)\))、|但是?(?!不限)|不过|\bbut\b|\bhowever\b"
    r"|(?<!可)(?<!可以)(?=(?:无需|无须|不需要|不要求|不必|不用(?=[会懂])|不会|不懂|不熟悉|不了解|没学过|没有学过|未学)(?![的者]?[亦也均都]?(?:可|行))[^,\s)\]])"
)
_HEADING = re.compile(
    r"\W*(?:(?P<preferred>(?:加分|优先|附加|优选)(?:项|条件|考虑|技能)?|nice to haves?|preferred(?: \w+)?"
    r"|bonus(?: \w+)?|pluses)"
    r"|(?P<duty>(?:岗位|职位|工作|职务)?(?:职责|内容|任务|描述|说明)(?:描述|说明)?|responsibilities|duties|job description)"
    r"|必[须备会](?:项)?|(?:编程|开发)语言|[一-鿿]{0,6}(?:要求|条件|资格|技能|技术栈)"
    r"|[\w ]{0,20}(?:requirements?|qualifications?|skills|must(?: haves?)?|required))"
    r"\s*[:\]】]\s*",
    re.IGNORECASE,
)
_LISTED = re.compile(r"技能|技术栈|(?:编程|开发)语言|^\W*(?:加分|优先|附加|优选|必[须备会])")
_IN_BRACKETS = re.compile(  # `Java(精通)` is read as `精通Java`
    r"(?P<name>[A-Za-z][\w+#.]*|[一-鿿]{2,8})\((?P<cue>精通|熟练(?:掌握|使用|运用)?|熟悉|掌握|了解|会用?|懂)(?:即可|就行|一些)?\)"
)


def _clauses(told: str) -> Iterator[list[_Part]]:
    """What a text says of persons and places is cut out first, as everywhere."""
    is_preferred = is_duty = is_listed = False
    most = 0  # Han characters of a part whose names count without a cue
    plain = _IN_BRACKETS.sub(r"\g<cue>\g<name>", unicodedata.normalize("NFKC", told[: text.PROSE_LIMIT]))
    for clause in _CLAUSES.split(text.neutral(plain)):
        clause = clause.strip()
        while found := _HEADING.match(clause):
            is_preferred, is_duty = bool(found["preferred"]), bool(found["duty"])
            is_listed = _LISTED.search(found[0]) is not None
            most = text.PROSE_LIMIT if "技" in found[0] or "语言" in found[0] else _FEW
            clause = clause[found.end() :]
        yield [
            _Part(words, is_preferred, is_duty, is_listed and len(_HAN.findall(words)) <= most)
            for part in _PARTS.split(clause)
            if (words := part.strip())
        ]


# Levels

_PREFERRED = re.compile(
    r"优先|加分|[更尤为]佳|者佳|为宜|[更最]好"
    r"|\bprefer(?:red|abl[ye])\b|\b(?:a|big|huge) plus\b|\badvantage|\bnice to have\b|\bdesirable\b",
    re.IGNORECASE,
)
_REQUIRED = re.compile(
    r"(?<!非)(?<!不是)必[须需备]|务必|\bmust\b|(?<!not )\b(?:required|mandatory|essential)\b", re.IGNORECASE
)
_NEEDLESS = re.compile(
    r"无需|无须|不需|不要求|不强[求制]|不必|不限(?!于)|非必[须需备]|不是必[须需备要]|不用[会懂]|无(?:硬性|特殊)?要求|不[做作](?:硬性)?要求|可以?不[会懂具持]"
    r"|(?:不[会懂]|没有|无).{0,16}(?:[亦也均]可|也行|没关系|可(?:以)?培训)"
    r"|\b(?:not|isn't|aren't) (?:strictly )?(?:required|needed|necessary|mandatory|essential)"
    r"|\bno .{1,40}\b(?:required|needed|necessary)"
    r"|\bnot a must\b|\bno need\b|\bneed not\b|\boptional\b",
    re.IGNORECASE,
)
# Whether `无` says that something is missing: not where another verb governs it (`具备无…`), nor where it begins a name.
_NONE = (
    "(?:(?<![一-鿿])|(?<=[仍尚毫均都也还且并但前人]))无"
    "(?!(?:人[机驾值船艇车零售工系仓化超]|监督|[损线菌纸刷缝尘铅氧源锡铬卤醛油烟毒创痛感磁框梯轴芯叶极级压屑砟锚影序穷限功状障服代公土污]"
    "|机(?!械|床|器|电)|水印|水港|边界|动力|形资))"
)
_HELD = "(?:经[验历]|基础|背景|[驾执]照|(?<![验认论保查印佐公])证(?![券明实据监]))"
_NOT = "(?:不|没有?|未|尚未)(?:曾|太|怎么|能)?"
_DONE = "(?:会|懂|熟悉|了解|掌握|学|用过|接触|使用|做过|取得|考取|通过|具备|持有|擅长|[碰写做玩练摸修听]过|听说|涉[及猎])"
_NOTHING = "一无所知|一窍不通|毫无(?:了解|基础|经验|概念)"
_FROM_NOTHING = "(?<!从)(?<!面向|针对|适合|帮助)零基础(?!学|自学|入门|开始|起步|到|小白|人|者)"  # said of oneself
_NO_EXPERIENCE = "(?:没有?|无)(?:任何|相关|实际)?(?:经验|基础)"
_NEVER = r"\bnever (?:\w+ )?(?:used?|learn(?:ed|t)?|work(?:ed)?|stud(?:y|ied)|touched|tried|written|coded|heard|done)\b"
_POOR = (
    r"\b(?<!never )(?<!not )fail(?:ed|s)?\b|\black(?:s|ing)?\b|\bnothing about\b|\byet to (?:learn|use|study)\b"
    r"|\b(?:weak|poor|bad) (?:in|at|with)\b|\bnew to\b"
)
_EVER = "(?:从来?|都|也|还|均|完全|暂时?|并|尚){0,2}"
_LACKING = re.compile(
    rf"{_NOT}{_DONE}|(?:没有?|{_NONE}).{{0,14}}{_HELD}|(?<!有){_NO_EXPERIENCE}|{_FROM_NOTHING}|暂无|{_NOTHING}"
    rf"|(?:缺[乏少]|欠缺)(?:.{{0,14}}(?:{_HELD}|知识|了解|技能)|(?=[A-Za-z]))"
    r"|\b(?:no|without|lack\w*) (?:any |prior )?(?:[\w+#.-]+ ){0,3}(?:experience|knowledge|skills?|certificate|background)\b"
    r"|\bnot (?:yet )?(?:familiar|proficient|skilled|experienced)"
    r"|\b(?:zero|hardly any) (?:[\w+#.-]+ ){1,3}(?:experience|knowledge|skills?|background)\b"
    r"|\b(?:do|does|did|have|has|could)(?: not|n't) (?:\w+ )?(?:know|learn|use|work|stud|touch|tr[iy]|writ|cod)"
    r"|\bcan(?:not|'t)\b"
    rf"|\bunfamiliar\b|{_NEVER}|\bnot (?:yet )?able to\b|\bunable to\b|\bnot (?:good|great|strong|fluent)\b|{_POOR}",
    re.IGNORECASE,
)
_FAILED = "(?<![不未没无免])(?<!没有)(?:挂科|挂了|补考|重修)|不及格|[没未]及格|(?<=[试课程级证])[没未]通?过|[没未]通过"
_LACKING_BEHIND = re.compile(  # `Java没学过`, `英语不会`: what is said behind a name at the end of a part
    r"(?:本?人|我)?(?:对于?)?(?!接受|欢迎|允许)(?P<named>.+?)[\s:(\[-]{0,3}"
    rf"(?:{_EVER}(?:{_NOT}(?:{_DONE}|熟|用|做|考)过?|{_FROM_NOTHING}|{_NO_EXPERIENCE})"
    r"|的?(?:经验|基础)(?:没有|无|为零|欠缺)"
    rf"|(?:的?(?:经[验历]|基础|能力|水平|知识|方面|课程?|考试|成绩|是)|非常|比较|[较很全已也还]|有[些点]|完全|几乎){{0,4}}"
    rf"(?:{_NOTHING}|{_FAILED}|(?<=[:(\[ -])\s?(?:暂?无|没有|零|空白|none|nil)|学不[会懂好]"
    "|(?:掌握|学得?|用得?)不[好牢]|门外汉|(?<=是)(?:短板|弱项|空白|盲区)|不行|(?<=[较很太常点些力平础绩识验])(?:[弱差]|不足)|薄弱|欠缺|空白|忘[光了]+)"
    r"|\b(?:is|are) not (?:among|one of|part of) my (?:skills?|strengths?)"
    r"|\b(?:(?:is|was|has|have) )?(?:not|never) (?:yet )?(?:been )?(?:learn(?:ed|t)|used|studied|known)(?: yet| before)?)"
    r"(?:的?(?:[亦也均都]?可(?:以)?(?:学习?|培训)?|[也都]行|没关系))?[)\]]?",
    re.IGNORECASE,
)
_DENIAL = re.compile(
    "[不无無没未零非缺将备考计准打预拟挂差弱]|补考|重修|盲区|短板|门外汉|忘[光了]|空白"
    "|n[o'’]t|\\b(?:no|need|never|without|lack|optional|un(?:fam|able)|zero|fail|weak|poor|bad|new|hardly|yet)",
    re.IGNORECASE,
)  # one stands in each
_OF_ALL = re.compile(  # what says of the whole enumeration before it that it is preferred
    r"者\s*(?:优先|加分|[更尤为]?佳)"
    r"|^\W*(?:均?可)?(?:优先|加分)(?:考虑|录用)?\W*$"
    r"|(?<!is )(?<!are )(?:preferred|a plus|an advantage|desirable)\W*$"
)


_ONE_OF = re.compile(
    r"(?:其中|至少|任[意何选]?|之)一(?![定些年])|至少.{1,6}一[门种项款]|(?:掌握|精通|熟悉|了解|使用|会|懂)一[门种]|[/、或].{1,12}[均皆都]可|其一|[二两三四五多几]选[一1]|(?:其中|至少|任[意何选]?)[某1]?[种门个项]"
    r"|\b(?:at least )?one of\b|\beither\b",
    re.IGNORECASE,
)
_ONE_OF_LIST = re.compile(rf"(?:{_ONE_OF.pattern})[^:]{{0,8}}:", re.IGNORECASE)  # one of what comes next
_COMING = re.compile(  # what somebody will have, and has not yet
    r"将.{0,8}(?:通过|取得|考取|获得|拿到)|(?:计划|准备|打算|预计|拟).{0,8}(?:通过|取得|考取|获得|拿到|报考)|备考|待考|报考"
    r"|\b(?:will|going to|plan(?:ning)? to) (?:pass|take|obtain|get|earn)\b",
    re.IGNORECASE,
)


def _level_asked(part: _Part) -> Level:
    if _PREFERRED.search(part.words):
        return Level.PREFERRED
    if _NEEDLESS.search(part.words):
        return Level.NEGATED
    return Level.PREFERRED if part.is_preferred and not _REQUIRED.search(part.words) else Level.REQUIRED


def _level_offered(part: _Part) -> Level | None:
    """None of what is to come: neither offered nor lacking."""
    if _COMING.search(part.words):
        return None
    return Level.NEGATED if _LACKING.search(part.words) else Level.REQUIRED


# Skills of a part

# After a strong cue every word is a skill; after a weak one, only what is surely one.
_CUE = re.compile(
    r"(?P<strong>精通|熟练地?(?:掌握|使用|运用|应用|操作|编写|绘制|(?=[A-Za-z]))|熟悉|熟知|掌握|了解|通晓|擅长|看懂|懂得?|(?:缺[乏少]|欠缺)|(?<=[没未])(?:[碰写做玩练摸]过|听说过?|涉[及猎])|(?<=没有)[碰写做玩]过"
    r"|(?<![社机协工议学都才])会(?:使用|操作|编写|用)|(?:^|(?<=[不须需要用]))会(?![议计员务场话])"
    r"|能够?(?:熟练)?(?:使用|操作|编写)|(?:学|接触|使?用)过|未学|无需|无须|不需要?|不要求)"
    rf"|(?P<weak>(?<![社机协工议学都才])会(?![议计员务场])|使用|运用|应用|通过|取得|获得|考取|(?<![支坚保主维扶把])持(?![续久之])有?|具有|具备|拥有"
    rf"|有(?![限色机源线关效])|{_NONE}|基于|编写|包括|零基础"
    r"|\d年(?:及?以上)?的?(?=[A-Za-z]))"
    r"|(?P<english>\b(?:proficien(?:t|cy) (?:in|with)|(?:un)?familiar(?:ity)? with|experienced? (?:in|with|using|of)"
    r"|knowledge (?:of|in)|skill(?:ed|s) (?:in|with|at)|expert(?:ise)? (?:in|with)|(?:understanding|command|mastery) of"
    r"|fluen(?:t|cy) in|(?:trained|certified|background) in|hands-on with|(?:(?:un)?able|ability) to (?:use|operate)"
    r"|know(?! nothing)|us(?:e|ing)"
    r"|(?:never|not|\w+n't)(?: \w+)? (?:used|work(?:ed)? (?:with|on|in)|touched|stud(?:y|ied)|tried|written|coded in|heard of)"
    r"|know nothing about|(?<!never )(?<!not )failed|lack(?:s|ing)?(?: any)?|not (?:good|great|strong) (?:at|in|with)"
    r"|(?:weak|poor|bad) (?:in|at)|new to|(?:zero|hardly any)(?=(?: [\w+#.-]+){1,3} (?:experience|knowledge|skills?))"
    r"|yet to learn"
    r"|learn(?:ed|t)?|(?:no|without)(?: any| prior)?(?=(?: [\w+#.-]+){1,3} (?:experience|knowledge|skills?|background)\b))\s)",
    re.IGNORECASE,
)
_MARKS = (_PREFERRED, _REQUIRED, _NEEDLESS, _ONE_OF, re.compile("熟练|扎实|过硬"))
_FIRM = re.compile("(.{2,14}?)(?:基础|功底|操作|运用|使用)*(?:非常|较为?)?(?:熟练|扎实|过硬)$")
_SURE = re.compile("经验|基础|知识|技能|能力$")
_CERTIFICATE = re.compile(
    r"(?:(?:(?![持取得有须的及或和没]|无(?!人机))[A-Za-z一-鿿]){0,6}?"
    r"(?:从业|执业|职业|教师|操作|上岗|资格|驾驶|电工|焊工|会计|护士|叉车|导游|建造师|工程师|普通话|等级)"
    r"(?:资格|等级|技能|作业|操作|水平)*(?:证书|证|执照)"
    r"|驾照|(?:大学|国家)?英语(?:四[、/和]?六|[四六])级|普通话[一二三]级(?:[甲乙]等)?|计算机[一二三四]级"
    r"|(?<![A-Za-z])CET[- ]?(?:4/6|[46])(?![\d/]))"
)
_LATIN = re.compile(
    r"(?<![A-Za-z0-9])(?:[CcRr](?=语言)|(?i:\.net(?![a-z])|TCP/IP|CI/CD|PL/SQL|Pro/E)"
    r"|[A-Za-z][A-Za-z0-9]*(?:[.&-][A-Za-z0-9]+)*(?:\+\+|#)?(?: [A-Z][A-Za-z0-9]*(?![A-Za-z0-9.+#-]))?)"
)
_LETTERS = ("C", "R")  # of names, those that stand alone behind a cue
_SENTENCE = re.compile(  # three words and more, one of which is no part of a name
    r"(?<![A-Za-z])(?=[A-Za-z'’ -]*\b(?:of|for|with|and|to|in|on|the|is|are|be|our|your|by|as|when|that)\b)"
    r"[A-Za-z][A-Za-z'’-]*(?: [A-Za-z][A-Za-z'’-]*){2,}"
)
_BETWEEN = re.compile(
    r"[、|()\[\]:\"“”《》<>【】]+|(?<![Tt][Cc][Pp])(?<!C[Ii])(?<![Pp][Ll])(?<![Pp]ro)/|(?<=[一-鿿])\s+|\s+(?=[一-鿿])"
    r"|其中(?:任[意何]|至少)?(?:之一|[一两几][种门个项款])?(?:以上)?|任[意何][一两几]?[种门个项款]|[一两几多][种门款]|这[些种个类]|至少某?一?[种门个项款]?|之一"
    r"|或者?|以及|及其?|和(?!谐)|与|并(?![行发联])且?|等(?![级离保])|[也均]|尤其|特别|包括|例如|如(?=[A-Za-z:])|(?<=[一-鿿])\s*-+\s*(?=[一-鿿]|$)"
)
_BEFORE = re.compile(
    r"^(?:相关|有关|常[用见规]|主流|各[种类个项]|多种|\d*[种门款]|突出|坚实|相应|部分|强烈|出色|深厚|深[入刻]|[以之]上|以下|基本|一定|良好|较强|较好|扎实|丰富|优秀|国家"
    r"|国内外?|其[他它中]?|一些|各|快速|所在|不少于|任[一意]|使用|运用|应用|[过较已中]|[\d一二三两]+(?:[-~][\d一二三]+)?年|\d+|的)+"
)
_AFTER = re.compile(
    r"(?:的?(?:使用|操作|应用|运用|编写|开发|相关|实际|实战|实践|工作|项目|从业)?(?:经验|能力|经历|背景)"
    r"|的?(?:相关|基础|专业|理论)?(?:知识|技能)|的?(?:使用|操作|运用)方法|的(?:使用|操作|应用)"
    r"|基础|使用|方面|[者的中]|优先|等|工作|[更尤]?佳|不限|亦可|即可|(?<=[一-鿿])\d{1,2})+$"
)
_QUALITY = re.compile("|".join(map(re.escape, QUALITIES)))
_NOT_IN_A_SKILL = re.compile(
    "[我你您是被把将岁年月每个就必\\s]|进行|可以|在(?![线职])|各种|情况|完成|能力|" + "|".join(map(re.escape, QUALITIES))
)
_SAID_OF = re.compile(  # what is said of something, or who somebody is: neither names anything that one can do
    "^(?:请?勿|如何|理解|处理(?![器流])|解决|参与|制定|协助|配合)|[好强佳高大快多少深久]$|比较|非常|十分|相当|较为|更加|符合|胜任|确保|保证|富有"
    "|(?:[习届业学]生|人[员才士]|员工|同[学事]|工程师|专员|经理|主管|总监)$"
)
_GENERIC = re.compile(f"(?:{'|'.join(GENERIC)})+|{'|'.join(GENERIC_ALONE)}")
_ENGLISH_BETWEEN = re.compile(r"\s*(?:[/&()、:]|\b(?:and|or|such as|like|including|e\.g)\b)\s*", re.IGNORECASE)
_ENGLISH_AROUND = re.compile(
    r"^(?:(?:the|a|an|at|least|one|of|either|any|some|strong|good|solid|basic|excellent|working|various|modern|in|with|to|how|also|no|use"
    r"|both)\b\s*)+"
    r"|\s*\b(?:is|are|would be|will be|isn't|aren't|not|strictly|must|required?|needed|necessary|mandatory|essential|preferred"
    r"|preferably|desirable|a plus|big plus|an advantage|nice to have|experience|skills?|knowledge|optional|programming"
    r"|languages?)\b.*$",
    re.IGNORECASE,
)
_HAN = re.compile("[一-鿿]")
_NUMBERED = re.compile(r"\d{4}")  # the number of a post in its title


_LevelOf = Callable[[_Part], Level | None]


def _divided(ends: re.Pattern[str], told: str) -> Iterator[tuple[str, str]]:
    """As `split`, each piece with what ends it."""
    start = 0
    for end in ends.finditer(told):
        yield told[start : end.start()], end[0]
        start = end.end()
    yield told[start:], ""


def _denies(words: str, level_of: _LevelOf) -> bool:
    """Whether a part names skills only to say that they are not needed, or lacked."""
    part = _Part(words, is_preferred=False, is_duty=False)
    denied = _LACKING_BEHIND.fullmatch(words)
    if not denied and level_of(part) not in (Level.NEGATED, None):
        return False
    named = denied["named"] if denied else words
    return bool(_named(part, named, list(_CUE.finditer(named)), is_going_on=False))


def _all_of(title: str, texts: Iterable[str], level_of: _LevelOf) -> tuple[Skill, ...]:
    found: dict[str, Skill] = {}
    titled = text.neutral(unicodedata.normalize("NFKC", title))
    told = [Skill(name) for name in _latin(titled) if not _NUMBERED.search(name)] if _HAN.search(titled) else []
    for one in (title, *texts):
        for parts in _clauses(one):
            told += _of_clause(parts, level_of)
    for skill in told:
        before = found.setdefault(skill.key, skill)
        found[skill.key] = Skill(before.written, max(before.level, skill.level))
    return tuple(found.values())[:MOST]


def _of_clause(parts: list[_Part], level_of: _LevelOf) -> Iterator[Skill]:
    """A part without a cue goes on with what the part before it enumerates: `熟悉Java，Go，C++者优先` prefers all three."""
    named: list[tuple[list[str], Level | None]] = []
    is_going_on, begun = False, 0  # the part in which the enumeration began
    is_one_of = False  # whether one will do of what a colon stands before
    for part in parts:
        denied = _LACKING_BEHIND.fullmatch(part.words)
        words = denied["named"] if denied else part.words
        cues = list(_CUE.finditer(words))
        skills = _named(part, words, cues, is_going_on=is_going_on)
        level = Level.NEGATED if denied else level_of(part)
        is_one_of = _ONE_OF_LIST.search(words) is not None or (is_one_of and not cues)
        is_open = is_one_of or (len(skills) > 1 and _ONE_OF.search(words))
        if level is Level.REQUIRED and level_of is _level_asked and is_open:
            level = Level.PREFERRED  # alternatives: one will do, so that none of them has to be there
        if cues:
            begun = len(named)
        elif level is Level.PREFERRED and _OF_ALL.search(part.words):
            named[begun:] = [(before, Level.PREFERRED) for before, _ in named[begun:]]
        named.append((skills, level))
        is_going_on = bool(cues or skills)
    return (Skill(written, level) for skills, level in named if level is not None for written in skills)


def _named(part: _Part, words: str, cues: Sequence[re.Match[str]], *, is_going_on: bool) -> list[str]:
    """Skills of a part as they are written, in those of its words that can name them."""
    is_denied = words != part.words
    is_told = part.is_listed or bool(cues) or is_going_on or is_denied or any(mark.search(words) for mark in _MARKS)
    if not _HAN.search(words) and not part.is_listed:
        if not cues and (found := [one[0] for one in _CERTIFICATE.finditer(words)]):
            return found
        return list(_english(words[cues[-1].end() :] if cues else words)) if is_told else []
    found = [one[0] for one in _CERTIFICATE.finditer(words)]
    if is_told and not cues:
        firm = words if is_denied else firm[1] if (firm := _FIRM.match(words)) else ""
        found += _pieces(firm) if firm and not part.is_duty else _names(words)
    ends = [cue.start() for cue in cues[1:]] + [len(words)]
    for cue, end in zip(cues, ends, strict=False):
        told = words[cue.end() : end]
        is_sure = bool(cue["strong"] or _SURE.search(told)) and not part.is_duty
        found += _pieces(told) if is_sure else _names(told)
    return found


def _pieces(told: str) -> Iterator[str]:
    """What a cue governs, divided: `Word、Excel等办公软件` → `Word`, `Excel`, `办公软件`."""
    pieces = _BETWEEN.split(told)
    least = _MANNER if told.endswith("能力") and _QUALITY.search(told) else 0
    for piece in pieces:
        if piece.strip() in _LETTERS:
            yield piece.strip()
        elif latin := list(_latin(piece)):
            yield from latin
        else:
            yield from (one for one in islice(_heads(piece), 1) if len(one) > least)


def _heads(piece: str) -> Iterator[str]:
    """What a piece is about: its last noun, and what that is of as far as it is a generic one (`区块链的原理` → `区块链`)."""
    for one in reversed(piece.split("的")):
        named = _AFTER.sub("", _BEFORE.sub("", one))
        if _is_skill(named):
            yield named
        elif named and not _GENERIC.fullmatch(named):
            return


def _latin(told: str) -> Iterator[str]:
    """Latin words that are names of something: `Spring Boot`, `C++`, `C` of `C语言`."""
    for found in _LATIN.findall(_SENTENCE.sub(_names_in, told)):
        words = [word for word in found.split(" ") if word.lower() not in NO_SKILL]
        if words and (len(words[0]) > 1 or f"{words[0]}语言" in told):
            yield " ".join(words)


def _names(told: str) -> Iterator[str]:
    """Latin words of an enumeration, with letters that are names by themselves: `C、R、Vue`."""
    for piece in _BETWEEN.split(told):
        yield from [piece.strip()] if piece.strip() in _LETTERS else _latin(piece)


def _names_in(sentence: re.Match[str]) -> str:
    """Of an English sentence between Chinese words, what is written as a name is."""
    return "、".join(word for word in sentence[0].split()[1:] if not word.islower())


def _english(told: str) -> Iterator[str]:
    for piece in _ENGLISH_BETWEEN.split(told):
        skill = _ENGLISH_AROUND.sub("", piece.strip(" .-–")).strip(" .-–")
        words = skill.lower().split()
        is_name = len(skill) > 1 or skill in _LETTERS
        if 0 < len(words) <= _LONGEST_ENGLISH and not NO_SKILL.intersection(words) and is_name:
            yield skill


def _is_skill(piece: str) -> bool:
    """Whether a piece names something, and nothing that every post asks of everybody."""
    is_named = (
        1 < len(piece) <= _LONGEST
        and _HAN.search(piece)
        and not _GENERIC.fullmatch(piece)
        and not _NOT_IN_A_SKILL.search(piece)
        and not _SAID_OF.search(piece)
    )
    return bool(is_named and text.words(piece))
