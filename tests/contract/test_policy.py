"""The policy: its table is what the rules say, and a rule that asks something else has another revision.

A verdict of long ago names the rule's revision. What a revision asked is written down once and never edited:

    python -m tests.contract.test_policy --write
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from registry import procedure_table
from registry.domain.limits import DEFAULTS
from registry.domain.policy import RULES, Rule
from registry.domain.rules import thresholds
from registry.policy_table import table

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).parent / "policy.json"
_WORDS = {"title", "fix", "ours", "revision", "id", "documents", "is_task"}
"""What a rule says, what proves its facts, and what waits for it; a verdict follows from none of them."""


def golden() -> dict[str, Any]:
    """`rule@revision` → what it asked."""
    found: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8")) if GOLDEN.exists() else {}
    return found


def asked(rule: Rule) -> dict[str, Any]:
    """What a rule asks, as JSON has it."""
    parts: dict[str, Any] = {name: value for name, value in asdict(rule).items() if name not in _WORDS}
    parts["conditions"] = [{"asks": type(one).__name__, **asdict(one)} for one in rule.conditions]  # type: ignore[call-overload]
    parts["when"] = [{"asks": type(one).__name__, **asdict(one)} for one in rule.when] or None  # type: ignore[call-overload]
    parts["kinds"] = [kind.name for kind in rule.kinds]
    parts["programmes"] = [programme.name for programme in rule.programmes]
    parts["stages"] = sorted(stage.name for stage in rule.stages)
    parts["severity"] = rule.severity.name
    parts["defaults"] = {name: DEFAULTS[name].default for name in thresholds(rule)}
    found: dict[str, Any] = json.loads(json.dumps(parts))
    return found


def test_the_table_of_rules_is_up_to_date() -> None:
    page = ROOT / "docs" / "policy-rules.md"
    assert page.read_text(encoding="utf-8") == table(), "make docs"


def test_the_page_of_procedures_is_up_to_date() -> None:
    page = ROOT / "docs" / "procedures.md"
    assert page.read_text(encoding="utf-8") == procedure_table.page(), "make docs"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_asks_what_its_revision_asked(rule: Rule) -> None:
    known = golden().get(f"{rule.id}@{rule.revision}")
    assert known is not None, "a new rule or revision: python -m tests.contract.test_policy --write"
    assert asked(rule) == known, f"{rule.id} asks something else now: raise its revision"


def test_no_revision_is_left_out() -> None:
    for rule in RULES:
        assert {f"{rule.id}@{revision}" for revision in range(1, rule.revision + 1)} <= set(golden())


if __name__ == "__main__" and "--write" in sys.argv:
    new = {f"{rule.id}@{rule.revision}": asked(rule) for rule in RULES}
    GOLDEN.write_text(json.dumps({**new, **golden()}, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
