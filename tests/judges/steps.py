"""Prints what OpenCV makes of a drawn picture: the reference of `src/pixels/process/tests.rs`.

    python3 tests/judges/steps.py

Needs the packages of requirements-steps.txt. The picture has 48×40 pixels of which each level is
computed from whole numbers; the test draws the same one. For every step the mean of all levels
and nine of them are printed, as rows of a Rust array.
"""

import cv2
import numpy as np

WIDTH, HEIGHT = 48, 40


def drawn():
    """A slope with a disc, a bar and a coarse grain, in colours that differ; red, green, blue."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    disc = ((x - 17) ** 2 + (y - 19) ** 2 < 120) * 70
    bar = ((x > 34) & (x < 39)) * 90
    grain = (x * 37 + y * 91) % 23
    red = 20 + x * 2 + disc + grain
    green = 30 + y * 2 + disc // 2 + bar + grain
    blue = 90 + x + y - disc + bar // 3
    return np.dstack([red, green, blue]).clip(0, 255).astype(np.uint8)


def on_luma(picture, change):
    planes = cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb)
    planes[..., 0] = change(planes[..., 0])
    return cv2.cvtColor(planes, cv2.COLOR_YCrCb2RGB)


def whole(levels):
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def blurred(picture, sigma):
    return cv2.GaussianBlur(picture.astype(np.float32), (0, 0), sigma)


def sobel(grey):
    right, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    return whole(cv2.magnitude(right, down) * 0.5)


def main():
    picture = drawn()
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    levels = picture.astype(np.float32)
    steps = {
        "grey": grey,
        "equalize": on_luma(picture, cv2.equalizeHist),
        "clahe": on_luma(picture, cv2.createCLAHE(2.0, (8, 8)).apply),
        "clahe 3 7": on_luma(picture, cv2.createCLAHE(3.0, (7, 7)).apply),
        "sharpen": whole(levels + (levels - blurred(picture, 1.0))),
        "threshold": cv2.threshold(grey, 127, 255, cv2.THRESH_BINARY)[1],
        "otsu": cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU)[1],
        "sobel": sobel(grey),
        "canny": cv2.Canny(grey, 100, 200),
        "background": whole(128 + 2 * (levels - blurred(picture, 0.05 * HEIGHT))),
        "background 0.6": whole(128 + 2 * (levels - blurred(picture, 0.6 * HEIGHT))),
    }
    for name, found in steps.items():
        found = found if found.ndim == 3 else np.dstack([found] * 3)
        places = [(0, 0), (17, 19), (47, 39)]
        some = ", ".join(str(int(level)) for x, y in places for level in found[y, x])
        print(f'("{name}", {found.mean():.2f}, [{some}]),')


main()
