"""`python -m matching serve | migrate`."""

from chassis.main import run
from matching.app import SERVICE

run(SERVICE)
