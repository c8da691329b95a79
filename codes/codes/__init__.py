"""Public code tables 公共代码表 as pure look-ups: regions, industries, education levels, majors.

Only codes and names are kept, as the standards give them; nothing here does I/O after import.
"""

from codes import education, industries, majors, regions

__all__ = ["education", "industries", "majors", "regions"]
