"""Public code tables 公共代码表 as pure look-ups: regions, industries, occupations, education levels, majors, key fields.

Only codes and names are kept, as the standards give them; nothing here does I/O after import. `read` of a table takes what
people write, a code, a name or both, and gives the code. `protected` knows what a post may not ask of persons; whoever needs
it imports it, since its patterns take a third of a second to be made.
"""

from codes import education, fields, industries, majors, occupations, regions
from codes._table import NoCodeError

__all__ = ["NoCodeError", "education", "fields", "industries", "majors", "occupations", "regions"]
