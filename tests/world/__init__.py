"""What surrounds Posthaste in the black-box tests: a DNS server, a Postfix, a scriptable SMTP sink, a MariaDB."""
import os, pathlib, tempfile, time


def folder(name):
    """A new directory that every user may enter: Postfix and Knot drop their rights."""
    path = pathlib.Path(tempfile.mkdtemp(prefix=f"posthaste-{name}-")); path.chmod(0o755)
    return path


def wait_for(condition, what, timeout=30, pause=0.05):
    """Calls `condition` until it gives something true, and returns that."""
    deadline = time.time() + timeout
    while True:
        if found := condition(): return found
        if time.time() > deadline: raise AssertionError(f"{what}: not within {timeout} s")
        time.sleep(pause)


def tail(path, lines=40):
    return "\n".join(pathlib.Path(path).read_text(errors="replace").splitlines()[-lines:]) if os.path.exists(path) else ""
