"""Thrift's compact protocol, as far as Parquet's footers are written in it: read into lists, written back.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)
_SHORT_LIST = 15


@dataclass
class Field:
    """A field of a struct: numbers are int, a struct is a list of fields or its bytes, a list is a `Sequence`."""

    number: int
    kind: int
    value: Any


@dataclass
class Sequence:
    kind: int
    items: list[Any]


def get(fields: list[Field], number: int) -> Field | None:
    """The field of a number, if the struct has it."""
    return next((each for each in fields if each.number == number), None)


def read_struct(data: bytes) -> list[Field]:
    """The fields of the struct that the bytes begin with."""
    return _Source(data).struct()


class _Source:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def struct(self) -> list[Field]:
        fields: list[Field] = []
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._zigzag()
            fields.append(Field(number, head & 15, self._value(head & 15)))
        return fields

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _bytes(self, count: int) -> bytes:
        self._at += count
        return self._data[self._at - count : self._at]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _value(self, kind: int) -> Any:
        if kind in (TRUE, FALSE):
            return kind == TRUE
        if kind in (I16, I32, I64):
            return self._zigzag()
        if kind == BYTE:
            return self._byte()
        if kind == DOUBLE:
            return struct.unpack("<d", self._bytes(8))[0]
        if kind == BINARY:
            return self._bytes(self._varint())
        if kind in (LIST, SET):
            head = self._byte()
            count = head >> 4 if head >> 4 < _SHORT_LIST else self._varint()
            item = head & 15
            if item in (TRUE, FALSE):
                return Sequence(item, [self._byte() == TRUE for _ in range(count)])
            return Sequence(item, [self._value(item) for _ in range(count)])
        if kind == STRUCT:
            return self.struct()
        raise ValueError(f"kind {kind} of a Thrift value")


def write_struct(fields: list[Field]) -> bytes:
    """The bytes of a struct; its fields stand in the order of their numbers."""
    out = bytearray()
    last = 0
    for field in fields:
        kind = (TRUE if field.value else FALSE) if field.kind in (TRUE, FALSE) else field.kind
        step = field.number - last
        last = field.number
        if 0 < step <= 15:
            out.append(step << 4 | kind)
        else:
            out.append(kind)
            out += _zigzag(field.number)
        if kind not in (TRUE, FALSE):
            out += _value(kind, field.value)
    out.append(0)
    return bytes(out)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _zigzag(value: int) -> bytes:
    return _varint(value << 1 if value >= 0 else (-value << 1) - 1)


def _value(kind: int, value: Any) -> bytes:
    if kind in (I16, I32, I64):
        return _zigzag(value)
    if kind == BYTE:
        return bytes([value])
    if kind == DOUBLE:
        return struct.pack("<d", value)
    if kind == BINARY:
        return _varint(len(value)) + bytes(value)
    if kind in (LIST, SET):
        count, item = len(value.items), value.kind
        head = bytes([count << 4 | item]) if count < _SHORT_LIST else bytes([240 | item]) + _varint(count)
        if item in (TRUE, FALSE):
            return head + bytes(TRUE if each else FALSE for each in value.items)
        return head + b"".join(_value(item, each) for each in value.items)
    if kind == STRUCT:
        return value if isinstance(value, bytes) else write_struct(value)
    raise ValueError(f"kind {kind} of a Thrift value")
