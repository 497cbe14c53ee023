"""The JSON schemas of the documents in `panel.report.data`; those in `docs/schemas` are printed by `panel schema`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from panel.checks import all_checks
from panel.report.data import ComparisonDocument, ReviewDocument

if TYPE_CHECKING:
    from pydantic import BaseModel

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_MODELS: dict[str, type[BaseModel]] = {"review": ReviewDocument, "comparison": ComparisonDocument}


def json_schema(document: str) -> str:
    """Return the JSON schema of a `review` or a `comparison` document, with a line feed at its end."""
    schema = _MODELS[document].model_json_schema(mode="serialization")
    schema["$defs"]["Finding"]["properties"]["kind"]["enum"] = list(all_checks())
    text = json.dumps({"$schema": DIALECT, **_summarised(schema)}, indent=2, ensure_ascii=False)
    return f"{text}\n"


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
