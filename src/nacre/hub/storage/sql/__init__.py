"""The records of a hub in SQL.

``schema`` says what tables there are and ``migrations`` how they came to be; ``database`` is the
little that is asked of a database, and ``sqlite`` meets it. One module a noun turns the Protocols
of the hub into statements; ``records`` puts them together.
"""

from nacre.hub.storage.sql.keeping import Keeping
from nacre.hub.storage.sql.records import SqlRecords, open_records

__all__ = ["Keeping", "SqlRecords", "open_records"]
