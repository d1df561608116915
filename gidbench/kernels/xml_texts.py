"""What XML and Office write for characters: entities, references, line ends, and _xHHHH_ (ST_Xstring)."""

from __future__ import annotations

import numpy as np

from gidbench.kernels.memory import address_of, copy16, load8, store1
from gidbench.kernels.registry import helper

_AMP, _HASH, _SEMICOLON, _UNDERSCORE, _LOWER_X, _CR, _LF = 38, 35, 59, 95, 120, 13, 10
_ESCAPE_LENGTH = 7  # of _xHHHH_
_LESS, _GREATER, _SLASH, _LOWER_T, _BLANK = 60, 62, 47, 116, 32
_PHONETIC = np.uint64(int.from_bytes(b"<rPh", "little"))
SAYS, UNCLEAR = 1, 2  # what `says_something` finds, besides nothing


@helper
def hex_value(byte):
    if 48 <= byte <= 57:
        return np.int64(byte) - 48
    letter = np.int64(byte) | 32
    if 97 <= letter <= 102:
        return letter - 87
    return np.int64(-1)


@helper
def escaped_unit(data, at, end):
    """The code unit that _xHHHH_ stands for, -1 where there is none, -2 where a reference is in its way."""
    if at + 1 >= end or data[at + 1] != _LOWER_X:
        return np.int64(-1)
    unit = np.int64(0)
    for place in range(at + 2, at + 6):
        if place >= end:
            return np.int64(-1)
        if data[place] == _AMP:
            return np.int64(-2)
        digit = hex_value(data[place])
        if digit < 0:
            return np.int64(-1)
        unit = unit * 16 + digit
    if at + 6 >= end:
        return np.int64(-1)
    if data[at + 6] == _AMP:
        return np.int64(-2)
    return unit if data[at + 6] == _UNDERSCORE else np.int64(-1)


@helper
def put_character(at, code):
    """UTF-8 of a code point at an address; its length."""
    if code < 0x80:
        store1(at, code)
        return 1
    if code < 0x800:
        store1(at, 0xC0 | (code >> 6))
        store1(at + 1, 0x80 | (code & 63))
        return 2
    if code < 0x10000:
        store1(at, 0xE0 | (code >> 12))
        store1(at + 1, 0x80 | ((code >> 6) & 63))
        store1(at + 2, 0x80 | (code & 63))
        return 3
    store1(at, 0xF0 | (code >> 18))
    store1(at + 1, 0x80 | ((code >> 12) & 63))
    store1(at + 2, 0x80 | ((code >> 6) & 63))
    store1(at + 3, 0x80 | (code & 63))
    return 4


@helper
def reference(data, at, end):
    """(code point of the reference at an ampersand, position behind it); -1 where it is none that we know."""
    stop = at + 1
    while stop < end and stop - at < 12 and data[stop] != _SEMICOLON:
        stop += 1
    if stop >= end or data[stop] != _SEMICOLON:
        return np.int64(-1), at
    length = stop - at - 1
    first = data[at + 1]
    code = np.int64(-1)
    if first == _HASH:
        digits = at + 2
        base = np.int64(10)
        if data[digits] == _LOWER_X:
            digits += 1
            base = np.int64(16)
        if digits == stop:
            return np.int64(-1), at
        code = np.int64(0)
        for place in range(digits, stop):
            digit = hex_value(data[place])
            if digit < 0 or digit >= base:
                return np.int64(-1), at
            code = code * base + digit
        if code == 0 or code > 0x10FFFF or 0xD800 <= code <= 0xDFFF or code == _UNDERSCORE:
            code = np.int64(-1)
    elif length == 2 and data[at + 2] == 116:
        if first == 108:
            code = np.int64(60)
        elif first == 103:
            code = np.int64(62)
    elif length == 3 and first == 97 and data[at + 2] == 109 and data[at + 3] == 112:
        code = np.int64(_AMP)
    elif length == 4 and first == 113 and data[at + 2] == 117 and data[at + 3] == 111 and data[at + 4] == 116:
        code = np.int64(34)
    elif length == 4 and first == 97 and data[at + 2] == 112 and data[at + 3] == 111 and data[at + 4] == 115:
        code = np.int64(39)
    return code, stop + 1


@helper
def decode_text(data, start, length, target):
    """Decode data[start:start + length] to an address; its length, or -1 where an XML parser must look at it.

    It never gets longer.
    """
    end = start + length
    at = start
    to = target
    while at < end:
        byte = np.int64(data[at])
        if byte == _AMP:
            code, behind = reference(data, at, end)
            if code < 0:
                return -1
            to += put_character(to, code)
            at = behind
        elif byte == _CR:
            store1(to, _LF)
            to += 1
            at += 2 if at + 1 < end and data[at + 1] == _LF else 1
        elif byte == _UNDERSCORE:
            unit = escaped_unit(data, at, end)
            if unit == -2:
                return -1
            if 0xD800 <= unit < 0xDC00 and at + _ESCAPE_LENGTH < end and data[at + _ESCAPE_LENGTH] == byte:
                lower = escaped_unit(data, at + _ESCAPE_LENGTH, end)
                if lower == -2:
                    return -1
                if 0xDC00 <= lower < 0xE000:
                    to += put_character(to, 0x10000 + ((unit - 0xD800) << 10) + lower - 0xDC00)
                    at += 2 * _ESCAPE_LENGTH
                    continue
            if unit < 0 or 0xD800 <= unit < 0xE000:
                store1(to, byte)
                to += 1
                at += 1
            else:
                to += put_character(to, unit)
                at += _ESCAPE_LENGTH
        else:
            store1(to, byte)
            to += 1
            at += 1
    return to - target


@helper
def copy_text(target, source, length):
    """Copy so many bytes; up to 15 more are read and written."""
    for done in range(0, length, 16):
        copy16(target + done, source + done)


@helper
def decodes(data, start, length):
    """Whether `decode_text` can do it."""
    scratch = np.empty(length + 16, np.uint8)
    return decode_text(data, start, length, address_of(scratch)) >= 0


@helper
def says_something(data, base, at, end):
    """Whether the runs of an inline string have a letter among them; comments and phonetic hints are unclear."""
    while at < end:
        if data[at] == _LESS:
            if data[at + 1] == 33 or (load8(base + at) & np.uint64(0xFFFFFFFF)) == _PHONETIC:
                return UNCLEAR
            if data[at + 1] == _LOWER_T and (data[at + 2] == _GREATER or data[at + 2] == _BLANK):
                while at < end and data[at] != _GREATER:
                    at += 1
                if at + 1 < end and data[at - 1] != _SLASH:
                    if data[at + 1] != _LESS:
                        return SAYS
                    if data[at + 2] != _SLASH:
                        return UNCLEAR
        at += 1
    return 0
