"""What the command line promises to scripts (admin-and-config 2): words, statuses, and the roles one by one."""
import base64, os, signal, smtplib, subprocess, time
import pytest, requests
from world import wait_for
from world.product import BINARY, Account, Product


def test_version_is_one_line(product):
    """admin-and-config 20."""
    done = product.run("version")
    assert done.returncode == 0 and done.stdout.count("\n") == 1 and done.stdout[0].isdigit() and done.stderr == ""


def test_make_user_with_a_short_password(product):
    """admin-and-config 22."""
    words = {"POSTAL_INITIAL_USER_EMAIL": "x@y.test", "POSTAL_INITIAL_USER_FIRST_NAME": "X", "POSTAL_INITIAL_USER_LAST_NAME": "Y", "POSTAL_INITIAL_USER_PASSWORD": "1234567"}
    done = subprocess.run([BINARY, "--config", product.config, "make-user"], capture_output=True, text=True, env={**os.environ, **words})
    assert done.returncode == 5 and " * Password is too short" in done.stdout + done.stderr
    assert product.command("user", "list") == []


def test_permalink_with_a_hyphen(product):
    """admin-and-config 26."""
    product.command("org", "create", "Acme"); product.command("server", "create", "acme", "My Server")
    assert product.command("server", "show", "acme/my-server")["permalink"] == "my-server"
    assert [s["permalink"] for s in product.command("server", "list", "--org", "acme")] == ["my-server"]


@pytest.mark.parametrize("role", ["cron", "requeuer"])
def test_roles_of_old_stay_quietly(product, role):
    """admin-and-config 28."""
    process = subprocess.Popen([BINARY, "--config", product.config, role], stderr=subprocess.PIPE, text=True)
    assert "no longer exists" in process.stderr.readline()
    time.sleep(0.3); assert process.poll() is None
    process.terminate(); assert process.wait(10) == 0


@pytest.mark.parametrize("word", ["migrate", "upgrade"])
def test_upgrade_beside_a_running_process(account, word):
    """admin-and-config 29: it may be repeated, and disturbs nobody."""
    done = account.product.run(word)
    assert done.returncode == 0, done.stderr
    with smtplib.SMTP(*account.product.smtp, timeout=10) as client: assert client.login(account.path, account.key)[0] == 235


def test_check_of_pending_migrations(product):
    """admin-and-config 29: 0 when none is pending."""
    assert product.run("migrate", "--check").returncode == 0


@pytest.mark.only("mariadb")
def test_check_says_that_migrations_are_pending(empty_database, dns):
    """admin-and-config 29: 7, and nothing is changed."""
    product = Product(empty_database)
    done = product.run("migrate", "--check")
    assert done.returncode == 7, done.stdout + done.stderr
    assert empty_database.sql("select count(*) from information_schema.tables where table_schema = 'postal'").stdout.split()[-1] == "0"


def test_bootstrap_writes_what_run_needs(tmp_path):
    """admin-and-config 2.4: private files, and never over what is there."""
    call = lambda *words: subprocess.run([BINARY, *words], capture_output=True, text=True)
    assert call("bootstrap", "mail.example.test", str(tmp_path / "new")).returncode == 0
    key, config = tmp_path / "new" / "signing.key", tmp_path / "new" / "postal.yml"
    assert key.stat().st_mode & 0o777 == 0o600 and config.stat().st_mode & 0o777 == 0o640
    assert "mail.example.test" in config.read_text() and "profile: modern" in config.read_text()
    before = key.read_bytes(), config.read_bytes()
    again = call("bootstrap", "other.example.test", str(tmp_path / "new"))
    assert (key.read_bytes(), config.read_bytes()) == before, again.stdout + again.stderr
    assert call("--config", str(config), "config", "check").returncode == 0


def test_config_show_names_the_source(product):
    done = subprocess.run([BINARY, "--config", product.config, "config", "show"], capture_output=True, text=True, env={**os.environ, "WORKER_THREADS": "3", "MAIN_DB_PASSWORD": "verysecret"})
    assert done.returncode == 0 and "verysecret" not in done.stdout
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert "WORKER_THREADS" in lines["worker.threads"] and "postal.yml" in lines["dns.timeout"] and "default" in lines["smtp_server.max_recipients"]


def test_wrong_variable_is_named(product):
    """admin-and-config 7."""
    done = subprocess.run([BINARY, "--config", product.config, "run"], capture_output=True, text=True, env={**os.environ, "WORKER_THREADS": "abc"}, timeout=30)
    assert done.returncode == 3 and "WORKER_THREADS" in done.stderr


def test_legacy_file_is_announced(product, tmp_path):
    """admin-and-config 9."""
    old = tmp_path / "postal.yml"; old.write_text("web:\n  host: postal.llamas.com\n")
    call = lambda *words, **env: subprocess.run([BINARY, "--config", old, *words], capture_output=True, text=True, env={**os.environ, **env})
    assert "postal.llamas.com" in call("config", "show", "postal.web_hostname").stdout
    assert "WARNING: Using legacy config file format." in call("default-dkim-record").stderr
    assert "WARNING" not in call("default-dkim-record", SILENCE_POSTAL_CONFIG_MESSAGES="true").stderr


def test_wrong_version_of_the_file(tmp_path):
    """admin-and-config 12."""
    file = tmp_path / "postal.yml"; file.write_text("version: 3\n")
    done = subprocess.run([BINARY, "--config", file, "run"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 3 and "Invalid version specified in Postal config file. Must be 1 or 2." in done.stderr


@pytest.mark.only("mariadb")
def test_each_role_alone(empty_database, dns):
    """Postal's three processes, on one database; each answers on its own health port and ends with 0."""
    product = Product(empty_database); assert product.run("initialize").returncode == 0
    log = open(product.log_file, "ab"); running = {}
    try:
        for role, url in (("worker", "http://127.0.0.1:9090/"), ("smtp-server", "http://127.0.0.1:9091/"), ("web-server", "http://127.0.0.1:9092/")):
            running[role] = subprocess.Popen([BINARY, "--config", product.config, role], stdout=log, stderr=log)
            def text():
                try: return requests.get(url, timeout=2).text
                except requests.RequestException: return ""
            assert wait_for(text, role).startswith(f"{role} (pid: {running[role].pid}, host: ")
        account = Account(product)
        with smtplib.SMTP(*product.smtp, timeout=10) as client:
            time.sleep(2)  # a change reaches other processes within that
            client.login(account.path, account.key); client.sendmail("ada@sender.test", ["bob@nowhere.test"], b"From: ada@sender.test\r\n\r\nHi\r\n")
        account.wait_deliveries(1, 1)
    finally:
        for process in running.values(): process.send_signal(signal.SIGTERM)
        assert [process.wait(30) for process in running.values()] == [0] * len(running)


@pytest.mark.only("mariadb")
def test_not_ready_without_the_database(product, mariadb):
    """admin-and-config 36."""
    mariadb.stop(signal.SIGKILL)
    try:
        answer, = wait_for(lambda: (a := requests.get("http://127.0.0.1:9091/ready", timeout=10)).status_code == 503 and [a], "not ready", 60, 0.5)
        assert answer.json()["checks"]["database"] != "ok"
        assert requests.get("http://127.0.0.1:9091/health", timeout=5).text == "OK"
    finally: mariadb.start()
    wait_for(lambda: requests.get("http://127.0.0.1:9091/ready", timeout=10).status_code == 200, "ready again", 60, 0.5)
