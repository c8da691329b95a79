"""`python -m reporting serve | migrate`."""

from chassis.main import run
from reporting.app import SERVICE

run(SERVICE)
