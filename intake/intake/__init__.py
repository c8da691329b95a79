"""Taking listings in from foreign tables: a row of texts becomes a `Listing`, or a refusal that says what to mend.

Shared by whoever reads rows, the command line or a service; it opens no connection and knows no terminal.
"""

from intake.cells import Names
from intake.errors import UnmappedError, WrongError
from intake.mapping import Mapping, Row

__all__ = ["Mapping", "Names", "Row", "UnmappedError", "WrongError"]
