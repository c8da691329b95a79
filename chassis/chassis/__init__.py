"""What every service stands on."""

import os

# gRPC's core writes lines that are no JSON for handshakes that fail, and for names that are not the certificate's: as many as
# anybody at the port likes. It reads this when it is loaded, so it is set here, before any module imports it; who looks for a
# fault sets another.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
