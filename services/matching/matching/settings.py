"""Settings of matching, beside those that every service has (prefix ALLIANCE_)."""

from pathlib import Path

from pydantic import Field

from chassis.settings import ServiceSettings
from matching.domain.pairs import LEAST_THRESHOLD


class MatchingSettings(ServiceSettings):
    """How much is proposed, and where a listing's owner is asked."""

    service: str = "matching"
    match_threshold: int = Field(default=LEAST_THRESHOLD, ge=LEAST_THRESHOLD, le=1000)
    """Least score of a proposal, in thousandths."""
    match_best: int = Field(default=10, ge=1, le=1000)
    """Proposals that one change of a listing can bring it: its best ones, as many as people look through."""
    match_candidates: int = Field(default=100, ge=1, le=10_000)
    """Candidates that are scored for one change."""
    match_review_days: int = Field(default=15, ge=1, le=365)
    """Calendar days in which a review of a match is to be settled. Our default: PIPL art. 24 names none."""
    listings_target: str = ""
    """gRPC address of listings, asked about a listing that has not been heard of yet; empty: nobody is asked."""
    index_folder: Path | None = None
    """Folder of this process alone where the index is kept over restarts; None: it is in memory, and built at every start."""
    sentence_model: str = ""
    """Folder with an ONNX sentence model and its tokenizer; empty: the one that is bundled."""
