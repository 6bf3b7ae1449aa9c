"""What an operator sees: health, metrics, logs, commands, stopping."""
import json, signal, smtplib, socket, subprocess, time
import pytest, requests
from world import wait_for
from world.product import Account

DATA = b"From: ada@sender.test\r\nTo: bob@x.test\r\nSubject: s\r\n\r\nHi\r\n"


def get(port, path): return requests.get(f"http://127.0.0.1:{port}{path}", timeout=5)


@pytest.mark.parametrize("port, name", [(9090, "worker"), (9091, "smtp-server")])
def test_health_servers(product, port, name):
    assert (get(port, "/health").status_code, get(port, "/health").text) == (200, "OK")
    assert get(port, "/").text.startswith(f"{name} (pid: {product.process.pid}, host: ")
    assert (get(port, "/nope").status_code, get(port, "/nope").text) == (404, "Not Found")
    assert get(port, "/ready").json()["status"] == "ok"


def test_metrics_have_postals_names(account, new_sink):
    sink = new_sink("m.test")
    with smtplib.SMTP(*account.product.smtp) as client: client.login(account.path, account.key); client.sendmail("ada@sender.test", ["bob@m.test"], DATA)
    wait_for(lambda: sink.mails, "the message arrives")
    smtp, worker = get(9091, "/metrics").text, get(9090, "/metrics").text
    for line in ('postal_smtp_server_connections_total 1.0', 'postal_smtp_server_messages_total{tls="no",type="outgoing"} 1.0', 'postal_smtp_server_tls_connections_total 0.0'):
        assert line in smtp or line.replace('tls="no",type="outgoing"', 'type="outgoing",tls="no"') in smtp, smtp
    assert "postal_message_queue_latency_count" in worker and "postal_smtp_server_connections_total" not in worker


def test_one_id_follows_a_message(account, new_sink):
    """The token that the client was told is in every log line about the message, from acceptance to delivery."""
    sink = new_sink("log.test")
    with smtplib.SMTP(*account.product.smtp) as client:
        client.login(account.path, account.key); client.mail("ada@sender.test"); client.rcpt("bob@log.test"); code, text = client.data(DATA)
    token = text.decode().split("id=")[1]
    wait_for(lambda: sink.mails, "the message arrives")
    lines = wait_for(lambda: len(found := [l for l in account.product.log().splitlines() if token in l]) >= 2 and found, "log lines with the token")
    assert any("component=smtp-server" in l for l in lines) and any("component=worker" in l for l in lines)
    assert account.key not in account.product.log() and account.api_key not in account.product.log()


def test_stop_is_graceful(account, new_sink):
    """An idle session is told, a message in DATA is taken, and the process ends with 0."""
    product = account.product
    idle, busy = smtplib.SMTP(*product.smtp, timeout=15), smtplib.SMTP(*product.smtp, timeout=15)
    idle.ehlo(); busy.login(account.path, account.key)
    busy.docmd("MAIL", "FROM:<ada@sender.test>"); busy.docmd("RCPT", "TO:<bob@stop.test>"); busy.docmd("DATA")
    product.process.send_signal(signal.SIGTERM)
    assert idle.getreply()[0] == 421
    time.sleep(0.5); busy.send(DATA + b".\r\n")
    assert busy.getreply()[0] == 250
    assert product.process.wait(15) == 0, "one signal is enough"
    product.start()
    assert account.message(1) is not None


def test_stop_gives_leases_back(account, new_sink):
    """Messages that wait for a slow host go back to the table with their attempts as they were."""
    sink = new_sink("tarpit.test"); sink.script["CONNECT"] = lambda a: time.sleep(20) or "220 sink"
    account.send_raw(DATA, [f"r{n}@tarpit.test" for n in range(50)]); wait_for(lambda: sink.connections, "a connection")
    started = time.time()
    assert account.product.stop() == 0 and time.time() - started < 15
    sink.script.clear(); account.product.start()
    wait_for(lambda: len(sink.mails) == 50, "all arrive after the restart", 60)
    assert all(len(account.wait_deliveries(n, 1)) == 1 for n in range(1, 51))


def test_restart_goes_on(account, new_sink):
    sink = new_sink("again.test"); sink.script["RCPT"] = ["451 4.3.0 later"]
    id = account.send_raw(DATA, ["bob@again.test"])["bob@again.test"]; account.wait_deliveries(id, 1)
    account.product.stop(); account.product.start()
    account.product.command("queue", "retry", "--all"); account.wait_status(id, "Sent")


def test_commands_work_on_a_stopped_installation(account):
    account.product.stop()
    servers = account.product.command("server", "list")
    assert [s["permalink"] for s in servers] == ["mail"]
    account.product.command("credential", "create", account.path, "--type", "SMTP", "--name", "second")
    account.product.start()
    assert len(account.product.command("credential", "list", account.path)) == 3


def test_change_holds_from_the_moment_the_command_ends(account):
    created = account.product.command("credential", "create", account.path, "--type", "SMTP", "--name", "fresh")
    with smtplib.SMTP(*account.product.smtp) as client: assert client.login(account.path, created["key"])[0] == 235


@pytest.mark.parametrize("words, status", [(["nosuch"], 2), (["queue"], 2), (["--help"], 0), (["domain", "dns", "nowhere.test"], 4), (["queue", "delete", "--all"], 2), (["version"], 0)])
def test_exit_status(product, words, status):
    done = product.run(*words)
    assert done.returncode == status, done.stderr
    assert done.stdout or done.stderr


def test_domain_dns_prints_what_to_publish(account):
    text = account.product.run("domain", "dns", "sender.test").stdout
    for part in ("v=spf1 a mx include:spf.posthaste.test ~all", "_domainkey.sender.test", "v=DKIM1; t=s; h=sha256; p=", "psrp.sender.test", "_dmarc.sender.test"): assert part in text, text


def test_default_dkim_record(product):
    der = subprocess.run(["openssl", "rsa", "-in", product.folder / "signing.key", "-pubout", "-outform", "DER"], capture_output=True).stdout
    import base64
    assert product.run("default-dkim-record").stdout == f"v=DKIM1; t=s; h=sha256; p={base64.b64encode(der).decode()};\n"


def test_test_send(account, postfix):
    done = account.product.run("test-send", "bob@remote.test", "--server", account.path, "--wait", "20")
    assert done.returncode == 0 and "250" in done.stdout, done.stdout + done.stderr


def test_export_plan_apply_round_trip(account):
    document = account.product.command("export", "--with-secrets")
    assert account.product.command("plan", "-", stdin=json.dumps(document)) == []
    document["organizations"][0]["name"] = "Renamed"
    done = account.product.run("--json", "plan", "-", stdin=json.dumps(document))
    assert done.returncode == 7 and "one" in done.stdout
    account.product.apply(document)
    assert account.product.command("org", "list")[0]["name"] == "Renamed"


def test_document_with_an_unknown_key_is_refused_whole(product):
    done = product.run("--json", "apply", "-", stdin="organizations:\n  - permalink: x\n    name: X\n    colour: red\n")
    assert done.returncode == 5 and "colour" in done.stderr and "4" in done.stderr
    assert product.command("org", "list") == []


def test_users(product):
    words = ["user", "create", "--email", "a@b.test", "--first-name", "A", "--last-name", "B", "--admin", "--password-stdin"]
    assert product.run(*words, stdin="correct horse battery\n").returncode == 0
    assert product.run(*words, stdin="correct horse battery\n").returncode == 5
    assert product.run(*words, "--update", stdin="correct horse battery\n").returncode == 0
    assert [u["email_address"] for u in product.command("user", "list")] == ["a@b.test"]
    short = product.run("user", "create", "--email", "c@b.test", "--first-name", "A", "--last-name", "B", "--password-stdin", stdin="short\n")
    assert short.returncode == 5 and "too short" in short.stderr


def test_show_commands(account):
    run = lambda *words: account.product.command(*words)
    account.product.run("user", "create", "--email", "a@b.test", "--first-name", "A", "--last-name", "B", "--password-stdin", stdin="correct horse battery\n")
    assert run("user", "show", "a@b.test")["first_name"] == "A"
    assert run("org", "show", "one")["status"] == "Active"
    assert run("server", "show", "one/mail")["mode"] == "Live"
    assert run("domain", "show", "sender.test")[0]["dkim"] == "OK"
    assert run("credential", "show", "one/mail", "--type", "API", "--name", "api")["key"] == account.api_key[:4] + "..."
    assert account.product.run("org", "show", "nobody").returncode == 4


def test_app_mail(new_product, new_sink):
    """The application's own mail path; its password never shows."""
    sink = new_sink("app.test", port=2527)
    product = new_product({"smtp": {"host": sink.ip, "port": 2527, "from_address": "postal@sender.test"}})
    assert product.run("test-app-smtp", "nobody").returncode == 2
    done = product.run("test-app-smtp", "bob@app.test")
    assert done.returncode == 0 and len(sink.mails) == 1 and "250" in done.stdout, done.stderr
    sink.stop(); product.stop(); product.settings["smtp"].update(port=2999, username="me", password="verysecret"); product.write(); product.start()
    done = product.run("test-app-smtp", "bob@app.test")
    assert done.returncode == 6 and "verysecret" not in done.stdout + done.stderr + product.log()


def test_answers_to_postals_name(product, tmp_path):
    """A link named `postal` takes Postal's commands."""
    from world.product import BINARY
    link = tmp_path / "postal"; link.symlink_to(BINARY)
    call = lambda *words, **env: subprocess.run([link, *words], capture_output=True, text=True, env={"POSTAL_CONFIG_FILE_PATH": str(product.config), **env})
    assert call("version").stdout == product.run("version").stdout
    assert call("default-dkim-record").stdout.startswith("v=DKIM1; t=s; h=sha256; p=")
    made = call("make-user", POSTAL_INITIAL_USER_EMAIL="x@y.test", POSTAL_INITIAL_USER_FIRST_NAME="X", POSTAL_INITIAL_USER_LAST_NAME="Y", POSTAL_INITIAL_USER_PASSWORD="correct horse battery")
    assert made.returncode == 0, made.stderr
    assert [(u["email_address"], u["admin"]) for u in product.command("user", "list")] == [("x@y.test", True)]
