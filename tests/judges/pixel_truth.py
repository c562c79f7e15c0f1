"""Compares decoded pixels with Pillow's and libvips', file by file.

    python3 tests/judges/pixel_truth.py target/release/examples/pixels [folder of more pictures ...]

Needs the packages of requirements-pixels.txt. Draws a corpus of all formats, pixel modes and
orientations, adds the pictures of the folders, decodes all with the example program `pixels`, and
wants every level within 2 of both peers' (JPEG: within 4 for all but one level in 1,000, because an
inverse DCT may round as it likes). Differences that are meant are rows of pixel_truth.csv.
"""

import csv
import fnmatch
import io
import pathlib
import resource
import struct
import subprocess
import sys
import tempfile
import zlib

import numpy as np
import pyvips
from PIL import Image, ImageCms, ImageOps

HERE = pathlib.Path(__file__).parent
SUFFIXES = {".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"}
LEVELS_APART = 2
JPEG_LEVELS_APART = 4
JPEG_SHARE = 0.001
PIXELS_MAX = 100_000_000
MEMORY_BYTES_MAX = 3 << 30
Image.MAX_IMAGE_PIXELS = None


def photo(width=157, height=101):
    """A smooth picture with edges, a dark half and saturated corners."""
    y, x = np.mgrid[0:height, 0:width] / np.array([height, width]).reshape(2, 1, 1)
    disc = ((x - 0.4) ** 2 + (y - 0.5) ** 2 < 0.06).astype(float)
    red = 0.15 + 0.8 * x * (1 - 0.5 * disc)
    green = 0.1 + 0.7 * y + 0.2 * disc
    blue = 0.5 + 0.45 * np.sin(7 * x + 4 * y)
    levels = np.stack([red, green, blue], axis=-1).clip(0, 1) * 255
    return Image.fromarray(levels.round().astype(np.uint8))


def veil(size):
    """Alpha from clear to solid, with holes."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]]
    alpha = (x * 255 // max(size[0] - 1, 1)) * ((y // 9) % 3 != 0)
    return Image.fromarray(alpha.astype(np.uint8))


def exif(orientation):
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def sixteen_bit_png(channels, profile=None):
    """PNG of 16 bits a channel, which Pillow does not write for colour."""
    levels = np.asarray(photo()).astype(np.uint32) * 257
    noise = np.random.default_rng(5).integers(-100, 100, levels.shape)
    levels = (levels.astype(np.int64) + noise).clip(0, 65535)
    if channels in (2, 4):
        alpha = np.asarray(veil((157, 101))).astype(np.int64)[..., None] * 257
        levels = np.concatenate([levels[..., : channels - 1], alpha], axis=-1)
    levels = levels[..., :channels].astype(">u2")
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.tobytes() for row in levels)
    header = struct.pack(">IIBBBBB", 157, 101, 16, kind, 0, 0, 0)
    tags = chunk(b"iCCP", b"p\0\0" + zlib.compress(profile)) if profile else b""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + tags + chunk(
        b"IDAT", zlib.compress(rows)
    ) + chunk(b"IEND", b"")


def profile(name):
    """A profile that libvips carries: `p3` or `cmyk`."""
    return bytes(pyvips.Operation.call("profile_load", name))


def corpus(folder):
    picture = photo()
    cyan = picture.convert("CMYK")
    known = {name: profile(name) for name in ("p3", "cmyk")}
    grey = picture.convert("L")
    save = lambda image, name, **how: image.save(folder / name, **how)  # noqa: E731
    for subsampling in (0, 1, 2):
        for progressive in (False, True):
            name = f"jpeg-rgb-{('444', '422', '420')[subsampling]}-{('base', 'prog')[progressive]}.jpg"
            save(picture, name, quality=90, subsampling=subsampling, progressive=progressive)
    save(grey, "jpeg-grey.jpg", quality=90)
    save(grey, "jpeg-grey-progressive.jpg", quality=90, progressive=True)
    save(picture, "jpeg-kept-rgb.jpg", quality=90, keep_rgb=True)
    save(picture, "jpeg-restarts.jpg", quality=90, restart_marker_blocks=3)
    save(cyan, "jpeg-cmyk.jpg", quality=90)
    save(cyan, "jpeg-cmyk-profile.jpg", quality=90, icc_profile=known["cmyk"])
    save(picture, "jpeg-p3.jpg", quality=92, icc_profile=known["p3"])
    save(picture, "png-p3.png", icc_profile=known["p3"])
    save(picture, "webp-p3.webp", lossless=True, icc_profile=known["p3"])
    save(picture, "tiff-p3.tiff", icc_profile=known["p3"])
    for orientation in range(1, 9):
        block = exif(orientation)
        save(picture, f"exif-{orientation}.jpg", quality=90, exif=block)
        save(picture, f"exif-{orientation}.png", exif=block)
        save(picture, f"exif-{orientation}.webp", lossless=True, exif=block)
        save(picture, f"exif-{orientation}.tiff", exif=block)
    clear = picture.copy()
    clear.putalpha(veil(picture.size))
    for channels, name in ((1, "grey"), (2, "grey-alpha"), (3, "rgb"), (4, "rgba")):
        (folder / f"png-16-bit-{name}.png").write_bytes(sixteen_bit_png(channels))
    (folder / "png-16-bit-p3.png").write_bytes(sixteen_bit_png(3, known["p3"]))
    (folder / "png-16-bit-alpha-p3.png").write_bytes(sixteen_bit_png(4, known["p3"]))
    for suffix in ("png", "tiff"):
        save(clear, f"{suffix}-rgba.{suffix}")
        save(grey, f"{suffix}-grey.{suffix}")
        save(picture.convert("1"), f"{suffix}-one-bit.{suffix}")
        save(picture.quantize(40), f"{suffix}-palette.{suffix}")
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        save(picture, f"tiff-{compression}.tiff", compression=compression)
    save(cyan, "tiff-cmyk.tiff")
    save(clear.convert("LA"), "png-grey-alpha.png")
    seen = picture.quantize(40)
    save(seen, "png-palette-one-clear.png", transparency=7)
    save(seen, "png-palette-veil.png", transparency=bytes(range(0, 240, 6)))
    save(picture, "png-rgb-one-clear.png", transparency=picture.getpixel((20, 20)))
    save(picture, "bmp-rgb.bmp")
    save(seen, "bmp-palette.bmp")
    save(grey, "bmp-grey.bmp")
    save(picture.convert("1"), "bmp-one-bit.bmp")
    save(picture, "webp-lossy.webp", quality=85)
    save(clear, "webp-lossy-alpha.webp", quality=85)
    save(clear, "webp-lossless-alpha.webp", lossless=True)
    save(seen, "gif-plain.gif")
    save(seen, "gif-one-clear.gif", transparency=7)
    save(seen, "gif-interlaced.gif", interlace=1)
    frames = [picture.rotate(angle).quantize(40) for angle in (0, 20, 40)]
    for disposal in (0, 1, 2, 3):
        save(frames[0], f"gif-frames-disposal-{disposal}.gif", save_all=True,
             append_images=frames[1:], disposal=disposal, duration=50)
    moved = [clear, clear.rotate(30)]
    save(moved[0], "webp-frames.webp", save_all=True, append_images=moved[1:], lossless=True)
    save(moved[0], "png-frames.png", save_all=True, append_images=moved[1:])
    save(moved[0], "png-frames-after-a-still.png", save_all=True, append_images=moved[1:],
         default_image=True)


def upright_srgb(path):
    """What Pillow shows, with Little CMS for the profile, on white."""
    with Image.open(path) as image:
        within_limit(image.width, image.height)
        image.load()
        profile = image.info.get("icc_profile")
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I"):
            image = Image.fromarray((np.asarray(image).astype(np.float64) / 257).round().astype(np.uint8))
        if image.mode in ("P", "PA", "LA", "La", "RGBa", "RGBA") or "transparency" in image.info:
            image = image.convert("RGBA")
        elif image.mode == "1":
            image = image.convert("L")
        if profile:
            image = through(image, profile)
        if image.mode == "RGBA":
            paper = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(paper, image)
        return np.asarray(image.convert("RGB"))


def within_limit(width, height):
    if PIXELS_MAX < width * height:
        raise ValueError("too many pixels")


def through(image, profile):
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    space = source.profile.xcolor_space.strip()
    target = ImageCms.createProfile("sRGB")
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    if space == "RGB":
        image = image.convert("RGB")
    elif space != {"L": "GRAY", "CMYK": "CMYK"}.get(image.mode):
        return image
    intent = source.profile.rendering_intent
    image = ImageCms.profileToProfile(image, source, target, intent, "RGB")
    if alpha:
        image.putalpha(alpha)
    return image


def through_vips(path):
    image = pyvips.Image.new_from_file(str(path))
    within_limit(image.width, image.height)
    image = image.autorot()
    if image.get_typeof("icc-profile-data") and image.hasalpha():
        colour, alpha = image[: image.bands - 1], image[image.bands - 1]
        image = colour.icc_transform("srgb", depth=16 if image.format == "ushort" else 8)
        image = image.bandjoin(alpha.cast(image.format))
    elif image.get_typeof("icc-profile-data"):
        image = image.icc_transform("srgb")
    if image.format == "ushort":
        image = (image.cast("double") / 257).rint().cast("uchar").copy(
            interpretation="srgb" if image.bands > 2 else "b-w")
    if image.hasalpha():
        image = image.flatten(background=255)
    if image.interpretation != "srgb":
        image = image.colourspace("srgb")
    return image.cast("uchar").numpy()[..., :3]


def ppm(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def judge(ours, theirs, is_jpeg):
    """Returns whether they agree, and the difference in words."""
    if ours.shape != theirs.shape:
        return False, f"{ours.shape[1]}x{ours.shape[0]}, not {theirs.shape[1]}x{theirs.shape[0]}"
    apart = np.abs(ours.astype(int) - theirs.astype(int))
    share = float((apart > JPEG_LEVELS_APART).mean())
    agree = share <= JPEG_SHARE if is_jpeg else apart.max() <= LEVELS_APART
    return bool(agree), f"at most {apart.max()}, mean {apart.mean():.3f}, {share:.4%} beyond 4"


def main():
    program, *folders = sys.argv[1:]
    # A hostile file must end its peer's reading, not this machine.
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    meant = list(csv.DictReader((HERE / "pixel_truth.csv").open()))
    with tempfile.TemporaryDirectory() as scratch:
        drawn, decoded = pathlib.Path(scratch, "corpus"), pathlib.Path(scratch, "decoded")
        drawn.mkdir()
        corpus(drawn)
        roots = [drawn, *map(pathlib.Path, folders)]
        paths = sorted(p for root in roots for p in root.rglob("*") if p.suffix.lower() in SUFFIXES)
        lines = "".join(f"{path}\n" for path in paths)
        subprocess.run([program, str(decoded)], input=lines, text=True, check=True)
        rows = list(csv.reader((decoded / "verdicts.tsv").open(), delimiter="\t"))
        tallies, wrong = {}, []
        for (number, _, kind, refusal), path in zip(rows, paths, strict=True):
            for peer, read in (("Pillow", upright_srgb), ("libvips", through_vips)):
                try:
                    theirs = read(path)
                except Exception:  # Whatever a peer cannot read.
                    theirs = None
                if theirs is None:
                    tallies.setdefault((kind or "refused", peer), [0, 0, 0, 0])[3] += 1
                    continue
                if refusal:
                    agree, words = False, f"refused here: {refusal}"
                else:
                    ours = ppm(decoded / f"{number}.ppm")
                    agree, words = judge(ours, theirs, kind == "JPEG")
                why = next((row["why"] for row in meant if row["peer"] in (peer, "both")
                            and fnmatch.fnmatch(path.name, row["files"])), None)
                tally = tallies.setdefault((kind or "refused", peer), [0, 0, 0, 0])
                tally[0 if agree else 1 if why else 2] += 1
                if not agree and not why:
                    wrong.append(f"{path.name} against {peer}: {words}")
        print("| format | peer | equal | differs, explained | differs | not read by the peer |")
        print("| --- | --- | --- | --- | --- | --- |")
        for (kind, peer), counts in sorted(tallies.items()):
            print(f"| {kind} | {peer} | {' | '.join(map(str, counts))} |")
        print("\n".join(wrong), file=sys.stderr)
        sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
