"""`python -m listings serve | migrate | topics | replay | restore-fence`."""

from chassis.main import run
from listings.app import SERVICE

run(SERVICE)
