"""`python -m notify serve | migrate | topics | replay | restore-fence`."""

from chassis.main import run
from notify.app import SERVICE

run(SERVICE)
