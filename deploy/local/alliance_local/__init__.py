"""The platform on one machine: its parts as child processes of a supervisor."""

import os

# A child is forked to become another program at once. gRPC's handlers of forks would first take up its calls in the child, and
# crashed one in four there (grpc/grpc#43055). Read when gRPC is imported, so it stands before every import of the package.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
