"""`python -m registry serve | migrate`."""

from chassis.main import run
from registry.app import SERVICE

run(SERVICE)
