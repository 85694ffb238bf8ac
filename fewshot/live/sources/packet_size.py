"""The size of the picture that a packet of a video brings: without decoding it, from the head of a key frame."""

from __future__ import annotations

import re

Size = tuple[int, int]
"""Width and height in pixels."""

# Start of frame, in its kinds; C4, C8 and CC mean something else.
_JPEG_FRAME = re.compile(rb"\xff[\xc0-\xc3\xc5-\xc7\xc9-\xcb\xcd-\xcf](?=.{7})", re.DOTALL)
_H264_PARAMETERS = re.compile(rb"\x00\x00\x01[\x07\x27\x47\x67](.{4,})", re.DOTALL)
_HIGH_PROFILES = {44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244}


def picture_size(packet: bytes, codec: str) -> Size | None:
    """Width and height in a packet of VP8, VP9, Motion JPEG or H.264; None if it does not say them.

    Args:
        packet: one packet; H.264 with start codes, as OpenCV gives it.
        codec: four letters, as OpenCV names it: "VP80", "VP90", "MJPG", "h264", "avc1".
    """
    reader = {"vp80": _vp8, "vp90": _vp9, "vp09": _vp9, "mjpg": _jpeg, "jpeg": _jpeg, "h264": _h264, "avc1": _h264}.get(
        codec.lower()
    )
    try:
        return reader(packet) if reader is not None else None
    except IndexError:  # the packet is cut off
        return None


class _Bits:
    """Reads bits from the highest one on.

    Raises:
        IndexError: there are no more.
    """

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, count: int) -> int:
        value = 0
        for _ in range(count):
            value = value << 1 | self._data[self._at >> 3] >> (7 - self._at % 8) & 1
            self._at += 1
        return value

    def golomb(self) -> int:
        """An unsigned number of variable length (Exp-Golomb)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """A signed one."""
        number = self.golomb()
        return (number + 1) // 2 if number % 2 else -(number // 2)


def _vp8(packet: bytes) -> Size | None:
    if packet[0] & 1 or packet[3:6] != b"\x9d\x01\x2a":
        return None
    return int.from_bytes(packet[6:8], "little") & 0x3FFF, int.from_bytes(packet[8:10], "little") & 0x3FFF


def _vp9(packet: bytes) -> Size | None:
    bits = _Bits(packet)
    if bits.take(2) != 2:
        return None
    profile = bits.take(1) + 2 * bits.take(1)
    if profile == 3:
        bits.take(1)
    if bits.take(1) or bits.take(1):  # a picture shown again, or one between key frames
        return None
    bits.take(2)
    if bits.take(24) != 0x498342:
        return None
    if profile >= 2:
        bits.take(1)
    if bits.take(3) != 7:  # not RGB
        bits.take(1)
        if profile in (1, 3):
            bits.take(3)
    elif profile in (1, 3):
        bits.take(1)
    return bits.take(16) + 1, bits.take(16) + 1


def _jpeg(packet: bytes) -> Size | None:
    found = _JPEG_FRAME.search(packet)
    if found is None:
        return None
    height, width = (int.from_bytes(packet[found.end() + place :][:2], "big") for place in (3, 5))
    return width, height


def _h264(packet: bytes) -> Size | None:
    found = _H264_PARAMETERS.search(packet)
    if found is None:
        return None
    bits = _Bits(found.group(1).partition(b"\x00\x00\x01")[0].replace(b"\x00\x00\x03", b"\x00\x00"))
    profile, chroma = bits.take(8), 1
    bits.take(16)
    bits.golomb()
    if profile in _HIGH_PROFILES:
        chroma = bits.golomb()
        if chroma == 3:
            bits.take(1)
        bits.golomb(), bits.golomb(), bits.take(1)
        if bits.take(1):
            _skip_scaling(bits, 12 if chroma == 3 else 8)
    bits.golomb()
    order = bits.golomb()
    if order == 0:
        bits.golomb()
    elif order == 1:
        bits.take(1), bits.signed(), bits.signed()
        for _ in range(bits.golomb()):
            bits.signed()
    bits.golomb(), bits.take(1)
    width, rows = 16 * (bits.golomb() + 1), bits.golomb() + 1
    whole = bits.take(1)
    height = 16 * rows * (2 - whole)
    if not whole:
        bits.take(1)
    bits.take(1)
    if not bits.take(1):
        return width, height
    across, down = (2 if chroma in (1, 2) else 1), (2 if chroma == 1 else 1) * (2 - whole)
    left, right, top, bottom = (bits.golomb() for _ in range(4))
    return width - across * (left + right), height - down * (top + bottom)


def _skip_scaling(bits: _Bits, lists: int) -> None:
    for number in range(lists):
        if not bits.take(1):
            continue
        last = following = 8
        for _ in range(16 if number < 6 else 64):
            if following:
                following = (last + bits.signed()) % 256
            last = following or last
