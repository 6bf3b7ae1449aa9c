"""On MariaDB the databases are Postal's."""
import os, pathlib, subprocess
import pytest
from world.product import ROOT, Account

KIT = pathlib.Path(os.environ.get("POSTHASTE_KIT", ROOT.parent / "shared" / "conformance"))


@pytest.mark.only("mariadb")
@pytest.mark.parametrize("golden", ["main", "message"])
def test_schema_is_postals(account, mariadb, golden):
    account.send_raw(b"From: a@sender.test\r\n\r\nHi\r\n", ["b@nowhere.test"])                       # makes the day's raw table
    database = "postal" if golden == "main" else f"postal-server-{account.server['id']}"
    done = subprocess.run(["/usr/bin/python3", KIT / "schema_of.py", database, "--against", KIT / "golden" / "schema" / f"{golden}.json", "--",
                           "-uroot", "-S", str(mariadb.socket)], capture_output=True, text=True)
    assert done.stdout.strip() == "the same", done.stdout + done.stderr


def test_initialize_can_be_repeated(account):
    account.product.stop()
    assert account.product.run("initialize").returncode == 0
    account.product.start()
    assert account.product.command("server", "list")
