"""`python -m reporting serve | migrate | topics | replay | restore-fence`."""

from chassis.main import run
from reporting.app import SERVICE

run(SERVICE)
