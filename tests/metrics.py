"""What the metrics of this process say."""

from prometheus_client import REGISTRY


def metric(name: str, **labels: str) -> float:
    """The value of a sample; 0 while there is none."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


class Rise:
    """By how much a sample has risen since this was made; other tests of the run counted before."""

    def __init__(self, name: str, **labels: str) -> None:
        self._name = name
        self._labels = labels
        self._before = metric(name, **labels)

    def __call__(self) -> float:
        """The difference, until now."""
        return metric(self._name, **self._labels) - self._before
