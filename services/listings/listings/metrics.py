"""What dashboards show of listings 供需信息指标, in both languages; those of feeds are in `feeds/metrics.py`."""

from prometheus_client import Gauge

LISTINGS = Gauge("alliance_listings", "供需信息数，按类别和状态 · Listings by kind and state.", ("kind", "state"))
