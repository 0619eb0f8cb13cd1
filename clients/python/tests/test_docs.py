"""Every Python block of the documents compiles, and those marked `run` do what they say against the real service."""

from __future__ import annotations

import ast
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest
from typing import Iterator, Tuple

from .support import needs_service

CLIENT = pathlib.Path(__file__).parent.parent
ROOT = CLIENT.parent.parent
DOCUMENTS = [CLIENT / "README.md", ROOT / "docs" / "python.md"]
LAST_LINES = {
    "README.md 0": "succeeded",
    "python.md 0": "succeeded",
    "python.md 1": "succeeded",
    "python.md 2": "validation-failed",
}


def blocks() -> Iterator[Tuple[str, bool, str]]:
    for document in DOCUMENTS:
        found = re.findall(r"(?ms)^```python( run)?\n(.*?)^```$", document.read_text("utf-8"))
        for number, (runs, code) in enumerate(found):
            yield f"{document.name} {number}", runs != "", code


def run(code: str, stdin: str = "") -> str:
    environment = {**os.environ, "PYTHONPATH": str(CLIENT)}
    done = subprocess.run(
        [sys.executable, "-c", code], input=stdin, env=environment, capture_output=True, text=True, timeout=100
    )
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout


class Documents(unittest.TestCase):
    def test_every_block_and_every_file_is_python_3_9(self) -> None:
        codes = {name: code for name, _, code in blocks()}
        for folder in (CLIENT, ROOT / "examples" / "python-worker"):
            codes.update({str(path): path.read_text("utf-8") for path in folder.rglob("*.py")})
        self.assertGreater(len(codes), 20)
        for name, code in codes.items():
            with self.subTest(name):
                ast.parse(code, name, feature_version=(3, 9))

    @needs_service
    def test_the_blocks_that_are_marked_to_run_do_so(self) -> None:
        last_lines = {}
        for name, runs, code in blocks():
            if runs:
                told = run(code.replace("https://proctor.example.com", os.environ["PROCTOR_URL"]))
                last_lines[name] = told.splitlines()[-1]
        self.assertEqual(last_lines, LAST_LINES)

    @needs_service
    def test_the_worker_without_a_framework_works_and_begins_no_task_twice(self) -> None:
        worker = (ROOT / "examples" / "python-worker" / "worker.py").read_text("utf-8")
        self.assertLessEqual(len([line for line in worker.splitlines() if line.strip()]), 15)
        fine = {"runs": [{"kind": "python", "code": "print(1)"}]}
        wrong = {"runs": [{"kind": "python", "code": "import sys; sys.exit(3)"}]}
        prefix = f"worker-{os.getpid()}"
        tasks = "".join(
            json.dumps({"id": f"{prefix}-{number}", "job": job}) + "\n" for number, job in enumerate((fine, wrong))
        )
        first, again = ([json.loads(line) for line in run(worker, tasks).splitlines()] for _ in range(2))
        told = [(one["id"], one["status"], one["results"][0]["status"]) for one in first]
        self.assertEqual(told, [(f"{prefix}-0", "succeeded", "succeeded"), (f"{prefix}-1", "failed", "failed")])
        self.assertEqual(again, first)
