"""`python -m listings serve | migrate`."""

from chassis.main import run
from listings.app import SERVICE

run(SERVICE)
