"""What is published is seen in a browser: a real server on loopback, in headless Chromium."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from optuna_predictor_rl.dashboard import publish
from tests.optuna_predictor_rl.dashboard.studies import searched, training

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

needed = pytest.mark.skipif(CHROMIUM is None and "CI" not in os.environ, reason="needs chromium")
pytestmark = [pytest.mark.ci, needed]


class _Text(HTMLParser):
    """The text that a page shows."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


class Browser:
    def __init__(self, profile: Path) -> None:
        self.profile = profile

    def open(self, url: str) -> tuple[str, list[str]]:
        """Return the text of a page after its scripts have run, and its lines in the console."""
        assert CHROMIUM is not None
        done = subprocess.run(
            [
                CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu",
                "--disable-dev-shm-usage", f"--user-data-dir={self.profile}",
                "--window-size=1400,2400", "--virtual-time-budget=30000",
                "--enable-logging=stderr", "--dump-dom", url,
            ],
            capture_output=True, text=True, timeout=300, check=True,
        )  # fmt: skip
        page = _Text()
        page.feed(done.stdout)
        lines = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        # Chromium complains of its own drawing without a graphics card.
        return " ".join(page.parts), [line for line in lines if "WebGL" not in line]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    return Browser(tmp_path_factory.mktemp("profile"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a dashboard of a study that was published."""
    storage = f"sqlite:///{tmp_path_factory.mktemp('storage')}/study.db"
    study = searched(20, storage=storage)
    study.sampler.store_predictions = True  # type: ignore[attr-defined]
    study.optimize(training, n_trials=2)
    assert "predictor-calibration" in publish(study)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = (
        f"import optuna_dashboard; optuna_dashboard.run_server({storage!r}, '127.0.0.1', {port})"
    )
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", code])
    try:
        _wait_for(f"http://127.0.0.1:{port}/api/studies", process)
        yield f"http://127.0.0.1:{port}/dashboard/studies/1"
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=60).close()
        except urllib.error.URLError:
            assert process.poll() is None, "the server ended"
            time.sleep(0.2)
        else:
            return
    raise TimeoutError(url)


def test_the_browser_tells_of_an_error_on_a_page(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>before</p><script>throw new Error('bang')</script>")
    text, console = browser.open(page.as_uri())
    assert "before" in text
    assert len(console) == 1
    assert "Uncaught Error: bang" in console[0]


def test_the_studys_page_shows_every_figure(browser: Browser, server: str) -> None:
    text, console = browser.open(server)
    assert console == []
    for title in (
        "Predicted against observed rank of held-out trials",
        "REINFORCE against random sampling on the predictor",
        "What the policy chooses, by step of REINFORCE",
        "Importance of decisions, according to the predictor",
        "Value against cost",
        "Learning curves of",
        "would rank if they were stopped early",
    ):
        assert title in text


def test_the_notes_page_shows_the_state_of_the_search(browser: Browser, server: str) -> None:
    text, console = browser.open(f"{server}/note")
    assert console == []
    assert "State of the search" in text
    assert "What to try." in text
    assert "state-of-the-search]" not in text  # the marks around it


def test_the_pages_of_trials_show_what_was_expected_of_them(browser: Browser, server: str) -> None:
    text, console = browser.open(f"{server}/smartSelection")
    assert console == []
    for name in (
        "predictor_rl:predicted_value",
        "predictor_rl:predicted_value_std",
        "predictor_rl:predicted_cost",
        "predictor_rl:feasible",
    ):
        assert name in text
    text, console = browser.open(f"{server}/trials?numbers=21")
    assert console == []
    assert "predictor_rl:rl_round" in text


def test_the_analytics_page_has_no_errors(browser: Browser, server: str) -> None:
    text, console = browser.open(f"{server}/analytics")
    assert console == []
    assert "Hyperparameter Relationships" in text
