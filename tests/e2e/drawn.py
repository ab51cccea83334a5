"""What the cameras see in the pictures of the screens: plain drawn people instead of anybody's photograph."""

import io
from fractions import Fraction
from pathlib import Path

import av
from playwright.async_api import Browser

from tests.e2e.people import AGENT, FORM_TITLE, RESIDENT

WIDTH, HEIGHT, FPS, FRAMES = 1280, 720, 15, 60
SKIN, HAIR = "#e3bb9a", "#3a332f"

HALL = """
<rect width="1280" height="720" fill="#dfe6e6"/><rect y="560" width="1280" height="160" fill="#c7d3d3"/>
<rect x="90" y="90" width="300" height="220" rx="8" fill="#f4f7f7"/><rect x="120" y="120" width="240" height="16"
 fill="#0b6e6e"/><path d="M120 165h240M120 205h240M120 245h180" stroke="#b9c8c8" stroke-width="12"/>
<rect x="930" y="60" width="260" height="420" rx="8" fill="#cbd8d8"/><path d="M930 200h260M930 340h260"
 stroke="#dfe6e6" stroke-width="10"/>"""
LIBRARY = """
<rect width="1280" height="720" fill="#ece4d6"/><rect y="600" width="1280" height="120" fill="#d8ccb8"/>
<rect x="120" y="70" width="280" height="330" rx="8" fill="#f8f3ea"/><path d="M260 70v330M120 235h280"
 stroke="#d8ccb8" stroke-width="10"/><circle cx="1080" cy="430" r="110" fill="#9db58f"/>
<rect x="1020" y="510" width="120" height="110" rx="10" fill="#b9825a"/>"""
OFFICER = f"""
<path d="M330 720c0-150 110-210 310-210s310 60 310 210z" fill="#2f4a63"/>
<path d="M560 500l80 110 80-110v-70H560z" fill="#f4f7f7"/><path d="M640 560l-26 34 26 126 26-126z" fill="#0b6e6e"/>
<rect x="580" y="380" width="120" height="140" rx="50" fill="{SKIN}"/>
<ellipse cx="640" cy="300" rx="120" ry="150" fill="{SKIN}"/>
<path d="M505 330c-20-150 50-215 135-215s155 65 135 215c-14-90-50-130-135-130s-121 40-135 130z" fill="{HAIR}"/>
<path d="M512 300c0-90 50-160 128-160s128 70 128 160" fill="none" stroke="#45545d" stroke-width="14"/>
<rect x="490" y="280" width="36" height="90" rx="16" fill="#45545d"/><rect x="754" y="280" width="36" height="90"
 rx="16" fill="#45545d"/><path d="M508 365c0 45 40 70 80 70" fill="none" stroke="#45545d" stroke-width="10"/>"""
NEIGHBOUR = f"""
<path d="M300 720c0-150 120-220 340-220s340 70 340 220z" fill="#8a5a3c"/>
<path d="M560 505c0 60 160 60 160 0v-60H560z" fill="{SKIN}"/>
<rect x="578" y="390" width="124" height="140" rx="54" fill="{SKIN}"/>
<ellipse cx="640" cy="310" rx="124" ry="150" fill="{SKIN}"/>
<path d="M500 340c-30-160 40-235 140-235s170 75 140 235c-10-80-40-150-140-150s-130 70-140 150z" fill="#a9a39b"/>"""
PEOPLE = {AGENT: HALL + "<g>" + OFFICER + "</g>", RESIDENT: LIBRARY + "<g>" + NEIGHBOUR + "</g>"}
NODS = (0, 2, 4, 2)  # pixels: a picture that never changes would look frozen to the pages

FORM = f"""<!doctype html><meta charset="utf-8"><title>{FORM_TITLE}</title><style>
body {{ margin: 0; background: #fff; color: #1b2a33; font: 30px "Noto Sans CJK SC", sans-serif; }}
main {{ width: 1120px; margin: 28px auto; }} h1 {{ font-size: 44px; text-align: center; margin: 0 0 4px; }}
h2 {{ font-size: 24px; font-weight: 400; text-align: center; margin: 0 0 20px; color: #45545d; }}
table {{ width: 100%; border-collapse: collapse; }}
td {{ border: 2px solid #1b2a33; padding: 16px 20px; width: 25%; line-height: 1.3; }}
td:nth-child(odd) {{ background: #f0f4f4; }} small {{ display: block; color: #45545d; font-size: 20px; }}
b {{ color: #0b3e8a; font-weight: 500; }}
</style><main><h1>道路运输车辆年度审验表</h1><h2>Yearly review of a road transport vehicle</h2><table>
<tr><td>车主<small>Owner</small><td><b>张建国</b><td>车牌号<small>Number plate</small><td><b>沪 D·00000</b></tr>
<tr><td>道路运输证号<small>Transport permit</small><td><b>310000000000</b><td>总质量<small>Gross weight</small><td><b>12.0 t</b></tr>
<tr><td>检验有效期至<small>Test valid until</small><td><b>2027-05-31</b><td>技术等级<small>Grade</small><td><b>一级 First</b></tr>
<tr><td>审验结果<small>Result</small><td colspan="3" style="background:#fff"><b>合格 Passed</b></tr>
<tr><td>车主签字<small>Owner's signature</small><td style="height:90px"><td>日期<small>Date</small><td></tr>
</table></main>"""  # noqa: E501 - a row of the form is a line


async def write_camera(browser: Browser, path: Path, who: int) -> None:
    """A Motion JPEG film for Chromium's --use-file-for-fake-video-capture."""
    page = await browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    stills = []
    for nod in NODS:
        drawing = PEOPLE[who].replace("<g>", f'<g transform="translate(0 {nod})">')
        await page.set_content(
            f"<style>body{{margin:0}}</style><svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}'"
            f" height='{HEIGHT}'>{drawing}</svg>"
        )
        stills.append(_decoded(await page.screenshot(type="png")))
    await page.close()
    _write(path, stills)


def _decoded(png: bytes) -> av.VideoFrame:
    with av.open(io.BytesIO(png), "r") as file:
        return next(file.decode(video=0)).reformat(format="yuvj420p")


def _write(path: Path, stills: list[av.VideoFrame]) -> None:
    with av.open(str(path), "w", format="mjpeg") as file:
        stream = file.add_stream("mjpeg", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuvj420p"
        stream.options = {"qmin": "2", "qmax": "4"}
        for number in range(FRAMES):
            still = stills[number * len(stills) // FRAMES]
            still.pts, still.time_base = number, Fraction(1, FPS)
            file.mux(stream.encode(still))
        file.mux(stream.encode())
