"""How-to films of the demonstration hall, made from the items' own words.

    python -m deploy.demo_film [item ...]

A film is a row of silent slides: the name, what to bring, each step, how long it takes; Chinese large,
English below. VP8 in WebM, one key frame a slide, so that seeking lands on a slide. Without arguments every
item that names a video is filmed. Chromium draws the slides ($CHROMIUM, else /usr/bin/chromium).
"""

import io
import os
import sys
from collections.abc import Iterator
from fractions import Fraction
from html import escape
from pathlib import Path

import av
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace
from playwright.sync_api import sync_playwright

from records.content import load_content
from records.model import Item, Material, MaterialForm, Text

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "records" / "demo"
WIDTH, HEIGHT = 1280, 720
FPS = 2  # a slide stands still; more frames would only be larger
SLIDE_S = 6.0
LONG_SLIDE_S = 9.0  # a list takes longer to read
ON_A_LIST = 3
FORMS = {
    MaterialForm.ORIGINAL: Text("原件", "original"),
    MaterialForm.COPY: Text("复印件", "copy"),
    MaterialForm.ORIGINAL_AND_COPY: Text("原件和复印件", "original and copy"),
    MaterialForm.FILLED_FORM: Text("填好的表", "filled-in form"),
}
BRING = Text("要带什么", "What to bring")
STEP = Text("第 {} 步", "Step {}")
LONG = Text("多久、多少钱", "How long, how much")
HELP = Text("有不清楚的，随时视频求助工作人员。", "Anything unclear? Ask a member of staff by video.")

STYLE = f"""
* {{ box-sizing: border-box; margin: 0; }}
body {{ width: {WIDTH}px; height: {HEIGHT}px; padding: 64px 88px 56px; background: #f7f5f0; color: #1b2a33;
  display: flex; flex-direction: column; justify-content: center; gap: 28px; border-left: 24px solid #0b6e6e;
  font-family: "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", system-ui, sans-serif;
  line-height: 1.4; }}
.kicker {{ color: #0b6e6e; font-size: 36px; font-weight: 600; }}
.kicker span, .en {{ color: #45545d; font-weight: 400; }}
.kicker span {{ font-size: 28px; margin-left: 16px; }}
h1 {{ font-size: 68px; line-height: 1.25; }}
.zh {{ font-size: 56px; font-weight: 600; line-height: 1.35; text-wrap: balance; }}
.en {{ font-size: 32px; }}
ul {{ list-style: none; padding: 0; display: grid; gap: 26px; }}
li {{ padding-left: 28px; border-left: 6px solid #0b6e6e; }}
li .zh {{ font-size: 44px; }}
li .zh small {{ font-size: 30px; font-weight: 400; color: #45545d; margin-left: 14px; }}
li .en {{ font-size: 28px; }}
.left {{ position: absolute; right: 40px; bottom: 28px; color: #45545d; font-size: 24px; }}
"""
Slide = tuple[str, float]  # what stands on it (HTML), seconds


def slides(item: Item) -> Iterator[Slide]:
    summary = f"<p class=zh>{escape(item.summary.zh)}</p>"
    yield f"<h1>{escape(item.name.zh)}</h1>{_en(item.name.en)}{summary}", SLIDE_S
    for first in range(0, len(item.materials), ON_A_LIST):
        listed = "".join(map(_material, item.materials[first : first + ON_A_LIST]))
        yield f"{_kicker(BRING)}<ul>{listed}</ul>", LONG_SLIDE_S
    for number, step in enumerate(item.steps, 1):
        counted = Text(STEP.zh.format(number), STEP.en.format(number))
        yield f"{_kicker(counted)}{_both(step)}", SLIDE_S
    facts = "".join(f"<li>{_both(fact)}</li>" for fact in (item.duration, item.fee, HELP))
    yield f"{_kicker(LONG)}<ul>{facts}</ul>", LONG_SLIDE_S


def _material(material: Material) -> str:
    form = FORMS[material.form]
    zh, en = form.zh, f"{material.name.en} ({form.en})"
    if material.note is not None:
        zh, en = f"{zh}；{material.note.zh}", f"{en}. {material.note.en}."
    return f"<li><p class=zh>{escape(material.name.zh)}<small>{escape(zh)}</small></p>{_en(en)}</li>"


def _kicker(text: Text) -> str:
    return f"<p class=kicker>{escape(text.zh)}<span>{escape(text.en)}</span></p>"


def _both(text: Text) -> str:
    return f"<p class=zh>{escape(text.zh)}</p>{_en(text.en)}"


def _en(text: str) -> str:
    return f"<p class=en>{escape(text)}</p>"


def draw(shown: list[Slide]) -> list[bytes]:
    """PNG pictures of the slides."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", "--disable-gpu"],
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        pictures = []
        for number, (body, _) in enumerate(shown, 1):
            page.set_content(f"<style>{STYLE}</style>{body}<p class=left>{number} / {len(shown)}</p>")
            pictures.append(page.screenshot(type="png"))
        browser.close()
    return pictures


def film(path: Path, shown: list[Slide], pictures: list[bytes]) -> None:
    """Write the pictures one after the other, each for its time."""
    with av.open(str(path), "w", format="webm") as file:
        stream = file.add_stream("libvpx", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.gop_size = 10_000  # key frames are asked for below, one a slide
        stream.bit_rate = 40_000
        stream.options = {"qmin": "24", "qmax": "36", "deadline": "good", "auto-alt-ref": "0"}
        at = 0
        for (_, lasts), picture in zip(shown, pictures, strict=True):
            still = _frame(picture)
            for number in range(round(lasts * FPS)):
                still.pts, still.time_base = at, Fraction(1, FPS)
                still.pict_type = PictureType.I if number == 0 else PictureType.NONE
                file.mux(stream.encode(still))
                at += 1
        file.mux(stream.encode())


def _frame(png: bytes) -> av.VideoFrame:
    with av.open(io.BytesIO(png), "r") as file:
        drawn = next(file.decode(video=0))
    return drawn.reformat(
        format="yuv420p",
        dst_colorspace=Colorspace.ITU601,  # what VP8 means when nothing is said
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
    )


def main(wanted: list[str]) -> None:
    folder = DEMO / "media"
    folder.mkdir(exist_ok=True)
    for item in load_content(DEMO).items:
        if item.video is None or (wanted and item.id not in wanted):
            continue
        shown = list(slides(item))
        film(folder / item.video, shown, draw(shown))
        seconds, size = sum(lasts for _, lasts in shown), (folder / item.video).stat().st_size
        print(f"{item.video}: {len(shown)} slides, {seconds:.0f} s, {size // 1000} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
