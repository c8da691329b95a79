"""`alliance match review`: reviews 人工复核 of matches by a person (PIPL art. 24)."""

from typing import Annotated

import typer

from alliance.matching.v1 import review_pb2
from alliance.matching.v1 import review_service_pb2 as rpc
from alliance_cli import naming, stubs
from alliance_cli.errors import explained
from alliance_cli.output import Column, called, ident, instant, show, show_one, value_of
from alliance_cli.session import call, context, t

app = typer.Typer(no_args_is_help=True, help="人工复核 · reviews by a person")
_state = called(review_pb2.ReviewState, "REVIEW_STATE_")
COLUMNS: list[Column] = [
    ("编号", "id", lambda r: ident(r.name)),
    ("状态", "state", lambda r: _state(r.state)),
    ("匹配", "match", lambda r: ident(r.match.name)),
    ("得分", "score", lambda r: r.match.score),
    ("申请单位", "asked by", lambda r: r.organization),
    ("原因", "reason", lambda r: r.reason),
    ("期限（平台默认）", "due (our default)", lambda r: r.due_on),
    ("复核意见", "finding", lambda r: r.finding),
    ("结论时间", "settled", lambda r: instant(r.settle_time) if r.HasField("settle_time") else ""),
]
PART_COLUMNS: list[Column] = [
    ("因素", "feature", lambda p: p.feature),
    ("贡献", "contribution", lambda p: p.contribution),
    ("理由", "reason", lambda p: p.reason.en if context.language == "en" else p.reason.zh),
]
Review = Annotated[str, typer.Argument(help="reviews/… 或编号 · or id")]


def _name(text: str) -> str:
    return naming.resource("reviews", text)


@app.command("list")
def list_(
    match: str = "",
    acting: Annotated[str, typer.Option("--as", help="一方单位 · organization that is a side")] = "",
    body: str = "",
    state: Annotated[list[str] | None, typer.Option(help="如 requested, upheld, overturned")] = None,
) -> None:
    """列出复核 · list reviews of a match, an organization's matches or a body's."""
    with explained():
        request = rpc.ListReviewsRequest(
            page_size=naming.PAGE,
            states=[value_of(review_pb2.ReviewState, "REVIEW_STATE_", one) for one in state or []],
        )
        if match:
            request.match = naming.resource("matches", match)
        elif body:
            request.body = naming.body(body)
        else:
            request.organization = naming.organization(acting)
        show(naming.every(stubs.reviews().ListReviews, request, "reviews"), COLUMNS)


@app.command()
def request(
    match: Annotated[str, typer.Argument(help="matches/… 或编号 · or id")],
    reason: Annotated[str, typer.Option()],
    acting: Annotated[str, typer.Option("--as", help="代表的单位 · organization acted for")] = "",
) -> None:
    """申请人工复核 · ask that a person looks at a match again."""
    with explained():
        asked = rpc.RequestReviewRequest(
            match=naming.resource("matches", match), organization=naming.organization(acting), reason=reason
        )
        show_one(call(stubs.reviews().RequestReview, asked), COLUMNS)


@app.command("show")
def show_review(review: Review) -> None:
    """查看复核 · a review, with the score as it was proposed and as today's rules have it."""
    with explained():
        found = call(stubs.reviews().GetReview, rpc.GetReviewRequest(name=_name(review)))
        if context.output == "json":
            show_one(found, [])
            return
        show_one(found.review, COLUMNS)
        shown = found.review.match
        title = t(f"推荐时得分 {shown.score}", f"score as proposed {shown.score}")
        show(shown.parts, PART_COLUMNS, title=f"{title} · {shown.algorithm_version}")
        if not found.HasField("recomputation"):
            typer.echo(t("该匹配已结束，不再重算", "the match is no longer open, so nothing is computed anew"))
            return
        now = found.recomputation
        title = t(f"现按当前规则重算 {now.score}", f"computed anew {now.score}")
        show(now.parts, PART_COLUMNS, title=f"{title} · {now.algorithm_version} · {now.sentence_model}")
        same = t("与推荐时一致", "the same as proposed"), t("与推荐时不一致", "not the same as proposed")
        typer.echo(same[0] if now.same else same[1])


@app.command()
def settle(
    review: Review,
    reason: Annotated[str, typer.Option(help="复核意见 · what was found")],
    overturn: Annotated[bool, typer.Option("--overturn/--uphold", help="撤销或维持 · overturn or uphold")],
) -> None:
    """作出复核结论 · settle a review: uphold or overturn."""
    outcome = review_pb2.REVIEW_STATE_OVERTURNED if overturn else review_pb2.REVIEW_STATE_UPHELD
    with explained():
        settled = rpc.SettleReviewRequest(name=_name(review), outcome=outcome, reason=reason)
        show_one(call(stubs.reviews().SettleReview, settled), COLUMNS)
