"""`python -m alliance_demo [--observe]`: plays one quarter on a platform that begins empty, and leaves it up.

With `--observe` a Prometheus and a collector of traces look on, where they are installed, and stay up with it. Exits 1 where
anything that the demo expects did not happen.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path

from alliance_demo.stage import Stage, UnexpectedError
from alliance_demo.story import Story
from alliance_local import observing
from alliance_local.control import Platform, StartError
from alliance_local.state import State


def main() -> int:
    """Entry point."""
    parser = ArgumentParser(prog="python -m alliance_demo")
    parser.add_argument("--observe", action="store_true", help="启动 Prometheus 与采集器 · with Prometheus and a collector")
    observed = parser.parse_args().observe
    stage = Stage()
    platform = Platform(State.default())
    out = Path.cwd() / "out"
    try:
        with stage.step("从空平台开始", "an empty platform comes up"):
            stage.say(f"清空 {platform.state.root}", "what is there is forgotten")
            platform.reset()
            platform.up(stage.say, sinks=True, **({"ALLIANCE_LOCAL_OBSERVE": "1"} if observed else {}))
        Story(platform, stage, out).play()
        if observed:
            with stage.step("看一看", "where to look"):
                _tell_where(stage, platform)
    except (StartError, UnexpectedError) as error:
        stage.say(f"✗ 未如预期：{error}", "not as expected")
        return 1
    stage.say(f"✓ 全部如预期，用时 {stage.seconds():.0f} 秒", f"all as expected, {stage.seconds():.0f} s")
    return 0


def _tell_where(stage: Stage, platform: Platform) -> None:
    """What looks on, what is missing for it, and the files that go with it."""
    for zh, en in (*observing.places(platform.state), *observing.missing()):
        stage.say(zh, en)


if __name__ == "__main__":
    sys.exit(main())
