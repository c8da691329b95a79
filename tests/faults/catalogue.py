"""The faults by their numbers in the catalogue; 34 and later are not in it."""

from functools import partial

from tests.faults import absence, cluster, content, disk, network, overload, scenarios, whole
from tests.faults.fault import Fault
from tests.faults.parts import lacks

_DISK = partial(lacks, "mount", "umount")
_NETWORK = partial(lacks, "ip", "tc")

FAULTS = (
    Fault("0", "nothing", "LPOSQC", scenarios.nothing),
    Fault("1", "relay dies after produce, before mark", "LO", scenarios.relay_dies_after_produce),
    Fault("2", "relay dies before produce", "L", scenarios.relay_dies_before_produce),
    Fault("3", "service dies mid-transaction", "P", scenarios.service_dies_in_a_transaction),
    Fault("4", "consumer dies after database commit, before offset commit", "LC", scenarios.consumer_dies_before_the_offset),
    Fault("4b", "consumer dies before database commit", "LC", scenarios.consumer_dies_before_commit),
    Fault("5", "consumer dies between batch records", "LOC", scenarios.consumer_dies_between_records),
    Fault("6", "two relays run", "LOS", scenarios.two_relays),
    Fault("7", "zombie consumer", "LO", scenarios.zombie_consumer),
    Fault("8", "rebalance storm", "LR", scenarios.rebalance_storm),
    Fault("9", "handler slower than max_poll_interval", "R", scenarios.slow_handler),
    Fault("9b", "a slow handler has much to read", "LR", scenarios.much_to_read),
    Fault("10", "broker crash", "LR", scenarios.broker_crash),
    Fault("10b", "Kafka away until the outbox is full", "LR", absence.broker_away),
    Fault("11", "leader change", "LO", cluster.leader_change, "three"),
    Fault("12", "all brokers down, then back", "LR", cluster.all_brokers_down, "three"),
    Fault("13", "fewer brokers up than needed", "LR", cluster.too_few_up, "three"),
    Fault("13b", "fewer replicas in sync than needed", "LR", cluster.too_few_in_sync, "three"),
    Fault("14a", "PostgreSQL backend killed", "LP", scenarios.database_backend_killed),
    Fault("14b", "PostgreSQL immediate stop", "LP", scenarios.database_immediate_stop),
    Fault("14c", "PostgreSQL away while calls come", "LPR", absence.database_away),
    Fault("15", "pool exhausted", "R", scenarios.pool_exhausted),
    Fault("16", "held snapshot and open writes", "R", scenarios.held_snapshot),
    Fault("17", "low sequences commit late", "LO", scenarios.late_commits),
    Fault("18a", "half-open connections: all is swallowed", "LR", network.swallowed_lines, is_proxied=True),
    Fault(
        "18b", "half-open connections: packets are dropped", "LR", network.dropped_packets, is_proxied=True, missing=_NETWORK
    ),
    Fault("19", "latency, slow drip", "LR", network.slow_lines, is_proxied=True),
    Fault("20", "reset in mid-response", "LOR", network.cut_answers, is_proxied=True),
    Fault("21a", "disk full: Kafka's log directory", "LPR", disk.broker_disk_full, "small-log", missing=_DISK),
    Fault("21b", "disk full: PostgreSQL's write-ahead log", "LPR", disk.database_disk_full, "small-wal", missing=_DISK),
    Fault("21c", "a broker's disk lied: its newest records are gone", "LOS", cluster.disk_lied, "three"),
    Fault("22", "garbage or truncated records", "QC", content.garbage),
    Fault("22b", "garbage that claims to be a coming version", "LO", content.garbage_on_live_keys),
    Fault("23", "oversized record in the queue, null key", "L", content.oversized_in_the_queue),
    Fault("24", "the whole log again", "LC", content.everything_again),
    Fault("24e", "the whole log of every topic again", "E", whole.everything_again, "services"),
    Fault("25", "offsets reset to 0", "LC", content.offsets_reset),
    Fault("25e", "offsets of every group reset to 0", "E", whole.offsets_reset, "services"),
    Fault("26a", "records of a later contract", "L", content.later_contract),
    Fault("26b", "undecodable bytes, wrong content type", "Q", content.undecodable),
    Fault("31", "SIGTERM under load", "LR", scenarios.rolling_restart),
    Fault("33", "gRPC overload", "LR", overload.overload),
    Fault("33b", "callers who never wait", "LR", overload.storm),
    Fault("34", "two processes with one member id", "LO", scenarios.one_member_twice),
    Fault("35", "a consumer goes silent", "LR", network.silent_consumer, is_proxied=True),
    Fault("36", "a producer is told wrong sequence numbers", "LPSR", network.wedged_producer, is_proxied=True),
)
