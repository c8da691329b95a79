"""`python -m matching serve | migrate | topics | replay | restore-fence`."""

from chassis.main import run
from matching.app import SERVICE

run(SERVICE)
