"""Photos a customer might take, drawn on the spot: a cracked mug, a parcel, a receipt."""

from __future__ import annotations

import io
import math
import random

from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 960, 720
TABLES = [("#d9c3a5", "#b8966b"), ("#c9cfd6", "#98a3ad"), ("#e3d9d0", "#bba894")]


def photo(number: int) -> bytes:
    """A JPEG; different for each number, the same every time."""
    chance = random.Random(number)
    light, dark = TABLES[number % len(TABLES)]
    image = Image.linear_gradient("L").resize((WIDTH, HEIGHT))
    picture = Image.composite(Image.new("RGB", (WIDTH, HEIGHT), dark), Image.new("RGB", (WIDTH, HEIGHT), light), image)
    shadow = Image.new("L", (WIDTH, HEIGHT), 0)
    ImageDraw.Draw(shadow).ellipse((250, 520, 760, 660), fill=110)
    picture.paste(Image.new("RGB", (WIDTH, HEIGHT), "#40342a"), mask=shadow.filter(ImageFilter.GaussianBlur(24)))
    draw = ImageDraw.Draw(picture)
    (_mug, _parcel, _receipt)[number % 3](draw, chance)
    picture = picture.filter(ImageFilter.GaussianBlur(0.8))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=82)
    return out.getvalue()


def _crack(draw: ImageDraw.ImageDraw, chance: random.Random, x: float, y: float, length: int) -> None:
    angle = chance.uniform(1.2, 1.9)
    points = [(x, y)]
    for _ in range(length):
        angle += chance.uniform(-0.7, 0.7)
        x, y = x + math.cos(angle) * 26, y + abs(math.sin(angle)) * 26
        points.append((x, y))
    draw.line(points, fill="#2b2622", width=5, joint="curve")
    for start in points[2::3]:
        draw.line(
            [start, (start[0] + chance.uniform(18, 44), start[1] + chance.uniform(4, 26))], fill="#3b342f", width=3
        )


def _mug(draw: ImageDraw.ImageDraw, chance: random.Random) -> None:
    draw.ellipse((600, 290, 760, 480), outline="#37577d", width=34)
    draw.rounded_rectangle((300, 210, 660, 600), 60, fill="#41658f")
    draw.rounded_rectangle((320, 260, 372, 560), 26, fill="#5a80ad")
    draw.ellipse((300, 170, 660, 260), fill="#33506f")
    draw.ellipse((322, 184, 638, 250), fill="#23364c")
    _crack(draw, chance, 520, 232, 10)


def _parcel(draw: ImageDraw.ImageDraw, chance: random.Random) -> None:
    draw.polygon([(230, 280), (640, 230), (760, 330), (350, 390)], fill="#c79f6b")
    draw.polygon([(230, 280), (350, 390), (360, 630), (240, 510)], fill="#9a7445")
    draw.polygon([(350, 390), (760, 330), (750, 560), (360, 630)], fill="#b28a58")
    draw.polygon([(430, 256), (500, 248), (620, 350), (548, 361)], fill="#e3cfa8")
    draw.rounded_rectangle((470, 430, 660, 540), 6, fill="#f4efe6")
    for row in range(4):
        draw.line([(488, 452 + row * 18), (600 - row * 12, 450 + row * 18)], fill="#55504a", width=4)
    _crack(draw, chance, 700, 345, 7)


def _receipt(draw: ImageDraw.ImageDraw, chance: random.Random) -> None:
    draw.polygon([(340, 90), (650, 110), (630, 650), (310, 630)], fill="#fbf8f1")
    for row in range(13):
        width = chance.randrange(110, 220)
        draw.line([(360, 160 + row * 32), (360 + width, 164 + row * 32)], fill="#6b655d", width=6)
        draw.line([(560, 172 + row * 32), (606, 175 + row * 32)], fill="#6b655d", width=6)
    draw.line([(352, 580), (612, 596)], fill="#2b2622", width=8)
