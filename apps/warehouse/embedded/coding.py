"""Content encodings, both ways, piece by piece: lz4, zstd, gzip and deflate."""

import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

import lz4.frame
import zstandard

PIECE = 1 << 20
PREFERRED = ("lz4", "zstd", "gzip", "deflate")


class Decoder(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes | None: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class BadEncoding(Exception):
    """The body is not what its Content-Encoding says, or the encoding is not one of ours."""


DECODERS: dict[str, Callable[[], Decoder]] = {
    "lz4": lz4.frame.LZ4FrameDecompressor,
    "zstd": lambda: zstandard.ZstdDecompressor().decompressobj(),
    "gzip": lambda: zlib.decompressobj(31),
    "deflate": lambda: zlib.decompressobj(),
}


def pieces(stream: BinaryIO, length: int | None) -> Iterator[bytes]:
    """A body of `length` bytes, or of as many as there are; a client that went away half-way has sent no whole body."""
    done = 0
    while data := stream.read(PIECE):
        done += len(data)
        yield data
    if length is not None and done < length:
        raise BadEncoding(f"The body ends after {done} of {length} bytes.")


def decoded(body: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """The body as it was before `encoding`; several frames in a row are one body."""
    if encoding in {"", "identity"}:
        yield from body
        return
    if encoding not in DECODERS:
        raise BadEncoding(f"Content-Encoding {encoding!r} is not one of {', '.join(DECODERS)}.")
    decoder, whole = DECODERS[encoding](), True
    try:
        for data in body:
            while data:
                yield decoder.decompress(data)
                data = (decoder.unused_data or b"") if decoder.eof else b""
                whole, decoder = decoder.eof, DECODERS[encoding]() if decoder.eof else decoder
    except (RuntimeError, zlib.error, zstandard.ZstdError) as error:
        raise BadEncoding(f"The body is not {encoding}: {error}.") from error
    if not whole:
        raise BadEncoding(f"The body ends in the middle of a {encoding} frame.")


def choose(accepted: str) -> str:
    """The encoding of the answer: the first of ours that the client takes."""
    names = {name.split(";")[0].strip() for name in accepted.split(",")}
    return next((name for name in PREFERRED if name in names), "")


def encoded(body: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    if encoding == "lz4":
        yield from _lz4(body)
    elif encoding == "zstd":
        yield from _flushed(body, zstandard.ZstdCompressor(level=1).compressobj())
    elif encoding in {"gzip", "deflate"}:
        yield from _flushed(body, zlib.compressobj(1, zlib.DEFLATED, 31 if encoding == "gzip" else 15))
    else:
        yield from body


class Encoder(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


def _flushed(body: Iterator[bytes], encoder: Encoder) -> Iterator[bytes]:
    for data in body:
        yield encoder.compress(data)
    yield encoder.flush()


def _lz4(body: Iterator[bytes]) -> Iterator[bytes]:
    encoder = lz4.frame.LZ4FrameCompressor()
    yield encoder.begin()
    for data in body:
        yield encoder.compress(data)
    yield encoder.flush()
