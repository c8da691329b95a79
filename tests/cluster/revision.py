"""Makes of a service's image the next release: `revision.py next|broken FOLDER` adds a revision to its migrations.

`next` adds a table, and admits the release before it; `broken` adds the same, and fails then.
"""

import sys
from pathlib import Path

_REVISION = '''"""{kind}: a revision of the release that cluster tests upgrade to."""

from alembic import op

revision = "9001"
down_revision = "{head}"
min_compatible = "{head}"


def upgrade() -> None:
    """Add a table."""
    op.execute("CREATE TABLE cluster_test (made_at timestamptz NOT NULL DEFAULT now())")
{more}'''
_MORE = {"next": "", "broken": '    op.execute("SELECT 1 / 0")\n'}


def main() -> None:
    """Write it beside the newest one."""
    kind, folder = sys.argv[1], Path(sys.argv[2])
    head = max(file.name.split("_")[0] for file in folder.glob("[0-9]*.py"))
    (folder / f"9001_{kind}.py").write_text(_REVISION.format(kind=kind, head=head, more=_MORE[kind]), encoding="utf-8")


if __name__ == "__main__":
    main()
