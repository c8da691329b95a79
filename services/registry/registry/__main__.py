"""`python -m registry serve | migrate | topics | replay | restore-fence`."""

from chassis.main import run
from registry.app import SERVICE

run(SERVICE)
