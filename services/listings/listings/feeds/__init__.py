"""Feeds 数据接口 of outside systems (R3–R6), in and out, as docs/feeds.md has it.

Read top to bottom: `rpc.py` (set up, watch, pause) → `exchanging.py` (whose turn it is) → `taking.py` (in), `giving.py` (out)
→ `settling.py` (what came of it) → `port.py` (what an exchange is), `http.py` and `lines.py` (the one way that there is) →
`keys.py`, `store.py` → `mapping.py`, `mappings.py`. The rules are in `domain/feeds.py`.
"""
