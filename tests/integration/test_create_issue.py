"""`create-issue` against a GitHub that keeps state, behind a proxy that makes what goes wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from command_line import EXPERIMENTS, INCREMENT, CommandLine, as_process, snapshot
from faults.driving import proved
from github_server import ENTERPRISE, TOKEN, GitHub, github
from repositories import commit_all, git, make_repository
from specweave_ml import track_experiment
from specweave_ml.errors import RemoteError
from specweave_ml.github import client, issues
from specweave_ml.github.body import key_of
from specweave_ml.github.request import Request, check_labels, check_title, look_at, make_request
from specweave_ml.project import find_increment
from tracked import wait_for_the_capture

TITLE = "Retrain model with Q1 2024 data"
KEY = "0042-recommendation-model / retrain-model-with-q1-2024-data"
RECORDED = EXPERIMENTS / "retraining-issues.yaml"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHub]:
    with github(tmp_path_factory.mktemp("github")) as running:
        yield running


@pytest.fixture
def hub(server: GitHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[GitHub]:
    """The server with nothing asked and no fault, and an environment that leads there."""
    monkeypatch.setenv("GITHUB_API_URL", server.url)
    monkeypatch.setenv("GH_TOKEN", TOKEN)
    monkeypatch.setenv("GH_CONFIG_DIR", str(tmp_path / "no-login"))
    for name in ("GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GH_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(client, "SECONDS_BETWEEN_WRITES", 0)
    monkeypatch.setattr(client, "TIMEOUT", 1)
    monkeypatch.setattr(issues, "PAUSES", (0.0, 0.0, 0.0))
    yield server
    server.asked.clear()
    server.faults.clear()
    server.sub_issues.clear()


@pytest.fixture
def repository(hub: GitHub) -> str:
    return hub.repository()


@pytest.fixture
def shop(project: Path, repository: str) -> Path:
    """A project in git whose origin is the repository, with experiments that are committed."""
    (project / INCREMENT / "spec.md").write_text("# Recommendation model\n\nSuccess metrics: Accuracy > 0.25\n")
    make_repository(project)
    git(project, "remote", "add", "origin", f"git@github.com:{repository}.git")
    for name, accuracy in (("exp-001-popularity", 0.18), ("exp-003-xgboost", 0.26)):
        with track_experiment(name, description="XGBoost classifier" if "xg" in name else "") as exp:
            exp.log_params({"max_depth": 6, "random_seed": 42})
            exp.log_dataset("clicks", "s3://shop/clicks/2024-01", version="v2024-01")
            exp.log_metric("accuracy", accuracy)
    try:
        with track_experiment("exp-006-wide-net") as failing:
            failing.log_note("Out of memory, says @octocat in #1")
            raise MemoryError("batch of 4096 does not fit")
    except MemoryError:
        wait_for_the_capture()
    decision = (
        "---\nselected: exp-003-xgboost\nby: Ana\nbecause: fast enough\nretrain_when: [accuracy below 0.22]\n---\n"
    )
    (project / EXPERIMENTS / "decision.md").write_text(decision)
    push(project)
    return project


def push(project: Path) -> str:
    """Commit everything; the remote's branch is where HEAD is, as after a push."""
    head = commit_all(project)
    git(project, "update-ref", "refs/remotes/origin/main", "HEAD")
    return head


def posts(hub: GitHub) -> list[tuple[str, str, str]]:
    return [each for each in hub.asked if each[0] != "GET"]


def only(found: list[Any]) -> Any:
    (one,) = found
    return one


class TestOpened:
    def test_the_issue_says_what_is_recorded(self, shop: Path, repository: str, hub: GitHub, run: CommandLine) -> None:
        head = git(shop, "rev-parse", "HEAD")
        done = run("create-issue", TITLE, "--label", "ml", "--json")

        issue = only(hub.issues(repository))
        assert issue["title"] == TITLE
        assert {label["name"] for label in issue["labels"]} == {"retraining", "ml"}
        assert {key: done.json[key] for key in ("action", "number", "title", "warnings")} == {
            "action": "created",
            "number": 1,
            "title": TITLE,
            "warnings": [],
        }
        assert done.json["url"] == issue["html_url"]
        link = f"https://github.com/{repository}/tree/{head}/{EXPERIMENTS}/exp-003-xgboost"
        for expected in (
            f"[exp-003-xgboost]({link}): XGBoost classifier",
            "- Selected by Ana: fast enough",
            "- Params: max_depth = 6\n",
            "- Data clicks: v2024-01",
            "- Seed: random_seed = 42",
            "- [ ] Accuracy &#62; 0.25 (spec.md; exp-003-xgboost has 0.26)",
            "- [ ] accuracy at least 0.26 (exp-003-xgboost has 0.26)",
            "- exp-006-wide-net: failed, MemoryError: batch of 4096 does not fit",
            f"[decision.md](https://github.com/{repository}/blob/{head}/{EXPERIMENTS}/decision.md)",
            f"\nRetraining key: {KEY}\n",
        ):
            assert expected in issue["body"], expected

    def test_it_is_recorded_and_found_again(self, shop: Path, repository: str, hub: GitHub, run: CommandLine) -> None:
        run("create-issue", TITLE)
        recorded = (shop / RECORDED).read_text()
        assert f"{repository}#1:\n  key: retrain-model-with-q1-2024-data\n  title: {TITLE}\n" in recorded

        before = only(hub.issues(repository))
        again = run("create-issue", f"  {TITLE.upper()} ", "--json")
        assert (again.json["action"], again.json["number"]) == ("found", 1)
        assert only(hub.issues(repository)) == before
        assert (shop / RECORDED).read_text() == recorded

    def test_a_title_of_other_words_is_another_issue(self, shop: Path, repository: str, hub: GitHub, run: CommandLine):
        for title in (TITLE, "Retrain model with Q2 2024 data", "Retrain model with Q1 2024 data!"):
            run("create-issue", title)
        assert len(hub.issues(repository)) == 3

    def test_what_people_added_to_the_record_stays(self, shop: Path, hub: GitHub, run: CommandLine) -> None:
        mine = "# ours\r\nacme/old#9:   # closed long ago\r\n  key: other\r\n  note: 'keep me'"
        (shop / RECORDED).write_bytes(mine.encode())
        run("create-issue", TITLE)
        assert (shop / RECORDED).read_bytes().startswith(mine.encode() + b"\r\n")
        assert b"#1:\r\n  key: retrain" in (shop / RECORDED).read_bytes()

    @pytest.mark.parametrize("damaged", ["- a list\n", "{acme/old#9: {key: x}}\n", "a: [\n", "a: *b\n", "a: 1\n...\n"])
    def test_a_record_that_cannot_be_added_to_stops_it_before_anything_is_sent(
        self, shop: Path, hub: GitHub, run: CommandLine, damaged: str
    ) -> None:
        (shop / RECORDED).write_text(damaged)
        assert run("create-issue", TITLE, code=7 if "{" not in damaged and "..." not in damaged else 5).err
        assert not hub.asked
        assert (shop / RECORDED).read_text() == damaged

    def test_two_at_once_are_one_issue(self, shop: Path, repository: str, hub: GitHub) -> None:
        command = [sys.executable, "-m", "specweave_ml", "create-issue", TITLE]
        both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(2)]
        said = [(process.communicate(timeout=60)[0], process.returncode) for process in both]
        assert len(hub.issues(repository)) == 1
        assert {code for _, code in said} <= {0, 5}, said

    def test_what_is_not_committed_has_no_link(self, shop: Path, repository: str, hub: GitHub, run: CommandLine):
        with track_experiment("exp-009-check") as exp:
            exp.log_metric("accuracy", 0.21)
        wait_for_the_capture()
        git(shop, "update-ref", "-d", "refs/remotes/origin/main")
        done = run("create-issue", TITLE)
        assert "warning: the commit that is checked out is not on GitHub" in done.err
        body = only(hub.issues(repository))["body"]
        assert "- exp-009-check (not committed): acc=0.21" in body
        assert "Now: exp-009-check" in body


class TestFoundAgain:
    @pytest.fixture
    def issue(self, shop: Path, repository: str, hub: GitHub, run: CommandLine) -> dict[str, Any]:
        run("create-issue", TITLE)
        found: dict[str, Any] = only(hub.issues(repository))
        return found

    def change(self, hub: GitHub, repository: str, **fields: Any) -> None:
        hub.call("PATCH", f"/repos/{repository}/issues/1", fields)

    def more_is_recorded(self) -> None:
        with track_experiment("exp-007-more") as exp:
            exp.log_metric("accuracy", 0.2)
        wait_for_the_capture()

    def test_only_our_part_is_brought_up_to_date(
        self, issue: dict[str, Any], repository: str, hub: GitHub, run: CommandLine
    ) -> None:
        theirs = issue["body"].replace("\n", "\r\n") + "\r\nPlease by Friday, @octocat.\r\n"
        self.change(hub, repository, body=f"Dear all,\r\n\r\n{theirs}", title="Their title")
        self.more_is_recorded()
        assert run("create-issue", TITLE, "--json").json["action"] == "found"
        now = only(hub.issues(repository))
        assert now["title"] == "Their title"
        assert now["body"].startswith("Dear all,\r\n\r\n<!-- specweave:begin v1 retrain")
        assert now["body"].endswith(f"\r\nRetraining key: {KEY}\r\n\r\nPlease by Friday, @octocat.\r\n")
        assert "exp-007-more" in now["body"]

    def test_ticked_boxes_stay_ticked_even_where_no_base_is_kept(
        self, shop: Path, issue: dict[str, Any], repository: str, hub: GitHub, run: CommandLine
    ) -> None:
        for kept in (shop / ".specweave/docs-sync").rglob("issue-1.md"):
            kept.unlink()
        self.change(hub, repository, body=issue["body"].replace("- [ ] Accuracy", "- [x] Accuracy"))
        self.more_is_recorded()
        run("create-issue", TITLE)
        now = only(hub.issues(repository))["body"]
        assert "- [x] Accuracy &#62; 0.25" in now
        assert "exp-007-more" in now

    def test_an_edit_inside_is_merged(
        self, issue: dict[str, Any], repository: str, hub: GitHub, run: CommandLine
    ) -> None:
        edited = issue["body"].replace("- Seed: random_seed = 42", "- Seed: random_seed = 42, and set numpy's too")
        self.change(hub, repository, body=edited)
        self.more_is_recorded()
        run("create-issue", TITLE)
        now = only(hub.issues(repository))["body"]
        assert "and set numpy's too" in now
        assert "exp-007-more" in now

    def test_an_edit_that_cannot_be_merged_is_left_alone_and_said(
        self, shop: Path, issue: dict[str, Any], repository: str, hub: GitHub, run: CommandLine
    ) -> None:
        for kept in (shop / ".specweave/docs-sync").rglob("issue-1.md"):
            kept.unlink()
        self.change(hub, repository, body=issue["body"].replace("### Why", "### Because"))
        self.more_is_recorded()
        before = only(hub.issues(repository))["body"]
        assert "#1 was left as it is: edited by a person" in run("create-issue", TITLE).err
        assert only(hub.issues(repository))["body"] == before

    @pytest.mark.parametrize(
        "strip",
        [
            lambda body: "\n".join(line for line in body.split("\n") if "<!--" not in line),
            lambda body: "\n".join(line for line in body.split("\n") if "Retraining key" not in line),
        ],
        ids=["comments", "visible line"],
    )
    def test_by_either_line_alone_and_by_no_record(
        self,
        shop: Path,
        issue: dict[str, Any],
        repository: str,
        hub: GitHub,
        run: CommandLine,
        strip: Callable[[str], str],
    ) -> None:
        (shop / RECORDED).unlink()
        self.change(hub, repository, body=strip(issue["body"]))
        before = only(hub.issues(repository))
        assert run("create-issue", TITLE, "--json").json["action"] == "found"
        assert only(hub.issues(repository)) == before
        assert f"{repository}#1:" in (shop / RECORDED).read_text()

    def test_by_the_record_where_the_label_is_gone(
        self, issue: dict[str, Any], repository: str, hub: GitHub, run: CommandLine
    ) -> None:
        self.change(hub, repository, labels=[])
        assert run("create-issue", TITLE, "--label", "ml", "--json").json["action"] == "found"
        assert {label["name"] for label in only(hub.issues(repository))["labels"]} == {"retraining", "ml"}

    def test_a_closed_one_has_a_successor(
        self, shop: Path, issue: dict[str, Any], repository: str, hub: GitHub, run: CommandLine
    ) -> None:
        self.change(hub, repository, state="closed")
        done = run("create-issue", TITLE, "--json")
        assert (done.json["action"], done.json["number"]) == ("created", 2)
        assert "\nFollows #1, which is closed.\n" in hub.issues(repository)[1]["body"]
        assert f'follows: "{repository}#1"\n' in (shop / RECORDED).read_text()
        before = hub.issues(repository)
        assert run("create-issue", TITLE, "--json").json["number"] == 2
        assert hub.issues(repository) == before

    def test_behind_more_than_a_hundred_others(
        self, shop: Path, issue: dict[str, Any], repository: str, hub: GitHub, run: CommandLine
    ) -> None:
        (shop / RECORDED).unlink()
        for number in range(130):
            fields = {"title": f"other {number}", "labels": ["retraining"], "body": f"not about {KEY}"}
            hub.call("POST", f"/repos/{repository}/issues", fields)
        hub.asked.clear()
        assert run("create-issue", TITLE, "--json").json["number"] == 1
        assert sum("/issues?" in path for _, path, _ in hub.asked) == 2
        assert not any("/search" in path for _, path, _ in hub.asked)

    def test_not_by_what_somebody_recorded(
        self, issue: dict[str, Any], repository: str, hub: GitHub, run: CommandLine
    ) -> None:
        with track_experiment(
            "exp-008-hostile", description="Retraining key: 0042-recommendation-model / other"
        ) as exp:
            exp.log_metric("accuracy", 0.1)
        exp.log_note("<!-- specweave:retrain increment=0042-recommendation-model key=other -->")
        exp.log_note("Retraining key: 0042-recommendation-model / other")
        exp.set_status("failed")
        wait_for_the_capture()
        run("create-issue", TITLE)
        assert "key=other" in only(hub.issues(repository))["body"]
        assert run("create-issue", "Other", "--json").json["action"] == "created"


class TestBelowTheIncrement:
    @pytest.mark.parametrize(
        "metadata",
        [
            {"github": {"issue": 1}},
            {"github": {"issues": [{"userStory": "US-001", "number": 1}]}},
            {"github": {"user_story_issues": [{"issue_number": "1"}]}},
            {"externalLinks": {"github": {"issues": {"US-001": {"issueNumber": 1}}}}},
            {"external_ref": "github#{repository}#1"},
            None,
        ],
    )
    def test_in_each_shape(
        self, shop: Path, repository: str, hub: GitHub, run: CommandLine, metadata: dict[str, Any] | None
    ) -> None:
        parent = hub.call("POST", f"/repos/{repository}/issues", {"title": "The increment"})
        if metadata is None:
            front = f'---\nstatus: active\nexternal_ref: "github#{repository}#1"\n---\n'
            (shop / INCREMENT / "spec.md").write_text(front)
        else:
            said = json.dumps({"status": "active", **metadata}).replace("{repository}", repository)
            (shop / INCREMENT / "metadata.json").write_text(said)
        before = snapshot(shop / INCREMENT)
        assert not run("create-issue", TITLE).err
        new = hub.issues(repository)[1]
        assert hub.sub_issues == {f"/repos/{repository}/issues/{parent['number']}/sub_issues": [new["id"]]}
        assert before.items() <= snapshot(shop / INCREMENT).items()

    def test_a_failure_is_a_warning(self, shop: Path, repository: str, hub: GitHub, run: CommandLine) -> None:
        (shop / INCREMENT / "metadata.json").write_text('{"status": "active", "github": {"issue": 77}}')
        done = run("create-issue", TITLE)
        assert "warning: it could not be made a sub-issue of #77: " in done.err
        assert f"{repository}#1" in (shop / RECORDED).read_text()


class TestNothingIsSent:
    def test_a_dry_run(
        self, shop: Path, hub: GitHub, run: CommandLine, monkeypatch: pytest.MonkeyPatch, repository: str
    ) -> None:
        monkeypatch.delenv("GH_TOKEN")
        before = snapshot(shop)
        done = run("create-issue", TITLE, "--dry-run")
        assert f"Retraining key: {KEY}" in done.out
        assert done.last_line.startswith(f"would be opened in https://github.com/{repository}/issues")
        planned = run("create-issue", TITLE, "--dry-run", "--json").json
        assert (planned["action"], planned["number"], planned["url"]) == ("planned", None, None)
        assert snapshot(shop) == before
        assert not hub.asked

    def test_without_a_token_there_is_a_form(
        self, shop: Path, hub: GitHub, run: CommandLine, monkeypatch: pytest.MonkeyPatch, repository: str
    ) -> None:
        monkeypatch.setenv("GH_TOKEN", "")
        done = run("create-issue", TITLE, "--json", code=6)
        address = done.json["next"].rpartition(" ")[2]
        assert address.startswith(f"https://github.com/{repository}/issues/new?title=Retrain+model+with+Q1+2024+data")
        assert "Retraining+key" in address
        assert len(address) <= 7_500
        assert not hub.asked

    @pytest.mark.parametrize("title", ["0042", "42", "0042...", "0042-recommendation-model", str(INCREMENT), "0042E"])
    def test_an_increment_is_no_title(self, shop: Path, hub: GitHub, run: CommandLine, title: str) -> None:
        done = run("create-issue", title, "--json", code=2)
        assert 'create-issue "Retrain model with Q1 2024 data" --increment' in done.json["next"]
        assert "/sw:github-create" in done.json["next"]
        assert not hub.asked

    def test_where_specweave_says_so(self, shop: Path, hub: GitHub, run: CommandLine, repository: str) -> None:
        (shop / ".specweave/config.json").write_text('{"sync": {"settings": {"canUpsertInternalItems": false}}}')
        run("create-issue", TITLE, code=5)
        assert not hub.asked
        run("create-issue", TITLE, "--force")
        assert len(hub.issues(repository)) == 1

    def test_while_no_reason_holds(self, shop: Path, hub: GitHub, run: CommandLine) -> None:
        git(shop, "remote", "remove", "origin")
        done = run("create-issue", TITLE, "--if-due", "--json")
        assert (done.json["action"], done.json["number"]) == ("not_due", None)
        rule = {"rule": "accuracy below 0.22", "due": False}
        assert rule.items() <= only(done.json["checked"]).items()
        assert run("create-issue", TITLE, "--if-due").last_line == "not due: no issue was opened"
        assert not hub.asked

    def test_and_then_one_does(self, shop: Path, hub: GitHub, run: CommandLine, repository: str) -> None:
        with track_experiment("exp-009-check") as exp:
            exp.log_metric("accuracy", 0.2)
        wait_for_the_capture()
        assert run("create-issue", TITLE, "--if-due", "--json").json["action"] == "created"
        expected = "- accuracy below 0.22: accuracy is 0.20 in exp-009-check"
        assert expected in only(hub.issues(repository))["body"]

    @pytest.mark.parametrize(
        "arguments",
        [
            ("Retrain; touch canary",),
            ("Retrain $(touch canary)",),
            ("--", "-Retrain `touch canary`"),
            (TITLE, "--label", "--upload-pack=touch canary"),
            (TITLE, "--label", "$(touch canary)"),
        ],
    )
    def test_arguments_are_words(self, shop: Path, hub: GitHub, run: CommandLine, arguments: tuple[str, ...]) -> None:
        run("create-issue", "--dry-run", *arguments)
        assert not list(shop.rglob("canary"))

    @pytest.mark.parametrize(
        "increment", ["--output=canary", "; touch canary", "$(touch canary)", "0042\n../x", "../x"]
    )
    def test_increments_are_names(self, shop: Path, hub: GitHub, run: CommandLine, increment: str) -> None:
        done = as_process("create-issue", TITLE, f"--increment={increment}")
        assert done.returncode in {2, 4}
        assert not list(shop.rglob("canary"))
        assert not hub.asked


class TestElsewhere:
    def test_on_a_server_of_its_own(
        self, shop: Path, hub: GitHub, run: CommandLine, monkeypatch: pytest.MonkeyPatch, repository: str
    ) -> None:
        git(shop, "remote", "set-url", "origin", f"https://someone:secret@ghe.example.com/{repository}.git")
        monkeypatch.delenv("GH_TOKEN")
        monkeypatch.setenv("GITHUB_ENTERPRISE_TOKEN", TOKEN)
        monkeypatch.setenv("GITHUB_API_URL", hub.url + ENTERPRISE)
        for number in range(101):
            fields = {"title": f"other {number}", "labels": ["retraining"]}
            hub.call("POST", f"/repos/{repository}/issues", fields)
        for action in ("created", "found"):
            done = run("create-issue", TITLE, "--json")
            assert done.json["action"] == action
            assert "secret" not in done.out + done.err
        assert all(path.startswith(ENTERPRISE) for _, path, _ in hub.asked)
        assert f"https://ghe.example.com/{repository}/tree/" in hub.issues(repository)[-1]["body"]

    def test_behind_insteadof(self, shop: Path, hub: GitHub, run: CommandLine, repository: str) -> None:
        git(shop, "remote", "set-url", "origin", f"work:{repository}")
        git(shop, "config", "url.https://x:secret@github.com/.insteadOf", "work:")
        done = run("create-issue", TITLE)
        assert "secret" not in done.out + done.err + only(hub.issues(repository))["body"]

    def test_a_server_that_is_no_github(
        self, shop: Path, hub: GitHub, run: CommandLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GITHUB_API_URL", f"{hub.url}/_emulate/favicon.ico?")
        assert "error: " in run("create-issue", TITLE, code=6).err


REFUSED = ["401", "403", "404", "410", "422", "451"]


class TestWhatGoesWrong:
    @pytest.mark.parametrize("status", REFUSED)
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_a_refusal_is_said_and_nothing_is_open(
        self, shop: Path, hub: GitHub, run: CommandLine, repository: str, status: str, method: str
    ) -> None:
        hub.faults[method, "/issues"] = [status]
        done = run("create-issue", TITLE, code=6)
        assert TOKEN not in done.out + done.err
        assert "Traceback" not in done.err
        assert not hub.issues(repository)
        assert not (shop / RECORDED).exists()

    def test_a_short_wait_is_waited_for(self, shop: Path, hub: GitHub, run: CommandLine, repository: str) -> None:
        hub.faults["GET", "/issues"] = ["secondary 1"]
        run("create-issue", TITLE)
        assert len(hub.issues(repository)) == 1

    @pytest.mark.parametrize(
        ("method", "fault"), [("GET", "secondary 60"), ("GET", "secondary"), ("POST", "secondary 1")]
    )
    def test_a_long_one_is_said(
        self, shop: Path, hub: GitHub, run: CommandLine, repository: str, method: str, fault: str
    ) -> None:
        hub.faults[method, "/issues"] = [fault]
        assert "GitHub asks to wait" in run("create-issue", TITLE, code=6).err
        assert not hub.issues(repository)

    @pytest.mark.parametrize("fault", ["502 after", "reset after", "hang after", "torn"])
    def test_a_lost_answer_is_one_issue(
        self, shop: Path, hub: GitHub, run: CommandLine, repository: str, fault: str
    ) -> None:
        hub.faults["POST", "/issues"] = [fault]
        assert run("create-issue", TITLE, "--json").json["action"] == "created"
        assert len(hub.issues(repository)) == 1
        assert f"{repository}#1:" in (shop / RECORDED).read_text()

    def test_one_that_may_still_come_is_not_sent_again(
        self, shop: Path, hub: GitHub, run: CommandLine, repository: str
    ) -> None:
        hub.faults["POST", "/issues"] = ["hang before"]
        assert "run it again" in run("create-issue", TITLE, code=6).err
        assert not hub.issues(repository)

    def test_a_server_that_never_recovers(self, shop: Path, hub: GitHub, run: CommandLine, repository: str) -> None:
        hub.faults["POST", "/issues"] = ["502 before"] * 9
        run("create-issue", TITLE, code=6)
        assert len(posts(hub)) == 3

    @pytest.mark.parametrize(("fault", "path"), [("hang after", "/issues"), ("hang after", "/sub_issues")])
    def test_a_kill_between_opening_and_recording_heals(
        self, shop: Path, hub: GitHub, run: CommandLine, repository: str, fault: str, path: str
    ) -> None:
        if path == "/sub_issues":
            hub.call("POST", f"/repos/{repository}/issues", {"title": "The increment"})
            (shop / INCREMENT / "metadata.json").write_text('{"status": "active", "github": {"issue": 1}}')
        before = len(hub.issues(repository))
        hub.faults["POST", path] = [fault]
        command = [sys.executable, "-m", "specweave_ml", "create-issue", TITLE]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        give_up = time.monotonic() + 30
        while not any(asked.endswith(path) for _, asked, _ in posts(hub)) or len(hub.issues(repository)) == before:
            assert time.monotonic() < give_up
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (shop / RECORDED).exists()
        done = run("create-issue", TITLE, "--json")
        assert (done.json["action"], done.json["number"]) == ("found", before + 1)
        assert len(hub.issues(repository)) == before + 1
        assert f"{repository}#{before + 1}:" in (shop / RECORDED).read_text()


def test_no_duplicate_in_200_faulty_creates_and_no_token(
    shop: Path, hub: GitHub, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """20 titles in each of 10 repositories; each create meets one or two of the faults."""
    for logger in ("github", "urllib3"):
        caplog.set_level("DEBUG", logger)
    where = find_increment("0042")
    said = ""
    for place in range(10):
        repository = hub.repository()
        git(shop, "remote", "set-url", "origin", f"https://github.com/{repository}")
        (shop / RECORDED).unlink(missing_ok=True)
        first = make_request(look_at(where), check_title(TITLE), check_labels(()), datetime.now(UTC))
        titles = [f"Retrain number {place * 20 + number}" for number in range(20)]
        for number, title in enumerate(titles):
            hub.faults["POST", "/issues"] = [FAULTS[number % 7], FAULTS[(number + place) % 7]][: 1 + number % 2]
            said += opened(replace(first, title=title, key=key_of(where, title)))
        assert [issue["title"] for issue in hub.issues(repository)] == titles
    output = capfd.readouterr()
    assert TOKEN not in said + output.out + output.err + caplog.text
    proved("faulty creates were duplicates", 200)


FAULTS = ("502 after", "reset after", "torn", "502 before", "reset before", "500 after", "503 before")


def opened(request: Request) -> str:
    """Say it until it is open, as a person would; everything that was said meanwhile."""
    said = ""
    for _ in range(4):
        try:
            return said + repr(issues.create_issue(request))
        except RemoteError as error:
            said += f"{error!s}{error!r}{error.__cause__!s}{error.__cause__!r}"
    pytest.fail(f"never opened: {said}")


def test_the_token_stays_out_of_a_traceback(shop: Path, hub: GitHub) -> None:
    hub.faults["GET", "/issues"] = ["401"] * 3
    for token in (f"{TOKEN}\n{TOKEN}", TOKEN):
        done = as_process("--debug", "create-issue", TITLE, env={**os.environ, "GH_TOKEN": token})
        assert done.returncode == 6, done
        assert TOKEN not in done.stdout + done.stderr
