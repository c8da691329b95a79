"""Applications 申报: the procedures of R29–R37 on real rows; what may be done is in `registry.domain.programmes`."""
