"""What each profile renders to, as it was looked at last: a change of a template shows as a diff of manifests.

`python -m tests.deploy.test_golden --write` writes them anew; read the diff before you commit it.
"""

import difflib
import sys
from pathlib import Path

import pytest
import yaml

from tests.deploy.helm import PROFILES, Manifest, name_of, rendered

_GOLDEN = Path(__file__).parent / "golden"
_MOST = 80  # lines of a difference that are shown


class _Dumper(yaml.CSafeDumper):
    """Block style throughout, and no anchors."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(manifests: list[Manifest]) -> str:
    """All manifests by kind and name; without what is different each time."""
    for one in manifests:
        if one["kind"] == "Secret":
            one["data"]["password"] = "(made up)"
        for file in one.get("data", {}) if one["kind"] == "ConfigMap" else ():
            if file.endswith((".py", ".json")):
                one["data"][file] = f"(files/…/{file})"
    ordered = sorted(manifests, key=name_of)
    return "".join(
        f"# {name_of(one)}\n{yaml.dump(one, Dumper=_Dumper, allow_unicode=True, width=200)}---\n" for one in ordered
    )


@pytest.mark.parametrize("profile", PROFILES)
def test_it_is_as_it_was(profile: str) -> None:
    file = _GOLDEN / f"{profile}.yaml"
    was, now = file.read_text("utf-8").splitlines(), _text(rendered(profile)).splitlines()
    if was == now:
        return
    whose = ""
    shown = []
    for line in difflib.unified_diff(was, now, f"{profile} as it was", f"{profile} now", n=2, lineterm=""):
        whose = line[1:].strip() if line[1:].startswith("# ") else whose
        shown.append(f"{line}    {whose if line.startswith('@@') else ''}".rstrip())
    more = f"\n… {len(shown) - _MOST} lines more" if len(shown) > _MOST else ""
    pytest.fail("\n".join(shown[:_MOST]) + more + "\nmeant so? python -m tests.deploy.test_golden --write", pytrace=False)


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    _GOLDEN.mkdir(exist_ok=True)
    for one in PROFILES:
        (_GOLDEN / f"{one}.yaml").write_text(_text(rendered(one)), encoding="utf-8")
