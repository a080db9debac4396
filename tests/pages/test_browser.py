"""A page in a real browser: it opens from disk without a complaint, and does what a person asks."""

import paged
import pytest
from chromium import PROGRAM, Browser

from optexp_jax.pages import page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed"),
]

TABLE = "[...document.querySelectorAll('#runs tbody tr')].map((tr) => tr.cells[{}].textContent)"


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    paged.fill(folder / "ws")
    group = page.read_group(folder / "ws", paged.GROUP)
    (folder / f"{paged.GROUP}.html").write_text(page.page_of(group, index=True), encoding="utf-8")
    (folder / "index.html").write_text(page.index_of([group]), encoding="utf-8")
    return folder / f"{paged.GROUP}.html"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [400, 1600])
def test_it_opens_without_a_complaint_at_any_width(browser, html, width, dark, tmp_path):
    browser.open(html, width, dark)
    assert browser.complaints() == []
    assert browser.run("document.querySelectorAll('.chart svg').length") == 3
    assert browser.run("document.documentElement.scrollWidth") <= width
    contrast = "getComputedStyle(document.body).{}.match(/\\d+/g).map(Number)"
    text, back = (sum(browser.run(contrast.format(p))) for p in ("color", "backgroundColor"))
    assert (text > back) == dark
    assert abs(text - back) > 500
    browser.picture(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 20_000


def test_the_index_leads_to_the_page_and_back(browser, html):
    browser.open(html.with_name("index.html"))
    browser.run("document.querySelector('td a').click()")
    browser.wait("document.readyState === 'complete' && document.title === 'paged'")
    assert browser.run("document.querySelector('nav a').getAttribute('href')") == "index.html"
    assert browser.complaints() == []


def test_the_table_sorts_by_number_with_empty_cells_last(browser, html):
    browser.open(html)
    browser.run("document.querySelectorAll('#runs th button')[2].click()")
    up = browser.run(TABLE.format(2))
    numbers = [float(cell) for cell in up[:-2]]
    assert numbers == sorted(numbers)
    assert set(up[-2:]) == {"diverged", ""}
    browser.run("document.querySelectorAll('#runs th button')[2].click()")
    down = browser.run(TABLE.format(2))
    assert [float(cell) for cell in down[:-2]] == numbers[::-1]
    assert browser.run("document.querySelectorAll('#runs th')[2].ariaSort") == "descending"
    browser.run("document.querySelectorAll('#runs th button')[1].click()")
    rates = browser.run(TABLE.format(1))
    assert rates[0] == "10^-2"
    assert rates[-1] == "10^1"


def test_the_table_filters_by_all_words(browser, html):
    browser.open(html)
    browser.run("$('#filter').value = 'adam 10^-2'; $('#filter').oninput()")
    assert browser.run(TABLE.format(0)) == ["Adam"] * 2
    assert browser.run("$('#shown').textContent").startswith("2 of ")
    browser.run("$('#filter').value = 'failed'; $('#filter').oninput()")
    assert browser.run(TABLE.format(4)) == [paged.REASON]  # as text, not as a script


def test_the_slider_shows_the_losses_of_its_step(browser, html):
    heights = (
        "new Set([...document.querySelectorAll('#by_class .chart circle')]"
        ".map((dot) => dot.getAttribute('cy'))).size"
    )
    browser.open(html)
    assert browser.run("$('#at').textContent") == "40"
    assert browser.run(heights) > 1
    browser.run("$('#step').value = 0; $('#step').dispatchEvent(new Event('input'))")
    assert browser.run("$('#at').textContent") == "0"
    assert browser.run(heights) == 1  # all classes begin alike
    assert browser.run("document.querySelectorAll('#by_class .panels svg').length") == 2
    assert browser.complaints() == []


def test_a_method_is_hidden_and_shown_again(browser, html):
    browser.open(html)
    panels = "document.querySelectorAll('#by_class .panels svg').length"
    press = "document.querySelectorAll('#methods button')[0].click()"
    browser.run(press)
    assert browser.run(panels) == 1
    assert browser.run("document.querySelectorAll('#methods button')[0].ariaPressed") == "false"
    browser.run(press)
    assert browser.run(panels) == 2
    assert browser.complaints() == []


def test_metrics_and_axes_are_chosen(browser, html):
    browser.open(html)
    assert browser.run("$('#metric').options.length") == 2
    before = browser.run("$('#curves .chart').innerHTML")
    browser.run("$('#logarithmic').click()")
    assert browser.run("$('#curves .chart').innerHTML") != before
    browser.run("$('#metric').value = 1; $('#metric').onchange()")
    assert "Validation" in browser.run("$('#curves .chart').textContent")
    for i in range(2):  # nothing is left to show
        browser.run(f"document.querySelectorAll('#methods button')[{i}].click()")
    assert not browser.run("document.querySelectorAll('#by_class .panels svg').length")
    assert browser.complaints() == []


def test_a_complaint_would_be_seen(browser, tmp_path):
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<script src='http://example.invalid/a.js'></script><script>undefinedName()</script>"
    )
    browser.open(bad)
    assert {e["method"] for e in browser.complaints()} >= {
        "Runtime.exceptionThrown",
        "Network.requestWillBeSent",
    }
