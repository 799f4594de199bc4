"""The API described for programs (OpenAPI 3.1); tests hold it against what runs."""

from __future__ import annotations

from typing import Any

ID_PATTERN = "^[A-Za-z0-9_-]{8,64}$"
TURN_PATTERN = "^[0-9a-f]{32}$"

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
MEASURES: Schema = {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 22}}
DAY: Schema = {"type": "string", "format": "date"}


def document() -> Schema:
    """Return the whole description."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "云浮新业态劳动者权益问答", "version": "1.0.0", "description": "骑手、司机的权益问答。"},
        "paths": {
            "/api/ask": {"post": _post("问一个问题", "Question", "Reply", ("400", "413", "415"))},
            "/api/rate": {"post": _post("评价一次回答", "Rating", "Rated", ("400", "404", "413", "415"))},
            "/api/entries": {"get": _entries()},
            "/api/openapi.json": {"get": _get("这份说明", {"type": "object"})},
        },
        "components": {"schemas": _schemas()},
    }


def _post(summary: str, body: str, answer: str, errors: tuple[str, ...]) -> Schema:
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": _json(_ref(body))},
        "responses": {"200": {"description": "好", "content": _json(_ref(answer))}, **_errors(*errors, "429", "500")},
    }


def _get(summary: str, schema: Schema, *errors: str) -> Schema:
    ok = {"description": "好", "content": _json(schema)}
    return {"summary": summary, "responses": {"200": ok, **_errors(*errors, "500")}}


def _entries() -> Schema:
    operation = _get("全部问答", _ref("Entries"), "429")
    operation["responses"]["304"] = {"description": "跟 If-None-Match 给的版本一样"}
    return operation


def _errors(*statuses: str) -> Schema:
    return {status: {"description": "错误", "content": _json(_ref("Error"))} for status in statuses}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(optional: tuple[str, ...] = (), **properties: Schema) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def _schemas() -> Schema:
    return {
        "Question": _question(),
        "Reply": _reply(),
        "Rating": _object(
            ("reason",),
            id={"type": "string", "pattern": TURN_PATTERN, "description": "回答的 id"},
            useful={"type": "boolean"},
            reason={"type": ["string", "null"], "maxLength": 500},
        ),
        "Rated": _object(id=TEXT, useful={"type": "boolean"}),
        "Entries": _object(version=TEXT, entries=_list(_entry())),
        "Error": _object(error=_object(code=TEXT, message=TEXT)),
    }


def _question() -> Schema:
    return _object(
        ("conversation", "id"),
        q={"type": "string", "pattern": r"\S", "description": "问题；只读前2000字"},
        conversation={"type": ["string", "null"], "description": "上一次回答里的 conversation；不是它发的就开新的对话"},
        id={"type": ["string", "null"], "pattern": ID_PATTERN, "description": "重发时带同一个，得到同一个回答"},
    )


def _reply() -> Schema:
    return _object(
        id={"type": "string", "pattern": TURN_PATTERN},
        kind={"enum": ["answer", "choices", "emergency", "smalltalk", "none"]},
        text=TEXT,
        entry=TEXT_OR_NULL,
        measures=MEASURES,
        office=_list(TEXT),
        door=TEXT,
        sources=_list(_object(title=TEXT, number=TEXT, date=TEXT, articles=TEXT)),
        choices=_list(_object(text=TEXT, entry=TEXT_OR_NULL, measures=MEASURES)) | {"maxItems": 6},
        refer={"anyOf": [{"type": "null"}, _object(name=TEXT, phone=TEXT)]},
        score={"type": ["number", "null"], "minimum": 0, "maximum": 1},
        version=TEXT,
        conversation={"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"},
    )


def _entry() -> Schema:
    return _object(
        id=TEXT,
        question=TEXT,
        short=TEXT,
        measures=MEASURES,
        offices=_list(TEXT),
        door=TEXT,
        checked=DAY,
        valid_until={"anyOf": [DAY, {"type": "null"}]},
        url={"type": "string", "format": "uri"},
    )
