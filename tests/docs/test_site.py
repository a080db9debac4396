"""The site is built without a warning; its links lead somewhere, and it opens in a browser."""

import os
import re
import subprocess
import sys
import zlib
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag

import pytest
from chromium import PROGRAM, Browser
from doc_pages import DOCS, ROOT, name_of, pages

pytest.importorskip("sphinx", reason="The extra `docs` is not installed")
pytestmark = pytest.mark.slow

OPENED = ["index", "tutorial/ten_minutes", "howto/optimizer", "api/index"]
OPENED += ["api/generated/optexp_jax.optim", "api/generated/optexp_jax.per_class.sum_by_class"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    # Not asked for: links to pages of other projects need a network.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPTEXP_DOCS")}
    done = subprocess.run(
        [*command, "docs", str(folder)], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder


class Links(HTMLParser):
    """The links, pictures and anchors of a page."""

    def __init__(self, text):
        super().__init__()
        self.targets, self.anchors = set(), {""}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.anchors |= {given.get("id", ""), given.get("name", "")}
        if target := {"a": given.get("href"), "img": given.get("src")}.get(tag):
            self.targets.add(target)


@pytest.fixture(scope="module")
def links(site):
    """The links of each page of the site."""
    found = {p.resolve(): Links(p.read_text(encoding="utf-8")) for p in site.rglob("*.html")}
    assert len(found) > 200
    return found


def test_every_page_is_there(site):
    missing = [p for p in pages() if not (site / f"{name_of(p)}.html").exists()]
    assert not missing


def test_links_and_pictures_lead_somewhere(links):
    broken = []
    for page, found in links.items():
        for target in found.targets:
            path, anchor = urldefrag(unquote(target))
            if re.match(r"[a-z]+:", target):
                continue
            there = (page.parent / path).resolve() if path else page
            # Pages of source link back to one room for each file, right page but not always anchor.
            is_checked = there in links and "_modules" not in page.parts
            known = links[there].anchors if is_checked else {anchor}
            if not there.exists() or anchor not in known:
                broken.append((page.name, target))
    assert not broken


def test_few_links_leave_the_site(links):
    outside = {t for found in links.values() for t in found.targets if re.match(r"https?:", t)}
    assert len(outside) < 20, outside


def test_every_public_name_is_in_the_reference_and_the_search(site):
    sys.path.insert(0, str(DOCS))
    try:
        import public_names
    finally:
        sys.path.remove(str(DOCS))
    inventory = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    documented = {line.split(" ")[0] for line in zlib.decompress(inventory).decode().splitlines()}
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    homes = public_names.homes()
    assert len(homes) > 220
    assert homes["optexp_jax.LearningRate"] == "optexp_jax.optim.LearningRate"
    assert not [name for name, home in homes.items() if home not in documented]
    assert not [name for name in homes if f'"{name.rpartition(".")[2]}"' not in index]


def test_the_notebooks_were_run(site):
    for name in ("tutorial/ten_minutes", "gallery"):
        text = (site / f"{name}.html").read_text(encoding="utf-8")
        assert text.count("cell_output") >= 4
        assert "Traceback" not in text
    tutorial = (site / "tutorial/ten_minutes.html").read_text(encoding="utf-8")
    rows = re.findall(r"<td>(SGD|Adam)</td>\s*<td>[\d^/-]+</td>\s*<td>([\d.]+)</td>", tutorial)
    losses = dict(rows)
    assert 0 < float(losses["Adam"]) < float(losses["SGD"]) < 1  # as the page says
    rare = dict(re.findall(r"(SGD|Adam): frequent [\d.]+, middle [\d.]+, rare (\d\.\d+)", tutorial))
    assert float(rare["Adam"]) < float(rare["SGD"]) / 2


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """One browser for all pages."""
    with Browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("name", OPENED)
def test_a_page_opens_at_any_width(browser, site, name, width, dark):
    browser.open(site / f"{name}.html", width, dark)
    told = [e for e in browser.complaints() if e["params"].get("type") != "log"]
    assert told == []
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run("document.documentElement.dataset.theme") == ("dark" if dark else "light")
    pictures = "[...document.images].filter((i) => i.complete && !i.naturalWidth).length"
    assert browser.run(pictures) == 0
    back = browser.run("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (sum(back[:3]) < 382) == dark


@pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed")
def test_every_page_fits_a_telephone(browser, site):
    written = [site / f"{name_of(page)}.html" for page in pages()]
    names = sorted(site.glob("api/generated/*.html"))[::8]
    wide = []
    for page in [*written, *names]:
        browser.open(page, 400)
        if browser.run("document.documentElement.scrollWidth") > 400:
            wide.append(page.name)
    assert not wide
