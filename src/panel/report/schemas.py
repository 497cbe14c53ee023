"""The published JSON schemas of the documents in `panel.report.data`.

    python -m panel.report.schemas docs/schemas

writes them to a folder.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panel.report.data import ComparisonDocument, ReviewDocument

if TYPE_CHECKING:
    from pydantic import BaseModel

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FILES = {"review": "panel-review-1.json", "comparison": "comparison-1.json"}

_MODELS: dict[str, type[BaseModel]] = {"review": ReviewDocument, "comparison": ComparisonDocument}


def json_schema(document: str) -> str:
    """Return the JSON schema of a `review` or a `comparison` document, with a line feed at its end."""
    schema = _MODELS[document].model_json_schema(mode="serialization")
    text = json.dumps({"$schema": DIALECT, **_summarised(schema)}, indent=2, ensure_ascii=False)
    return f"{text}\n"


def write_schemas(folder: Path) -> None:
    """Write each schema to its file in a folder."""
    for document, name in FILES.items():
        (folder / name).write_text(json_schema(document), encoding="utf-8", newline="\n")


def _summarised(schema: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Keep the first paragraph of each description, which is a whole docstring."""
    if isinstance(schema, list):
        return [_summarised(value) for value in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _summarised(value) for key, value in schema.items()}
    description = kept.get("description")
    if isinstance(description, str):
        kept["description"] = " ".join(description.split("\n\n")[0].split())
    return kept


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))
