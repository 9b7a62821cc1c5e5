"""The benchmark's page in a real browser: sorting, filtering, drawing, playing."""

import json
import shutil
import time
from pathlib import Path

import pytest
from bench_fakes import Answering, Blind, Brightness, Dazzled, Missing, Outage, Telling
from rich.console import Console

from physad_ros.bench import benchmark as whole
from physad_ros.bench import videos
from physad_ros.bench.files import files
from physad_ros.bench.job import execute
from physad_ros.bench.jobs import Run
from physad_ros.bench.run import carry_out
from physad_ros.detectors.base import detectors

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium and chromedriver here")

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required", "--window-size=1280,1000")  # fmt: skip


def make_page(root, out, protocol="corrected", **members):
    """Run the benchmark with these detectors and return the page; the registry is left as it was."""
    _ = len(detectors)
    with pytest.MonkeyPatch.context() as patch:
        for name, kind in members.items():
            patch.setitem(detectors._members, name, kind)
        patch.setattr(whole, "carry_out", lambda jobs, console, **_: carry_out(jobs, console, workers=1, do=execute))
        run = Run(root, out, methods=(*members, "intensity"), seeds=2)
        whole.benchmark(run, Console(quiet=True), protocol=protocol)
    return files(out, protocol).page


@pytest.fixture(scope="module")
def page(toy_tree, tmp_path_factory):
    return make_page(toy_tree, tmp_path_factory.mktemp("run"), memae=Telling, mnad_r=Brightness, lavad=Missing)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


class Page:
    """The page as it is opened, and what tests ask of it."""

    def __init__(self, driver, file: Path):
        self.driver = driver
        driver.get(file.as_uri())

    def js(self, code, *arguments):
        return self.driver.execute_script(f"return {code}", *arguments)

    def texts(self, selector):
        return self.js("[...document.querySelectorAll(arguments[0])].map((e) => e.textContent)", selector)

    def count(self, selector):
        return self.js("document.querySelectorAll(arguments[0]).length", selector)

    def click(self, selector, number=0):
        element = self.driver.find_elements("css selector", selector)[number]
        self.js("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
        element.click()

    def choose(self, name, value):
        self.driver.execute_script(
            "const e = document.querySelector(arguments[0]); e.value = arguments[1];"
            "e.dispatchEvent(new Event('change', {bubbles: true}))", name, value)

    def until(self, code, patience_s=15.0):
        end = time.monotonic() + patience_s
        while not self.js(code):
            assert time.monotonic() < end, f"{code} did not come true"
            time.sleep(0.05)


@pytest.fixture
def opened(browser, page):
    browser.get_log("browser")
    yield Page(browser, page)
    assert [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []


def test_nothing_is_loaded_from_elsewhere_and_what_is_told_is_there(opened):
    assert opened.js("performance.getEntriesByType('resource').filter((r) => !r.name.startsWith('data:')).map((r) => r.name)") == []
    said = opened.js("document.body.innerText")
    assert "PROTOCOL CORRECTED" in said.upper() and "3 labelled clips of each defect" in said and "its checkpoint is not here" in said
    assert opened.js("document.querySelector('h1').innerText") == f"3 methods, 2 categories, {opened.js('DATA.clips.length')} test clips"


def numbers(opened):
    return [float(v) for v in opened.js("[...document.querySelectorAll('#methods-table tbody tr')].map((r) => r.cells[2].dataset.value)")]


def test_tables_sort_by_number_and_by_name(opened):
    assert numbers(opened) == sorted(numbers(opened), reverse=True)
    opened.click("#methods-table thead button", 2)
    assert numbers(opened) == sorted(numbers(opened)) and opened.js("document.querySelector('#methods-table th[aria-sort]').ariaSort") == "ascending"
    opened.click("#methods-table thead button", 0)
    names = opened.js("[...document.querySelectorAll('#methods-table tbody th')].map((e) => e.dataset.value)")
    assert names in (sorted(names), sorted(names, reverse=True)) and len(names) == 3
    column = opened.texts("#methods-table thead th").index("Table 4paper, its data")
    opened.click("#methods-table th.paper button")
    values = opened.js("[...document.querySelectorAll('#methods-table tbody tr')].map((r) => r.cells[arguments[0]].textContent)", column)
    assert values == ["0.669", "0.538", "\N{EN DASH}"]  # of the paper, the greatest first; what has none stays last


def test_bars_and_curves_follow_the_chosen_methods(opened):
    assert opened.count("#bars .bar") == 2 * 3 and opened.count("#roc .roc") == 3
    opened.click("#chosen button[aria-pressed=true]", 1)
    assert opened.count("#bars .bar") == 2 * 2 and opened.count("#roc .roc") == 2
    assert opened.count("#histograms svg") == 2 and opened.count("#histograms rect.anomalous") > 0 < opened.count("#histograms rect.normal")
    opened.choose("#curve-category", "bold")
    assert opened.count("#histograms svg") == 1 and "ROC of bold" in opened.texts("#roc figcaption")[0]


def test_clips_are_filtered(opened):
    data = json.loads(opened.js("document.getElementById('data').textContent"))
    assert opened.count("#list button") == len(data["clips"]) > 18
    opened.choose("[name=method]", "intensity")
    opened.choose("[name=judged]", "wrong")
    first = [(c, next(i for i, s in enumerate(c["by"]["intensity"]["scores"]) if s is not None)) for c in data["clips"]]
    wrong = [c["name"] for c, seed in first if c["by"]["intensity"]["called"][seed] != c["anomalous"]]
    listed = opened.texts("#list small")
    assert len(listed) == len(wrong) > 0 and all(any(name in text for name in wrong) for text in listed)
    opened.choose("[name=judged]", "")
    opened.choose("[name=category]", "pale")
    opened.choose("[name=label]", "dull")
    dull = [c for c in data["clips"] if (c["category"], c["label"]) == ("pale", "dull")]
    assert opened.count("#list button") == len(dull) > 1 and set(opened.texts("#list b")) == {"dull"}
    assert opened.texts("#count") == [f"{len(dull)} of {len(data['clips'])} clips"]
    opened.choose("[name=judged]", "alarm")
    assert opened.texts("#list li") == ["No clip is like that."] and "Choose a clip" in opened.texts("#clip")[0]


def test_a_clip_plays_with_its_curve_phases_and_findings(opened):
    opened.choose("[name=method]", "memae")
    opened.choose("[name=label]", "glare")
    opened.click("#list button", 1)
    assert opened.texts("#clip h3")[0] == opened.texts("#list button[aria-current=true] small")[0].rpartition(" ")[2]
    assert {"rise", "fall"} <= set(opened.texts("#curve text")) and opened.count("#curve path.line") == 1
    assert "<b>the picture</b> is not as bright" in opened.texts(".findings button")[0]  # as text, not as HTML
    opened.until("document.querySelector('video').readyState >= 2")
    before = opened.js("document.querySelector('.playhead').getAttribute('x1')")
    opened.click(".findings button")
    opened.until("document.querySelector('video').currentTime > 0.1")
    opened.until(f"document.querySelector('.playhead').getAttribute('x1') !== '{before}'")
    opened.driver.execute_script("const v = document.querySelector('video'); v.currentTime = 0; v.loop = false; v.play()")
    opened.until("document.querySelector('video').ended")
    assert opened.js("document.querySelector('video').videoWidth") > 0


def test_a_clip_without_a_score_is_never_right(browser, toy_tree, tmp_path):
    browser.get_log("browser")
    opened = Page(browser, make_page(toy_tree, tmp_path, memae=Dazzled, mnad_r=Blind))
    opened.choose("[name=method]", "memae")
    opened.choose("[name=category]", "bold")
    opened.choose("[name=label]", "glare")
    assert set(opened.texts("#list .verdict")) == {"no score"} and opened.count("#list .wrong") == opened.count("#list button") > 1
    opened.choose("[name=judged]", "right")
    assert opened.texts("#list li") == ["No clip is like that."]
    opened.choose("[name=judged]", "wrong")
    opened.click("#list button")
    assert "the clip's is \N{EN DASH}" in opened.texts("#curve figcaption")[0] and opened.count("#curve path.line") == 1
    assert any("memae 4 of" in note for note in opened.texts(".note")) and "mnad_r‡§" in opened.texts("#methods-table tbody th")
    opened.choose("#curve-method", "mnad_r")
    assert opened.count("#histograms rect.normal, #histograms rect.anomalous") == 0 and "no scores" in opened.texts("#histograms text")
    assert [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []


def test_an_answer_in_words_is_shown_as_text(browser, toy_tree, tmp_path):
    browser.get_log("browser")
    opened = Page(browser, make_page(toy_tree, tmp_path, memae=Answering, mnad_r=Outage))
    opened.choose("[name=method]", "memae")
    opened.choose("[name=category]", "bold")
    opened.choose("[name=label]", "glare")
    assert opened.texts(".answer dt") == ["What happens", "Why"]
    what, why = opened.texts(".answer dd")
    assert what == "<b>A lamp</b> is seen." and "from normal" in why and opened.count(".answer b") == 0
    opened.choose("[name=label]", "dull")
    assert opened.count("#clip h3") == 1 and opened.count(".answer") == 0
    opened.choose("[name=method]", "mnad_r")
    opened.choose("[name=label]", "glare")
    assert opened.texts(".answer dt") == ["Why there is no score"] and opened.texts(".answer dd") == ["the server is out (glare)"]
    assert [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []


def test_clips_are_judged_by_the_labels_that_the_table_counts(browser, toy_tree, tmp_path):
    """Under the legacy protocol these are shifted: a normal clip may count as missed."""
    opened = Page(browser, make_page(toy_tree, tmp_path, "legacy", mnad_p=Brightness))
    assert opened.texts("#categories-table tbody small") == ["5 normal, 4 defective"] * 2  # by their own labels
    opened.choose("[name=method]", "mnad_p")
    opened.choose("[name=label]", "anomaly_free")
    said = opened.js("DATA.clips.filter((c) => c.label === 'anomaly_free').map((c) => {"
                     "const by = c.by.mnad_p, s = by.scores.findIndex((v) => v !== null); return [by.called[s], by.truth[s]]; })")
    words = {(True, True): "found", (True, False): "false alarm", (False, True): "missed", (False, False): "passed"}
    assert opened.texts("#list .verdict") == [words[called, truth] for called, truth in said]
    assert {truth for _, truth in said} == {True, False}
    shifted = [truth for _, truth in said].index(True)
    opened.click("#list button", shifted)
    assert "anomaly_free, here read as defective" in opened.texts("#clip .head")[0]


def test_another_method_judges_the_same_clip(opened):
    opened.click("#list button", 2)
    name = opened.texts("#clip h3")
    opened.click(".others button", 1)
    assert opened.texts("#clip h3") == name and opened.js("document.querySelector('[name=method]').value") == opened.texts(".others button")[1]


def test_light_and_dark(opened):
    background = "getComputedStyle(document.body).backgroundColor"
    before = opened.js(background)
    opened.click("#theme")
    assert opened.js(background) != before
    opened.click("#theme")
    assert opened.js(background) == before


def test_it_fits_a_telephone(opened):
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    opened.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        opened.driver.refresh()
        assert opened.js("document.documentElement.scrollWidth") == 390
        opened.click("#list button", 3)
        opened.until("Math.abs(document.querySelector('#clip').getBoundingClientRect().top) < 200")
        assert opened.js("document.querySelector('video').clientWidth") > 300
    finally:
        opened.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_with_too_many_videos_they_lie_beside_the_page(browser, toy_tree, tmp_path, monkeypatch):
    monkeypatch.setattr(videos, "MOST_EMBEDDED", 1000)
    opened = Page(browser, make_page(toy_tree, tmp_path, memae=Brightness))
    assert "in the folder videos" in opened.texts("footer")[0] and opened.count("script[type='text/plain']") == 0
    opened.until("document.querySelector('video').readyState >= 2")
    assert opened.js("document.querySelector('video').currentSrc").startswith("file://")
