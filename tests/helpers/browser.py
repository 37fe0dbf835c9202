"""A browser without a screen, which tells what of a page does not fit."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WIDTHS = (380, 1280)
"""Pixels: a telephone, and a screen."""

in_browser = pytest.mark.skipif(CHROMIUM is None, reason="a browser lays the page out")

AXE = os.environ.get("AXE_CORE", "")
"""Path of axe.min.js, of npm's package axe-core; it is no part of this project."""
with_axe = pytest.mark.skipif(CHROMIUM is None or not AXE, reason="AXE_CORE names axe.min.js, and a browser runs it")

_MEASURE = """
const measured = (frame, title) => {
  const inner = frame.contentDocument, view = frame.contentWindow, width = inner.documentElement.clientWidth;
  const styled = element => view.getComputedStyle(element);
  const faults = [];
  const name = element => element.tagName.toLowerCase() + '.' + element.className + ': ' +
    element.textContent.trim().replace(/\\s+/g, ' ').slice(0, 40);
  const hidden = element => styled(element).clipPath !== 'none' || (element.parentElement && hidden(element.parentElement));
  const scroller = element => element && (['auto', 'scroll'].includes(styled(element).overflowX) ? element
    : scroller(element.parentElement));
  if (inner.documentElement.scrollWidth > width) faults.push('the page scrolls sideways');
  for (const element of inner.body.querySelectorAll('*')) {
    if (!element.getClientRects().length || hidden(element) || element.closest('svg svg, svg *')) continue;
    const scrolls = scroller(element);
    if (!scrolls && element.getBoundingClientRect().right > width + 1) faults.push('cut: ' + name(element));
    if (scrolls === element && element.scrollWidth > element.clientWidth + 1 &&
        styled(element).backgroundImage === 'none' && element.tagName !== 'PRE')
      faults.push('scrolls without a hint: ' + name(element));
    if (styled(element).overflowX === 'hidden' && element.scrollWidth > element.clientWidth + 1)
      faults.push('hidden: ' + name(element));
  }
  return faults.map(fault => `${title}, ${frame.clientWidth} px: ${fault}`);
};
const faults = [];
let left = PAGES.length;
for (const [title, width, page] of PAGES) {
  const frame = document.createElement('iframe');
  frame.style = `width: ${width}px; height: 900px; border: 0`;
  frame.onload = () => {
    faults.push(...measured(frame, title));
    if (--left === 0) document.querySelector('pre').textContent = JSON.stringify(faults);
  };
  frame.srcdoc = page;
  document.body.append(frame);
}
"""


def misfits(pages: Mapping[str, str], widths: Sequence[int] = WIDTHS) -> list[str]:
    """Return what of pages is cut, or scrolls without a hint, in windows of these widths.

    One browser lays out all of them: to start it takes longer than a page.

    Args:
        pages: title, with which the page's faults begin → HTML.
        widths: pixels.
    """
    framed = json.dumps([(title, width, page) for title, page in pages.items() for width in widths])
    listed = framed.replace("<", "\\u003c")  # no page ends the script
    return _reported(f"<!doctype html><body><pre></pre><script>const PAGES = {listed};\n{_MEASURE}</script>")


_AXE_RUN = """
axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']}).then(result => {
  const report = document.createElement('pre');
  report.textContent = JSON.stringify(result.violations.map(fault =>
    fault.impact + ' ' + fault.id + ': ' + fault.nodes.map(node => node.target.join(' ')).join(', ')));
  document.body.replaceChildren(report);
});
"""


def violations(page: str, *, dark: bool) -> list[str]:
    """Return what axe finds against WCAG 2.1 A and AA on a page, in its light or its dark colors."""
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)  # it would stop axe itself
    scripts = f"<script>{Path(AXE).read_text()}</script><script>{_AXE_RUN}</script>"
    return _reported(page + scripts, f"--blink-settings=preferredColorScheme={0 if dark else 1}")


def rendered(address: str, *options: str) -> str:
    """Return the page at an address as it is after five seconds, in which its scripts ran."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(prefix="browser-") as profile:
        options = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", *options)
        command = [CHROMIUM, *options, "--virtual-time-budget=5000", "--dump-dom", address]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def _reported(page: str, *options: str) -> list[str]:
    """Return what a page's script wrote into its first ``pre``, as JSON."""
    with tempfile.TemporaryDirectory(prefix="browser-") as folder:
        path = Path(folder) / "page.html"
        path.write_text(page)
        shown = rendered(path.as_uri(), *options)
    (report,) = re.findall(r"<pre>(.*?)</pre>", shown, re.S)[:1]
    assert report, "the browser measured nothing"
    faults: list[str] = json.loads(html.unescape(report))
    return faults
