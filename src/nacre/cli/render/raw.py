"""``--format raw``: a block of ``name: value`` lines for each thing, as Docker had it of old.

Only some kinds of rows have it; to the others ``raw`` is a template like any other word.
"""

from __future__ import annotations

from collections.abc import Mapping

# By the kind of row: what stands for a column of the default table.
_LINES: Mapping[str, Mapping[str, str]] = {
    "*formatter.imageContext": {
        "Repository": "repository: {{.Repository}}",
        "Tag": "tag: {{.Tag}}",
        "Digest": "digest: {{.Digest}}",
        "ID": "image_id: {{.ID}}",
        "CreatedSince": "created_at: {{.CreatedAt}}",
        "Size": "virtual_size: {{.Size}}",
    }
}


def template(type_name: str, default_table: str, quiet_field: str | None) -> str:
    """Return the template of a block, ending in an empty line, for the columns of a table.

    With ``quiet_field`` it is the line of that one field, without the empty one.
    """
    lines = _LINES.get(type_name)
    if lines is None:
        return "raw"
    if quiet_field is not None:
        return lines[quiet_field]
    return "".join(
        f"{line}\n" for column, line in lines.items() if f"{{{{.{column}}}}}" in default_table
    )
