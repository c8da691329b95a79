"""`python -m notify serve | migrate`."""

from chassis.main import run
from notify.app import SERVICE

run(SERVICE)
