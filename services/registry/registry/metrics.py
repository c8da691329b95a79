"""What dashboards show of the register 成员库指标, in both languages."""

from prometheus_client import Gauge

BODIES = Gauge("alliance_bodies", "组织体数，按类别和状态 · Bodies by kind and state.", ("kind", "state"))
