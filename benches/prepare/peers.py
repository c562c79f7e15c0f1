"""Other people's ways from a file to a 256x256 crop. Prints which tool is missing, or what the work took."""
import io, math, os, re, sys, time

route, kind, out, listing = sys.argv[1:]
files = open(listing).read().splitlines()
SIDE = 256


def middle(height, width):
    side = min(height, width)
    return (height - side) // 2, (width - side) // 2, side


def pillow(gap):
    from PIL import Image, ImageOps
    Image.MAX_IMAGE_PIXELS = None

    def work(data):
        picture = Image.open(io.BytesIO(data))
        if gap:
            scale = gap * SIDE / min(picture.size)
            picture.draft("RGB", tuple(math.ceil(side * scale) for side in picture.size))
        picture = ImageOps.exif_transpose(picture).convert("RGB")
        target = io.BytesIO()
        crop = ImageOps.fit(picture, (SIDE, SIDE), Image.Resampling.LANCZOS)
        crop.save(target, "JPEG" if kind == "jpg" else "PNG", quality=90)
        return target.getvalue()
    return work


def opencv(is_reduced):
    import cv2, numpy
    from PIL import Image
    cv2.setNumThreads(1)
    flags = {1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2,
             4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}

    def work(data):
        step = 1
        if is_reduced:
            shorter = min(Image.open(io.BytesIO(data)).size)
            step = max(it for it in flags if it == 1 or SIDE * it <= shorter)
        picture = cv2.imdecode(numpy.frombuffer(data, numpy.uint8), flags[step])
        top, left, side = middle(*picture.shape[:2])
        crop = cv2.resize(picture[top:top + side, left:left + side], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        return cv2.imencode("." + kind, crop, [cv2.IMWRITE_JPEG_QUALITY, 90] if kind == "jpg" else [])[1].tobytes()
    return work


def img2dataset():
    from img2dataset.resizer import Resizer
    resizer = Resizer(SIDE, "center_crop", False, encode_format=kind, encode_quality=90 if kind == "jpg" else 1)
    return lambda data: resizer(io.BytesIO(data))[0]


def libvips():
    import pyvips
    pyvips.cache_set_max(0)

    def work(data):
        crop = pyvips.Image.thumbnail_buffer(data, SIDE, height=SIDE, crop="centre")
        return crop.jpegsave_buffer(Q=90) if kind == "jpg" else crop.pngsave_buffer(compression=1)
    return work


def turbojpeg(gap):
    import cv2, numpy, simplejpeg
    cv2.setNumThreads(1)

    def work(data):
        height, width = simplejpeg.decode_jpeg_header(data)[:2]
        scale = gap * SIDE / min(height, width)
        least = [math.ceil(side * scale) for side in (height, width)] if scale < 1 else (0, 0)
        picture = simplejpeg.decode_jpeg(data, "BGR", min_height=least[0], min_width=least[1], min_factor=1)
        top, left, side = middle(*picture.shape[:2])
        crop = cv2.resize(picture[top:top + side, left:left + side], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        if kind == "png":
            return cv2.imencode(".png", crop)[1].tobytes()
        return simplejpeg.encode_jpeg(numpy.ascontiguousarray(crop), 90, "BGR", "420")
    return work


try:
    work = {
        "img2dataset": img2dataset,
        "Pillow": lambda: pillow(None),
        "Pillow draft, 2x": lambda: pillow(2),
        "Pillow draft, 1x": lambda: pillow(1),
        "OpenCV": lambda: opencv(False),
        "OpenCV reduced": lambda: opencv(True),
        "libvips thumbnail": libvips,
        "turbojpeg + SIMD, 2x": lambda: turbojpeg(2),
        "turbojpeg + SIMD, 1x": lambda: turbojpeg(1),
    }[route]()
    work(open(files[0], "rb").read())
except ImportError as error:
    sys.exit(f"missing: {error.name}")

cpu, wall = time.process_time(), time.perf_counter()
made = []
for path in files:
    with open(path, "rb") as file:
        crop = work(file.read())
    if kind == "png":
        made.append(crop)
cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
for at, crop in enumerate(made):
    with open(os.path.join(out, f"{at}.png"), "wb") as file:
        file.write(crop)
# getrusage would count what the process that started this one held.
peak_kb = int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1])
print(cpu, wall, peak_kb / 1024)
