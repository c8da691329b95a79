"""Pauses of Python's garbage collector: a full look at all that a started service holds takes 70 ms and more, in which
nobody is answered. What is there once it serves stays, and is not looked at any more; what comes later is, much more seldom.
Memory is given back as before: by counts of references, beside which the collector only finds rings.
"""

import gc

_NEW = 10_000  # objects more than there were, after which the newest are looked at; the default is 700
_OLDER, _ALL = 10, 100  # looks at the newest for one at the older ones, and at those for one at all; the defaults are 10


def keep_short() -> None:
    """For a process that has started."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW, _OLDER, _ALL)
