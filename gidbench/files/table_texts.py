"""Typed columns as text, the same for the same value wherever it comes from.

Numbers in the shortest form that reads back as the same number and without an exponent where 21 digits do
(decimals keep the digits after their point); dates YYYY-MM-DD; moments YYYY-MM-DD HH:MM:SS, with a fraction
where there is one, and with their offset from UTC where the column has a zone; times of day HH:MM:SS;
durations as a number of their unit; true and false; nulls as empty text; lists, structs and maps as JSON;
binary values as text where they are UTF-8, else as hexadecimal digits.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_TEXT = pa.string()


def as_texts(column: pa.Array) -> pa.StringArray:
    """A column as texts (int32 offsets), without nulls."""
    texts = _texts(column)
    if texts.null_count:
        texts = pc.fill_null(texts, "")
    return pa.concat_arrays([texts]) if texts.offset else texts


def _texts(column: pa.Array) -> pa.Array:
    kind = column.type
    if isinstance(column, pa.ExtensionArray):
        return _texts(column.storage)
    if pa.types.is_null(kind):
        return pa.repeat("", len(column))
    if pa.types.is_string(kind):
        return column
    if pa.types.is_dictionary(kind):
        return _texts(column.dictionary_decode())
    if pa.types.is_run_end_encoded(kind):
        return _texts(pc.run_end_decode(column))
    if pa.types.is_floating(kind):
        return _floats(column)
    if pa.types.is_decimal(kind):
        return _decimals(column)
    if pa.types.is_date(kind):
        return column.cast(pa.date32()).cast(_TEXT)
    if pa.types.is_timestamp(kind):
        return _moments(column)
    if pa.types.is_time(kind):
        return _short(column.cast(_TEXT))
    if _is_binary(kind):
        return _binary(column)
    if pa.types.is_nested(kind):
        return pa.array([None if value is None else _json(value) for value in column.to_pylist()], _TEXT)
    if pa.types.is_duration(kind):
        return column.cast(pa.int64()).cast(_TEXT)
    return column.cast(_TEXT)


def _is_binary(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def _floats(column: pa.Array) -> pa.Array:
    """Arrow writes large and small numbers with an exponent: 1e+15, 1e-7; -0 is told from 0."""
    if pa.types.is_float16(column.type):
        column = column.cast(pa.float32())
    texts = column.cast(_TEXT)
    odd = pc.fill_null(pc.match_substring(texts, "e"), False)
    if not pc.any(odd).as_py():
        return texts
    plain = [_plain(text) for text in texts.filter(odd).to_pylist()]
    return pc.replace_with_mask(texts, odd, pa.array(plain, _TEXT))


def _plain(text: str) -> str:
    """A number without its exponent, where that takes at most 21 digits."""
    exponent = int(text.partition("e")[2])
    return f"{Decimal(text):f}" if -7 < exponent < 21 else text.replace("e+", "e")


def _decimals(column: pa.Array) -> pa.Array:
    if column.type.scale >= 0:
        texts = column.cast(_TEXT)
        if not pc.any(pc.match_substring(texts, "E")).as_py():
            return texts
    return pa.array([None if value is None else f"{value:f}" for value in column.to_pylist()], _TEXT)


def _moments(column: pa.Array) -> pa.Array:
    if column.type.tz is None:
        return _short(column.cast(_TEXT))
    local = _short(pc.local_timestamp(column).cast(_TEXT))
    return pc.binary_join_element_wise(local, pc.strftime(column, "%z"), "")


def _short(texts: pa.Array) -> pa.Array:
    """Times without the zeros at the end of a fraction."""
    if not pc.any(pc.match_substring(texts, ".")).as_py():
        return texts
    return pc.ascii_rtrim(pc.ascii_rtrim(texts, "0"), ".")


def _binary(column: pa.Array) -> pa.Array:
    try:
        return column.cast(pa.binary()).cast(_TEXT)
    except pa.ArrowInvalid:
        return pa.array(
            [None if value is None else _bytes_text(value) for value in column.to_pylist()], _TEXT
        )


def _bytes_text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_json_leaf)


def _json_leaf(value: Any) -> Any:
    if isinstance(value, bytes):
        return _bytes_text(value)
    return str(value)
