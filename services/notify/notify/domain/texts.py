"""What people read, by event type and, where one has several, the variant; Chinese and English.

A type without a text of its own gets the general one. A side reads the one of `to_side`, where there is one: what others have
to do.
"""

from collections.abc import Mapping

from notify.domain.events import About

_GENERAL = ("平台事件", "{subject} 有新变化（{verb}）", "Platform event", "{subject}: {verb}")
_TO_SIDE = "to_side"
_TEXTS: dict[str, tuple[str, str, str, str]] = {
    "listings.listing.published": (
        "新发布：{title}",
        "{issuer} 发布了“{title}”，有效期至 {valid_to}。",
        "Published: {title}",
        "{issuer} published “{title}”, valid until {valid_to}.",
    ),
    "listings.listing.withdrawn": (
        "已撤回：{title}",
        "{issuer} 撤回了“{title}”。",
        "Withdrawn: {title}",
        "{issuer} withdrew “{title}”.",
    ),
    "listings.listing.expired": (
        "已到期：{title}",
        "“{title}”有效期至 {valid_to}，现已到期。",
        "Ran out: {title}",
        "“{title}” was valid until {valid_to}.",
    ),
    "listings.feed.silent": (
        "数据接口无响应：{title}",
        "“{title}”自 {since} 起没有收到所期望的内容：{why}。查看 {subject}。",
        "A feed is silent: {title}",
        "Nothing that is expected of “{title}” came since {since}: {why_en}. See {subject}.",
    ),
    "listings.feed.heard": (
        "数据接口已恢复：{title}",
        "“{title}”恢复正常。",
        "A feed is heard again: {title}",
        "“{title}” is heard again.",
    ),
    "listings.silence.noticed": (
        "未发布：{period}",
        "{organization} 在 {body} 的 {period} 一期没有发布任何信息，请尽快补报或说明情况。",
        "Nothing published: {period}",
        "{organization} published nothing in {period} of {body}; publish now, or tell why.",
    ),
    "listings.booking.created": (
        "设备预约：{begins}",
        "{organization} 预约了 {equipment}，{begins} 至 {ends}。",
        "Equipment booked: {begins}",
        "{organization} booked {equipment} from {begins} to {ends}.",
    ),
    "listings.booking.cancelled": (
        "预约取消：{begins}",
        "{organization} 对 {equipment} {begins} 至 {ends} 的预约已取消：{reason}",
        "Booking cancelled: {begins}",
        "The booking of {equipment} by {organization} from {begins} to {ends} is cancelled: {reason}",
    ),
    "matching.match.proposed": (
        "新的匹配推荐（{score} 分）",
        "平台推荐了一对供需，得分 {score}/1000：{why}。查看 {subject}。",
        "New match proposed ({score})",
        "A demand and a supply meet, score {score} of 1000: {why_en}. See {subject}.",
    ),
    "matching.match.accepted": (
        "匹配有新的接受",
        "{subject}：状态 {state}。",
        "A match was accepted",
        "{subject}: {state}.",
    ),
    "matching.match.fulfilled": ("匹配已达成", "{subject}：{reason}", "Match fulfilled", "{subject}: {reason}"),
    "matching.match.expired": ("匹配已失效", "{subject}：{reason}", "Match expired", "{subject}: {reason}"),
    "matching.match.overturned": (
        "匹配经复核撤销",
        "{subject} 经人工复核撤销：{reason}。任何一方修改供需信息之前不再推荐。",
        "Match overturned by a review",
        "{subject} was overturned by a person's review: {reason}. It is not proposed again until one of its listings changes.",
    ),
    "matching.search.saved": (
        "已保存检索：{search}",
        "检索“{search}”已保存，有新的供需信息符合时将通知。",
        "Search saved: {search}",
        "The search “{search}” is saved; listings that come to meet it are told.",
    ),
    "matching.search.met": (
        "“{search}”有新结果：{title}",
        "{issuer} 的“{title}”符合已保存的检索“{search}”。查看 {subject}。",
        "New for “{search}”: {title}",
        "“{title}” of {issuer} meets the saved search “{search}”. See {subject}.",
    ),
    "matching.search.forgotten": (
        "已删除检索：{search}",
        "检索“{search}”已删除，不再通知。",
        "Search forgotten: {search}",
        "The search “{search}” is forgotten; nothing is told of it any more.",
    ),
    "matching.review.requested": (
        "请复核：{match}",
        "{organization} 申请对 {match} 进行人工复核：{reason}。请不迟于 {due_on} 作出结论（期限为平台默认）。查看 {subject}。",
        "Please review: {match}",
        "{organization} asks that a person reviews {match}: {reason}."
        " Please settle it by {due_on} (our default). See {subject}.",
    ),
    "matching.review.requested.to_side": (
        "申请人工复核：{match}",
        "{organization} 申请对 {match} 进行人工复核：{reason}。"
        "由秘书处或平台复核，结论不迟于 {due_on}（期限为平台默认）。查看 {subject}。",
        "Review requested: {match}",
        "{organization} asks that a person reviews {match}: {reason}."
        " The secretariat or the platform settles it, by {due_on} (our default). See {subject}.",
    ),
    "matching.review.overdue": (
        "复核已逾期：{match}",
        "{organization} 申请的对 {match} 的人工复核应不迟于 {due_on} 作出结论（期限为平台默认），"
        "现已逾期，请尽快办理。查看 {subject}。",
        "Review overdue: {match}",
        "The review of {match} that {organization} asked for was to be settled by {due_on} (our default)."
        " Please settle it now. See {subject}.",
    ),
    "matching.review.overdue.to_side": (
        "复核已逾期：{match}",
        "{organization} 申请的对 {match} 的人工复核应不迟于 {due_on} 作出结论（期限为平台默认），"
        "现已逾期；可向秘书处或平台催办。查看 {subject}。",
        "Review overdue: {match}",
        "The review of {match} that {organization} asked for was to be settled by {due_on} (our default), and is not yet; the"
        " secretariat or the platform can be reminded of it. See {subject}.",
    ),
    "matching.review.upheld": (
        "复核结论：维持",
        "{match} 经人工复核予以维持：{finding}",
        "Review: upheld",
        "{match} was upheld by a person's review: {finding}",
    ),
    "matching.review.overturned": (
        "复核结论：撤销",
        "{match} 经人工复核予以撤销：{finding}",
        "Review: overturned",
        "{match} was overturned by a person's review: {finding}",
    ),
    "reporting.deadline.opened": (
        "可以开始：{title}",
        "{body}：{title}（{period}），{due_on} 前完成。",
        "Open now: {title_en}",
        "{body}: {title_en} ({period}), due {due_on}.",
    ),
    "reporting.deadline.due": (
        "今日截止：{title}",
        "{body}：{title}（{period}）今日截止。",
        "Due today: {title_en}",
        "{body}: {title_en} ({period}) is due today.",
    ),
    "reporting.deadline.late": (
        "已逾期：{title}",
        "{body}：{title}（{period}）应于 {due_on} 前完成，现已逾期。",
        "Late: {title_en}",
        "{body}: {title_en} ({period}) was due {due_on}.",
    ),
    "reporting.deadline.closed": (
        "已完成：{title}",
        "{body}：{title}（{period}）已完成。",
        "Done: {title_en}",
        "{body}: {title_en} ({period}) is done.",
    ),
    "reporting.deadline.corrected": (
        "已更正：{title}",
        "{body}：{title}（{period}）的状态已更正为 {state}。",
        "Corrected: {title_en}",
        "{body}: {title_en} ({period}) is {state} after all.",
    ),
    "registry.call.opened": (
        "新征集：{programme}（{year} 年）",
        "{authority} 启动 {year} 年“{programme}”，受理时间 {opens_on} 至 {closes_on}。",
        "New call: {programme_en}, {year}",
        "{authority} opened the call of {year} for {programme_en}, from {opens_on} until {closes_on_en}.",
    ),
    "registry.application.created": (
        "新申报：{title}",
        "{applicant} 的“{title}”（{programme}）已起草。",
        "New application: {title}",
        "“{title}” ({programme_en}) of {applicant} was begun.",
    ),
    "registry.application.updated": (
        "申报已修改：{title}",
        "“{title}”（{programme}）的内容或材料已修改，现为“{state}”。",
        "Application changed: {title}",
        "What “{title}” ({programme_en}) says or holds has changed; it is {state_en}.",
    ),
    "registry.application.stepped": (
        "{step}：{title}",
        "{by} 已办理“{title}”（{programme}）的“{step}”，现为“{state}”。{because}",
        "{step_en}: {title}",
        "{by_en} took the step “{step_en}” of “{title}” ({programme_en}); it is {state_en} now.{because_en}",
    ),
    "registry.application.stepped.returned": (
        "退回：{title}",
        "{by} 将“{title}”（{programme}）退回。{because}{until}补正后再次提交。",
        "Returned: {title}",
        "{by_en} returned “{title}” ({programme_en}).{because_en} Correct it and hand it in again{until_en}.",
    ),
    "registry.application.stepped.decided": (
        "结果：{title}——{step}",
        "{by} 对“{title}”（{programme}）作出决定：{step}，现为“{state}”。{because}",
        "Decision on {title}: {step_en}",
        "{by_en} decided on “{title}” ({programme_en}): {step_en}; it is {state_en} now.{because_en}",
    ),
    "registry.application.stepped.lapsed": (
        "逾期失效：{title}",
        "“{title}”（{programme}）未在期限内提交，已失效。",
        "Lapsed: {title}",
        "“{title}” ({programme_en}) was not handed in in time and has lapsed.",
    ),
    "registry.application.reminded": (
        "临近{due_title}：{title}",
        "“{title}”（{programme}）现为“{state}”，{due_title}为 {due_on}，请按时办理。",
        "{due_title_en} is near: {title}",
        "“{title}” ({programme_en}) is {state_en}; {due_title_en}: {due_on}. Please act in time.",
    ),
    "reporting.report.submitted": (
        "已报送：{period} 信息报送",
        "{body} 报送了 {period} 信息报送（第 {revision} 版）。",
        "Submitted: report of {period}",
        "{body} submitted its report of {period}, revision {revision}.",
    ),
}


class _Facts(dict[str, str]):
    """A fact that an event lacks reads as a dash."""

    def __missing__(self, key: str) -> str:
        return "—"


def title_and_text(about: About, names: Mapping[str, str], reader: str, *, english: bool) -> tuple[str, str]:
    """Title and text of a message about an event, as they are for who reads it, a side of it or another organization; `names`
    is what people call the organizations and bodies of its facts.
    """
    name = about.type.removeprefix("alliance.").rsplit(".", 1)[0]
    key = f"{name}.{about.variant}" if about.variant else name
    if reader in about.organizations and f"{key}.{_TO_SIDE}" in _TEXTS:
        key = f"{key}.{_TO_SIDE}"
    zh_title, zh_text, en_title, en_text = _TEXTS.get(key, _GENERAL)
    known = {fact: names.get(value, value) for fact, value in about.facts.items()}
    facts = _Facts({**known, "subject": about.subject, "verb": name.rsplit(".", 1)[-1]})
    title, text = (en_title, en_text) if english else (zh_title, zh_text)
    return title.format_map(facts), text.format_map(facts)
