"""Runs the suites one after the other, says what each took, and ends with one line `N passed, N failed`.

What a suite prints goes to build/test-logs/PART.log; of a failing one the end is shown here.
"""
import os, pathlib, re, subprocess, sys, time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
LOGS = ROOT / "build" / "test-logs"
BINARY = ROOT / "build" / "release" / "posthaste"
KIT = pathlib.Path(os.environ.get("POSTHASTE_KIT", ROOT.parent / "shared" / "conformance"))


class Part:
    """A command whose output tells how many cases passed and failed."""

    def __init__(self, name, command, count, env=None, limit=1800):
        self.name, self.command, self.count, self.env, self.limit = name, command, count, env or {}, limit

    def run(self):
        log, started = LOGS / f"{self.name}.log", time.time()
        with open(log, "wb") as out:
            process = subprocess.Popen(self.command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                       env={**os.environ, **self.env}, start_new_session=True)
            try: status = process.wait(self.limit)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 15); status = "timeout"
                try: process.wait(30)
                except subprocess.TimeoutExpired: os.killpg(process.pid, 9); process.wait()
        text = log.read_text(errors="replace")
        passed, failed = self.count(text)
        if status != 0 and failed == 0: failed = 1                    # broke outside a case
        if passed + failed == 0: failed = 1                           # ran nothing
        print(f"{self.name:<24} {passed:5} passed  {failed:3} failed  {time.time() - started:6.1f} s", flush=True)
        if failed: print(f"--- exit {status}; from {log.relative_to(ROOT)}:\n{reasons(text)}\n---", flush=True)
        return passed, failed


def reasons(text):
    """The lines that tell what failed, wherever they stand, and the end of the log."""
    lines = text.splitlines()
    told = [i for i, line in enumerate(lines) if re.search(r": Failure$|^\[  FAILED  \]|^\[  SKIPPED \]|^(FAILED|ERROR) |^E   ", line)]
    shown = sorted({n for i in told[:40] for n in range(i, i + (8 if lines[i].endswith(": Failure") else 1)) if n < len(lines)})
    quiet = [line for line in lines if " INFO " not in line]
    return "\n".join([lines[n] for n in shown] + ["..."] + quiet[-30:])


def pytest_count(text):
    summary = next((line for line in reversed(text.splitlines()) if re.search(r"\d+ (passed|failed|error)", line)), "")
    number = lambda word: sum(int(n) for n in re.findall(rf"(\d+) {word}", summary))
    return number("passed"), number("failed") + number("error") + number("skipped")   # a skipped case has not passed


def gtest_count(text):
    ran = sum(int(n) for n in re.findall(r"\[==========\] (\d+) tests? from .* ran\.", text))
    failed = sum(int(n) for n in re.findall(r"\[  FAILED  \] (\d+) tests?, listed below", text))
    failed += sum(int(n) for n in re.findall(r"\[  SKIPPED \] (\d+) tests?", text))                   # a skipped case has not passed
    return ran - failed, failed


def one_step(text): return (0, 0) if "FAILED" in text else (1, 0)


def build():
    return Part("build", ["script/build", "release"], one_step)


def units():
    """Every program that a room's tests make."""
    script = 'for test in build/release/*_test; do "$test" --gtest_brief=1 || status=1; done; exit ${status:-0}'
    return Part("unit", ["bash", "-c", script], gtest_count)


def cases():
    """The kit's cases that must pass, as arguments for pytest; a line that begins with `-` names one that is left out."""
    lines = (line.split("#")[0].strip() for line in (HERE / "conformance.txt").read_text().splitlines())
    return [f"--deselect={line[1:].strip()}" if line.startswith("-") else line for line in lines if line]


def conformance(database):
    return Part(f"conformance-{database}", [str(KIT / "run"), *cases()], pytest_count,
                {"POSTHASTE": str(BINARY), **({"DATABASE": "mariadb"} if database == "mariadb" else {})})


def blackbox(database):
    return Part(f"blackbox-{database}", [str(HERE / "run"), str(HERE / "blackbox")], pytest_count,
                {"POSTHASTE": str(BINARY), "DATABASE": database})


def kill(database):
    return Part(f"kill-{database}", [str(HERE / "run"), str(HERE / "kill")], pytest_count,
                {"POSTHASTE": str(BINARY), "DATABASE": database, "KILL_ROUNDS": os.environ.get("KILL_ROUNDS", "15")})


PARTS = {
    "unit": [units],
    "conformance": [lambda: conformance("sqlite"), lambda: conformance("mariadb")],
    "blackbox": [lambda: blackbox("sqlite"), lambda: blackbox("mariadb")],
    "kill": [lambda: kill("sqlite"), lambda: kill("mariadb")],
}


def main(names):
    if "--list" in names: print("\n".join(PARTS)); return 0
    if unknown := set(names) - set(PARTS): print(f"unknown part {', '.join(unknown)}; there are {', '.join(PARTS)}", file=sys.stderr); return 2
    LOGS.mkdir(parents=True, exist_ok=True)
    passed, failed = build().run()
    if not failed:
        for name in names or PARTS:
            for part in PARTS[name]:
                p, f = part().run(); passed += p; failed += f
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
