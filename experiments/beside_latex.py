"""Compares the sizes of LaTeX-OCR's formulas and glyphs with what LaTeX makes of the same sources.

usage: python3 experiments/beside_latex.py [--count N] [--program "cargo xtask"]

Needs latex, dvipng (Debian: texlive-latex-base, dvipng) and Python's numpy, scipy and pillow. Formulas are the
paper preset's test examples without noise, at 200 dpi. Glyphs are compared where both pictures have the same
number of separate blots of ink: two that touch are one.
"""

import argparse
import json
import shlex
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import find_objects, label
from scipy.optimize import linear_sum_assignment

CLOSE = 2  # pixels
PAGE = r"\documentclass[10pt]{article}\pagestyle{empty}\begin{document}%s\end{document}"


def set_by_latex(sources, folder):
    pages = r"\newpage ".join(rf"\noindent $\displaystyle {source}$" for source in sources)
    (folder / "formulas.tex").write_text(PAGE % pages)
    quiet = dict(cwd=folder, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["latex", "-interaction=nonstopmode", "formulas.tex"], **quiet)
    subprocess.run(["dvipng", "-D", "200", "-T", "tight", "-o", "%04d.png", "formulas.dvi"], **quiet)
    return [folder / f"{page + 1:04}.png" for page in range(len(sources))]


def blots(path):
    """Boxes of the separate blots of ink, as (top, left, height, width), the topmost and leftmost at 0."""
    ink = np.asarray(Image.open(path).convert("L")) < 0.75 * 255
    found = find_objects(label(ink, np.ones((3, 3)))[0])
    boxes = np.array([(y.start, x.start, y.stop - y.start, x.stop - x.start) for y, x in found])
    boxes[:, :2] -= boxes[:, :2].min(0)
    return boxes


def extent(boxes):
    return (boxes[:, :2] + boxes[:, 2:]).max(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--program", default="cargo xtask")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder, "ours"), Path(folder, "theirs")
        theirs.mkdir()
        command = "sample latexocr --preset paper --set domain.noise=0 --count"
        subprocess.run(
            [*shlex.split(arguments.program), *command.split(), str(arguments.count), "--out", str(ours)], check=True
        )
        samples = [json.loads(line) for line in (ours / "labels.jsonl").read_text().splitlines()]
        pages = set_by_latex([sample["source"] for sample in samples], theirs)
        compare(samples, ours, pages)


def compare(samples, ours, pages):
    heights, widths, sizes, comparable = [], [], [], 0
    for sample, page in zip(samples, pages):
        mine, latex = blots(ours / sample["file"]), blots(page)
        scripts = sum(sample["output"].split().count(mark) for mark in ("SUB(", "SUP("))
        height, width = extent(mine) - extent(latex)
        heights.append(height)
        widths.append((scripts, width))
        off = []
        if len(mine) == len(latex):
            comparable += 1
            apart = np.abs(mine[:, None, :2] - latex[None, :, :2]).sum(2)
            for i, j in zip(*linear_sum_assignment(apart)):
                by = mine[i, 2:] - latex[j, 2:]
                # A bar is as wide as what it parts.
                bar = max(mine[i, 2], latex[j, 2]) <= 3
                sizes.append((bar, np.abs(by).max()))
                if np.abs(by).max() > CLOSE and not bar:
                    off.append("{}x{} by {}x{}".format(*mine[i, 2:], *latex[j, 2:]))
        if abs(height) > CLOSE or off:
            print(f"{sample['source']}: height {height:+}, width {width:+}, {scripts} scripts; {', '.join(off)}")
    plain = [abs(width) for scripts, width in widths if scripts == 0]
    each = [width / scripts for scripts, width in widths if scripts > 0]
    print(f"{len(samples)} formulas, pixels more than LaTeX's:")
    print(f"  height: at most {CLOSE} in {sum(abs(height) <= CLOSE for height in heights)}")
    print(f"  width, {len(plain)} without scripts: none in {plain.count(0)}, at most {max(plain, default=0)}")
    print(f"  width, for each script: {np.mean(each):.1f}, from {min(each):.1f} to {max(each):.1f}")
    for bar, name in [(False, "glyphs"), (True, "bars")]:
        of = [by for is_bar, by in sizes if is_bar == bar]
        print(f"  {name}: at most {CLOSE} in {sum(by <= CLOSE for by in of)} of {len(of)}")
    print(f"  ({comparable} formulas in which the same glyphs touch)")


main()
