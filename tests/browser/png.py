# SPDX-License-Identifier: MIT
"""Reads the PNG files that a browser's screenshots are: 8 bits a channel, not interlaced (PNG specification, 5 to 9)."""
import struct
import zlib


def _paeth(left, above, corner):
    estimate = left + above - corner
    distances = abs(estimate - left), abs(estimate - above), abs(estimate - corner)
    return (left, above, corner)[distances.index(min(distances))]


def _undo_filter(kind, row, previous, step):
    for i, byte in enumerate(row):
        left = row[i - step] if i >= step else 0
        above = previous[i]
        corner = previous[i - step] if i >= step else 0
        predicted = (0, left, above, (left + above) // 2, _paeth(left, above, corner))[kind]
        row[i] = (byte + predicted) & 0xff


def rows(data):
    """The picture as a list of rows of (red, green, blue)."""
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        chunk = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, bits, colours = struct.unpack_from(">IIBB", chunk)
            assert bits == 8 and colours in (2, 6)
        elif kind == b"IDAT":
            packed += chunk
        at += 12 + length
    step = 3 if colours == 2 else 4
    bytes_per_row = width * step
    unpacked = zlib.decompress(packed)
    result, previous = [], bytearray(bytes_per_row)
    for y in range(height):
        start = y * (bytes_per_row + 1)
        row = bytearray(unpacked[start + 1:start + 1 + bytes_per_row])
        _undo_filter(unpacked[start], row, previous, step)
        result.append([tuple(row[x:x + 3]) for x in range(0, bytes_per_row, step)])
        previous = row
    return result
