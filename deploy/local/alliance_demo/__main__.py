"""`python -m alliance_demo`: plays one quarter on a platform that begins empty, and leaves it up.

Exits 1 where anything that it expects did not happen.
"""

import sys
from pathlib import Path

from alliance_demo.stage import Stage, UnexpectedError
from alliance_demo.story import Story
from alliance_local.control import Platform, StartError
from alliance_local.state import State


def main() -> int:
    """Entry point."""
    stage = Stage()
    platform = Platform(State.default())
    out = Path.cwd() / "out"
    try:
        with stage.step("从空平台开始", "an empty platform comes up"):
            stage.say(f"清空 {platform.state.root}", "what is there is forgotten")
            platform.reset()
            platform.up(stage.say, sinks=True)
        Story(platform, stage, out).play()
    except (StartError, UnexpectedError) as error:
        stage.say(f"✗ 未如预期：{error}", "not as expected")
        return 1
    stage.say(f"✓ 全部如预期，用时 {stage.seconds():.0f} 秒", f"all as expected, {stage.seconds():.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
