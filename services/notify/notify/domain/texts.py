"""What people read, by event type; Chinese and English. A type without a text of its own gets the general one."""

from notify.domain.events import About

_GENERAL = ("平台事件", "{subject} 有新变化（{verb}）", "Platform event", "{subject}: {verb}")
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
        "“{title}”已超过 {hours} 小时没有收到所期望的内容：{why}。查看 {subject}。",
        "A feed is silent: {title}",
        "Nothing that is expected of “{title}” came for {hours} hours: {why_en}. See {subject}.",
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


def title_and_text(about: About, *, english: bool) -> tuple[str, str]:
    """Title and text of a message about an event."""
    name = about.type.removeprefix("alliance.").rsplit(".", 1)[0]
    zh_title, zh_text, en_title, en_text = _TEXTS.get(name, _GENERAL)
    facts = _Facts({**about.facts, "subject": about.subject, "verb": name.rsplit(".", 1)[-1]})
    title, text = (en_title, en_text) if english else (zh_title, zh_text)
    return title.format_map(facts), text.format_map(facts)
