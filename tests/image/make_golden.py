#!/usr/bin/env python3
"""Makes golden/: small encoded pictures of every kind, and what Pillow makes of them.

    files/*            the pictures, of generated content
    decode.txt         file width height hash-of-RGB
    bad.txt            file status words-of-the-message
    resize.txt         file filter width height hash-of-RGB
    tensor.txt         preprocessing hash-of-floats

A hash is the first 16 digits of SHA-256. Needs Pillow, numpy and the tools of libjpeg-turbo-progs and webp:
    .deps/venv/bin/python tests/image/make_golden.py
"""
import hashlib, io, struct, subprocess, tempfile, zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from png_writer import GRAY, GRAY_ALPHA, PALETTE, RGB, RGBA, chunk, png

GOLDEN = Path(__file__).parent / "golden"
FILES = GOLDEN / "files"
rng = np.random.default_rng(3)
decoded, refused = {}, []


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def photo(width, height, channels=3):
    """Gradients, edges and noise, as a photograph has."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    x, y = x / max(width, 2), y / max(height, 2)
    planes = [120 + 90 * np.sin(5 * x + c) * np.cos(4 * y - c) for c in range(channels)]
    for c, plane in enumerate(planes):
        plane[(x - 0.4) ** 2 + (y - 0.5) ** 2 < 0.06] += 60 - 50 * c
        plane += rng.normal(0, 6, plane.shape)
    return np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)


def over_white(rgb, alpha):
    c, a = rgb.astype(int), alpha.astype(int)[..., None]
    return ((c * a + 255 * (255 - a) + 127) // 255).astype(np.uint8)


def pillow_rgb(data):
    """The reference: Pillow's pixels, its orientation, its convert("RGB"); alpha by its paste over white."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        return np.asarray(white)
    return np.asarray(image.convert("RGB"))


def keep(name, data, expected=None):
    expected = pillow_rgb(data) if expected is None else expected
    (FILES / name).write_bytes(data)
    assert name not in decoded
    decoded[name] = expected


def refuse(name, data, status, words):
    (FILES / name).write_bytes(data)
    refused.append(f"{name} {status} {words}")


def saved(array, format="JPEG", mode=None, **options):
    out = io.BytesIO()
    Image.fromarray(array, mode).save(out, format, **options)
    return out.getvalue()


def tool(*command, data=b""):
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


def cjpeg(array, *options):
    pnm = io.BytesIO()
    Image.fromarray(array).save(pnm, "PPM")
    return tool("cjpeg", "-quality", "85", *options, data=pnm.getvalue())


def exif(orientation, order="<", kind="H"):
    value = struct.pack(order + kind, orientation).ljust(4, b"\0")
    entries = [struct.pack(order + "HHI", 0x0110, 3, 1) + b"\0" * 4, struct.pack(order + "HHI", 0x0112, 3 if kind == "H" else 4, 1) + value]
    head = b"II*\0" if order == "<" else b"MM\0*"
    return head + struct.pack(order + "IH", 8, len(entries)) + b"".join(entries) + b"\0" * 4


def with_segment(jpeg, marker, body):
    return jpeg[:2] + b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def jpegs():
    for name, options in {"444": {"subsampling": 0}, "422": {"subsampling": 1}, "420": {"subsampling": 2}, "q100": {"quality": 100},
            "q5": {"quality": 5}, "optimized": {"optimize": True}, "rgb": {"keep_rgb": True}}.items():
        keep(f"jpeg-{name}.jpg", saved(photo(45, 37), **options))
    for sampling in ("1x2", "4x1", "2x2,1x1,2x1"):
        keep(f"jpeg-sample-{sampling.replace(',', '-')}.jpg", cjpeg(photo(43, 35), "-sample", sampling))
    for width, height in ((1, 1), (2, 1), (1, 9), (7, 5), (8, 8), (17, 33), (16, 15)):
        keep(f"jpeg-size-{width}x{height}.jpg", saved(photo(width, height)))
        keep(f"jpeg-progressive-{width}x{height}.jpg", saved(photo(width, height), progressive=True))
    keep("jpeg-gray.jpg", saved(photo(31, 22, 1)[..., 0]))
    keep("jpeg-gray-progressive.jpg", saved(photo(31, 22, 1)[..., 0], progressive=True))
    keep("jpeg-progressive-444.jpg", saved(photo(45, 37), progressive=True, subsampling=0))
    keep("jpeg-restart-row.jpg", cjpeg(photo(50, 40), "-restart", "1"))
    keep("jpeg-restart-block.jpg", cjpeg(photo(50, 40), "-restart", "1B"))
    keep("jpeg-restart-progressive.jpg", cjpeg(photo(50, 40), "-restart", "2B", "-progressive"))
    keep("jpeg-arithmetic.jpg", cjpeg(photo(30, 40), "-arithmetic"))
    keep("jpeg-16bit-tables.jpg", cjpeg(photo(30, 40), "-quality", "2"))
    with tempfile.NamedTemporaryFile("w", suffix=".scans") as script:
        script.write("0; 1; 2;\n")
        script.flush()
        keep("jpeg-three-scans.jpg", cjpeg(photo(33, 29), "-scans", script.name))
    keep("jpeg-jpegtran-progressive.jpg", tool("jpegtran", "-progressive", "-copy", "all", data=saved(photo(40, 31))))
    odd_jpegs(saved(photo(40, 30)))
    cmyk_jpegs()


def odd_jpegs(base):
    keep("jpeg-trailing-bytes.jpg", base + b"\0\xff\xd9 and more")
    keep("jpeg-fill-bytes.jpg", base[:2] + b"\xff\xff\xff" + base[2:])
    keep("jpeg-comment.jpg", with_segment(base, 0xFE, b"a comment"))
    keep("jpeg-no-jfif.jpg", base[:2] + base[20:])
    keep("jpeg-damaged-data.jpg", base[:-60] + bytes(40) + base[-20:])
    keep("jpeg-data-ends-early.jpg", base[:-200] + b"\xff\xd9")
    xmp = b"http://ns.adobe.com/xap/1.0/\0<x/>"
    for orientation in range(1, 9):
        order = "<>"[orientation % 2]
        jpeg = saved(photo(21, 14), subsampling=0)
        keep(f"jpeg-orientation-{orientation}.jpg", with_segment(jpeg, 0xE1, b"Exif\0\0" + exif(orientation, order)))
    keep("jpeg-orientation-after-xmp.jpg", with_segment(with_segment(base, 0xE1, b"Exif\0\0" + exif(6)), 0xE1, xmp))
    keep("jpeg-orientation-long.jpg", with_segment(base, 0xE1, b"Exif\0\0" + exif(8, ">", "I")))
    keep("jpeg-orientation-9.jpg", with_segment(base, 0xE1, b"Exif\0\0" + exif(9)))
    keep("jpeg-exif-cut.jpg", with_segment(base, 0xE1, b"Exif\0\0" + exif(6)[:20]), pillow_rgb(base))


def cmyk_jpegs():
    """Pillow writes Adobe's CMYK; the marker's last byte makes it YCCK, and without the marker it is plain CMYK."""
    base = saved(photo(34, 27, 4), mode="CMYK")
    at = base.index(b"Adobe")
    keep("jpeg-cmyk-adobe.jpg", base)
    keep("jpeg-ycck-adobe.jpg", base[: at + 11] + b"\2" + base[at + 12 :])
    keep("jpeg-cmyk-plain.jpg", base[: at - 4] + base[at + 12 :])
    keep("jpeg-cmyk-progressive.jpg", tool("jpegtran", "-progressive", "-copy", "all", data=base))


def png_expected(samples, color, depth, palette=None, trns=None):
    """From the samples themselves: narrow ones scaled up, 16-bit ones cut to their high byte, tRNS by the full value."""
    eight = samples >> 8 if depth == 16 else samples if color == PALETTE else samples * 255 // (2**depth - 1)
    opaque = np.full(samples.shape[:2], 255)
    if color == PALETTE:
        alphas = np.full(256, 255)
        alphas[: len(trns or b"")] = list(trns or b"")
        return over_white(palette[samples[..., 0]], alphas[samples[..., 0]])
    if color in (GRAY_ALPHA, RGBA):
        return over_white(np.broadcast_to(eight[..., :-1], samples.shape[:2] + (3,)), eight[..., -1])
    if trns is not None:
        opaque = np.where((samples == np.array(struct.unpack(f">{len(trns) // 2}H", trns))).all(-1), 0, 255)
    return over_white(np.broadcast_to(eight, samples.shape[:2] + (3,)), opaque)


def png_case(name, samples, color, depth, **options):
    """Pillow clips 16-bit gray, and compares tRNS with samples already scaled to 8 bits; there the specification's rule holds alone."""
    data = png(samples, color, depth, **options)
    expected = png_expected(samples, color, depth, options.get("palette"), options.get("trns"))
    whole_tag = options.get("trns") is None or depth == 8 or color == PALETTE
    if whole_tag and (color, depth) != (GRAY, 16):
        assert (pillow_rgb(data) == expected).all(), name
    keep(name, data, expected)


def pngs():
    kinds = [(GRAY, d) for d in (1, 2, 4, 8, 16)] + [(PALETTE, d) for d in (1, 2, 4, 8)] + [(c, d) for c in (RGB, GRAY_ALPHA, RGBA) for d in (8, 16)]
    for color, depth in kinds:
        channels = {GRAY: 1, RGB: 3, PALETTE: 1, GRAY_ALPHA: 2, RGBA: 4}[color]
        samples = rng.integers(0, 2**depth, (13, 19, channels))
        samples[3:9, 4:15] = samples[0, 0]
        palette = rng.integers(0, 256, (2**depth, 3)) if color == PALETTE else None
        for interlaced in (False, True):
            base = f"png-type{color}-{depth}bit" + ("-interlaced" if interlaced else "")
            png_case(base + ".png", samples, color, depth, interlaced=interlaced, palette=palette)
            if color in (GRAY, RGB):
                trns = samples[0, 0].astype(">u2").tobytes()
                png_case(base + "-trns.png", samples, color, depth, interlaced=interlaced, trns=trns)
            if color == PALETTE:
                trns = rng.integers(0, 256, max(1, 2**depth // 2)).astype(np.uint8).tobytes()
                png_case(base + "-trns.png", samples, color, depth, interlaced=interlaced, palette=palette, trns=trns)
    for width, height in ((1, 1), (3, 1), (2, 5), (9, 8)):
        png_case(f"png-size-{width}x{height}-interlaced.png", photo(width, height).astype(int), RGB, 8, interlaced=True)
    odd_pngs()


def odd_pngs():
    samples = photo(24, 17).astype(int)
    gamma = chunk(b"gAMA", struct.pack(">I", 45455)) + chunk(b"sRGB", b"\0")
    png_case("png-gamma.png", samples, RGB, 8, before=gamma)
    png_case("png-many-idat.png", samples, RGB, 8, pieces=40)
    png_case("png-text-after.png", samples, RGB, 8, after=chunk(b"tEXt", b"Title\0fruit"))
    turned = over_white(samples, np.full(samples.shape[:2], 255))
    for orientation, turn in {3: lambda a: a[::-1, ::-1], 6: lambda a: np.rot90(a, -1)}.items():
        for where in ("before", "after"):
            data = png(samples, RGB, 8, **{where: chunk(b"eXIf", exif(orientation))})
            keep(f"png-orientation-{orientation}-{where}.png", data)
            assert (decoded[f"png-orientation-{orientation}-{where}.png"] == turn(turned)).all()


def webps():
    rgba = photo(41, 29, 4)
    for name, array, options in (("lossy", rgba[..., :3], {"quality": 80}), ("lossless", rgba[..., :3], {"lossless": True}),
            ("lossy-alpha", rgba, {"quality": 60}), ("lossless-alpha", rgba, {"lossless": True}), ("lossy-q5", rgba[..., :3], {"quality": 5}),
            ("fast", rgba[..., :3], {"method": 0}), ("exact-alpha", rgba, {"lossless": True, "exact": True})):
        keep(f"webp-{name}.webp", saved(np.ascontiguousarray(array), "WEBP", **options))
    for width, height in ((1, 1), (2, 3), (17, 16)):
        keep(f"webp-size-{width}x{height}.webp", saved(photo(width, height), "WEBP"))
    for orientation in range(1, 9):
        keep(f"webp-orientation-{orientation}.webp", saved(photo(21, 14), "WEBP", lossless=True, exif=exif(orientation)))
    keep("webp-orientation-exif-prefix.webp", saved(photo(21, 14), "WEBP", exif=b"Exif\0\0" + exif(6)))
    animated_webps()


def animated_webps():
    frames = [Image.fromarray(photo(30, 20, 4)) for _ in range(3)]
    for name, options in (("lossy", {}), ("lossless", {"lossless": True})):
        out = io.BytesIO()
        frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], duration=50, **options)
        keep(f"webp-animated-{name}.webp", out.getvalue())
    opaque = [frame.convert("RGB") for frame in frames]
    out = io.BytesIO()
    opaque[0].save(out, "WEBP", save_all=True, append_images=opaque[1:], duration=50)
    keep("webp-animated-opaque.webp", out.getvalue())
    for name, array in (("opaque", photo(18, 10)), ("alpha", photo(18, 10, 4))):
        with tempfile.TemporaryDirectory() as folder:
            small, large, animation = (f"{folder}/{n}.webp" for n in "sla")
            Path(small).write_bytes(saved(array, "WEBP", lossless=True))
            Path(large).write_bytes(saved(photo(40, 30), "WEBP"))
            tool("webpmux", "-frame", small, "+50+6+4+1", "-frame", large, "+50+0+0+0", "-bgcolor", "255,255,0,0", "-o", animation)
            canvas = np.full((30, 40, 3), 255, np.uint8)  # where Pillow drops the canvas's alpha, it leaves black
            canvas[4:14, 6:24] = over_white(array[..., :3], array[..., 3] if name == "alpha" else np.full((10, 18), 255))
            keep(f"webp-animated-offset-{name}.webp", Path(animation).read_bytes(), canvas)


def other_formats():
    picture = photo(8, 6)
    for format, suffix, words in (("GIF", "gif", "GIF"), ("BMP", "bmp", "BMP"), ("TIFF", "tiff", "TIFF"), ("AVIF", "avif", "AVIF"), ("ICO", "ico", "ICO"), ("JPEG2000", "jp2", "JPEG 2000")):
        refuse(f"other.{suffix}", saved(picture, format), "unsupported", words)
    refuse("other.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(16), "unsupported", "HEIC")
    refuse("other.svg", b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "unsupported", "SVG")
    refuse("other.html", b"<!DOCTYPE html><html><body>404 Not Found</body></html>", "unsupported", "HTML")
    refuse("other.txt", b"This is no picture.\n", "unsupported", "text")
    refuse("other.empty", b"", "format", "empty")
    refuse("other.zeros", bytes(64), "format", "no known image format")
    refuse("gif-named.jpg", saved(picture, "GIF"), "unsupported", "GIF")


def bad_jpegs():
    base, progressive = saved(photo(40, 30)), saved(photo(40, 30), progressive=True)
    sof = base.index(b"\xff\xc0")
    refuse("bad-cut.jpg", base[: len(base) // 2], "format", "truncated JPEG")
    refuse("bad-cut-progressive.jpg", progressive[:-100], "format", "truncated JPEG")
    refuse("bad-head-only.jpg", base[:3], "format", "truncated JPEG")
    refuse("bad-12bit.jpg", base[: sof + 4] + b"\x0c" + base[sof + 5 :], "unsupported", "12 bits")
    refuse("bad-lossless.jpg", base[: sof + 1] + b"\xc3" + base[sof + 2 :], "unsupported", "SOF")
    refuse("bad-no-pixels.jpg", base[: sof + 7] + b"\0\0" + base[sof + 9 :], "format", "JPEG")
    refuse("bad-huge.jpg", base[: sof + 5] + b"\xff\xdc\xff\xdc" + base[sof + 9 :], "limit", "65500x65500")
    refuse("bad-65535.jpg", base[: sof + 5] + b"\xff\xff\xff\xff" + base[sof + 9 :], "limit", "JPEG")
    last_scan = progressive.rindex(b"\xff\xda")
    refuse("bad-many-scans.jpg", progressive[:-2] + progressive[last_scan:-2] * 300 + b"\xff\xd9", "limit", "scans")


def bad_pngs():
    samples = photo(24, 17).astype(int)
    base = png(samples, RGB, 8)
    idat = base.index(b"IDAT")
    refuse("bad-cut.png", base[: len(base) // 2], "format", "truncated PNG")
    refuse("bad-crc.png", base[:29] + b"\0\0\0\0" + base[33:], "format", "PNG")
    refuse("bad-crc-idat.png", base[: idat + 60] + bytes([base[idat + 60] ^ 1]) + base[idat + 61 :], "format", "PNG")
    text = chunk(b"tEXt", b"Title\0fruit")
    refuse("bad-crc-text.png", png(samples, RGB, 8, before=text[:-1] + bytes([text[-1] ^ 1])), "format", "PNG")
    refuse("bad-no-palette.png", png(samples[..., :1] % 4, PALETTE, 2), "format", "PNG")
    refuse("bad-depth.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 3, 2, 0, 0, 0)), "format", "PNG")
    huge = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 65535, 65535, 8, 6, 0, 0, 0))
    refuse("bad-huge.png", huge + chunk(b"IDAT", zlib.compress(bytes(9999))) + chunk(b"IEND", b""), "limit", "65535x65535")
    few = struct.pack(">IIBBBBB", 3000, 3000, 8, 6, 0, 0, 0)
    refuse("bad-too-few-rows.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", few) + chunk(b"IDAT", zlib.compress(bytes(9999))) + chunk(b"IEND", b""), "format", "PNG")
    bomb = zlib.compress(bytes(20 << 20), 9)
    refuse("bad-profile-bomb.png", png(samples, RGB, 8, before=chunk(b"iCCP", b"p\0\0" + bomb)), "limit", "PNG")
    refuse("bad-text-bomb.png", png(samples, RGB, 8, before=chunk(b"zTXt", b"t\0\0" + bomb)), "limit", "PNG")


def bad_webps():
    base = saved(photo(41, 29), "WEBP")
    refuse("bad-cut.webp", base[: len(base) // 2], "format", "WebP")
    refuse("bad-head-only.webp", base[:16], "format", "WebP")
    huge = b"VP8X" + struct.pack("<I", 10) + b"\2\0\0\0" + b"\xfe\xff\0" * 2
    refuse("bad-huge.webp", b"RIFF" + struct.pack("<I", len(huge) + len(base) - 8) + b"WEBP" + huge + base[12:], "format", "WebP")


FILTERS = {"bicubic": Image.BICUBIC, "bilinear": Image.BILINEAR, "lanczos": Image.LANCZOS, "box": Image.BOX, "nearest": Image.NEAREST}


def resizes():
    """From photographs, noise and black-and-white extremes (overshoot), wide and tall, to sizes up and down."""
    sources = {"photo-100x100": photo(100, 100), "photo-61x47": photo(61, 47), "noise-33x20": rng.integers(0, 256, (20, 33, 3)).astype(np.uint8),
        "extremes-40x40": (rng.integers(0, 2, (40, 40, 3)) * 255).astype(np.uint8), "tall-5x300": photo(5, 300), "wide-300x5": photo(300, 5), "dot-1x1": photo(1, 1)}
    sizes = [(1, 1), (2, 3), (7, 7), (16, 16), (31, 64), (50, 25), (61, 20), (100, 100), (101, 99), (224, 224), (299, 10), (5, 150), (33, 20), (3, 300), (300, 3)]
    for name, array in sources.items():
        file = f"resize-{name}.png"
        keep(file, saved(array, "PNG", optimize=True))
        for filter, code in FILTERS.items():
            for size in sizes:
                yield f"{file} {filter} {size[0]} {size[1]} {digest(np.asarray(Image.fromarray(array).resize(size, code)))}"


def tensors():
    """All samples in all channels, in the float32 steps of Keras's imagenet_utils, torchvision and EfficientNet-Lite."""
    x = np.repeat(np.arange(256, dtype=np.float32)[:, None], 3, 1)
    yield "tf", x / np.float32(127.5) - np.float32(1)
    yield "caffe", x[:, ::-1] - np.array([103.939, 116.779, 123.68], np.float32)
    yield "torch", (x / np.float32(255) - np.array([0.485, 0.456, 0.406], np.float32)) / np.array([0.229, 0.224, 0.225], np.float32)
    yield "lite", (x - np.float32(127)) / np.float32(128)


def main():
    FILES.mkdir(parents=True, exist_ok=True)
    for old in FILES.iterdir():
        old.unlink()
    for make in (jpegs, pngs, webps, other_formats, bad_jpegs, bad_pngs, bad_webps):
        make()
    resized = list(resizes())
    lines = [f"{name} {e.shape[1]} {e.shape[0]} {digest(e)}" for name, e in decoded.items()]
    for name, content in (("decode", lines), ("bad", refused), ("resize", resized), ("tensor", [f"{n} {digest(t)}" for n, t in tensors()])):
        (GOLDEN / f"{name}.txt").write_text("\n".join(content) + "\n")
    print(f"{len(decoded)} pictures, {len(refused)} refused ones, {len(resized)} resizes")


main()
