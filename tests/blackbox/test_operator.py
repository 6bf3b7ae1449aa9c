"""What an operator reads when something is wrong or is asked for: messages say what, where, and what to do."""
import json, re, smtplib, ssl, subprocess, time
import pytest, requests
from world import wait_for
from world.product import BINARY, Account, Product

DATA = b"From: ada@sender.test\r\nTo: bob@x.test\r\nSubject: s\r\n\r\nHi\r\n"


def make_certificate(key, certificate, *options):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=posthaste.test", *(options or ("-days", "2"))],
                   check=True, capture_output=True)


def no_certificate(product): (product.folder / "smtp.cert").unlink()
def no_key(product): (product.folder / "smtp.key").unlink()
def other_key(product): make_certificate(product.folder / "smtp.key", product.folder / "unused")
def rubbish(product): (product.folder / "smtp.cert").write_text("rubbish")


def expired(product):
    key, request, certificate = (product.folder / name for name in ("smtp.key", "request", "smtp.cert"))
    subprocess.run(["openssl", "req", "-new", "-key", key, "-out", request, "-subj", "/CN=x"], check=True, capture_output=True)
    subprocess.run(["openssl", "x509", "-req", "-in", request, "-signkey", key, "-out", certificate, "-days", "-1"], check=True, capture_output=True)


@pytest.mark.parametrize("spoil, file, why", [(no_certificate, "smtp.cert", "No such file"), (no_key, "smtp.key", "No such file"), (other_key, "smtp.key", "does not belong to the certificate"),
                                              (rubbish, "smtp.cert", "no certificate in PEM form"), (expired, "smtp.cert", "has expired on 20")], ids=lambda v: getattr(v, "__name__", ""))
def test_unusable_certificate_is_said_plainly(new_product, spoil, file, why):
    """Start and `config check` name the file, what is wrong with it, and the consequence."""
    product = new_product(start=False); spoil(product)
    done = product.run("config", "check")
    assert done.returncode == 7 and str(product.folder / file) in done.stdout and why in done.stdout and "WITHOUT STARTTLS" in done.stdout, done.stdout
    assert json.loads(product.run("--json", "config", "check").stdout)["ok"] is False
    product.start()
    line, = [l for l in product.log().splitlines() if "WITHOUT STARTTLS" in l]
    assert str(product.folder / file) in line and why in line and "127.0.0.1:2525" in line and "ERROR" in line, line


def test_a_certificate_that_comes_later_is_taken(new_product):
    product = new_product({"smtp_server": {"tls_reload_interval": 1}}, start=False); no_certificate(product); product.start()
    make_certificate(product.folder / "smtp.key", product.folder / "smtp.cert")
    def offered():
        with smtplib.SMTP(*product.smtp) as client: client.ehlo(); return client.has_extn("starttls")
    wait_for(offered, "STARTTLS is offered")
    assert product.run("config", "check").returncode == 0


def test_implicit_tls(new_product, dns, new_sink):
    """A listener that speaks TLS from the first byte: log in, send, and the mail arrives; plain text gets nowhere."""
    product = new_product({"smtp_server": {"listeners": ["smtp://127.0.0.1:2525", "smtps://127.0.0.1:4650"]}}); account = Account(product); account.publish(dns)
    sink = new_sink("tls.test")
    trusting = ssl.create_default_context(cafile=product.folder / "smtp.cert"); trusting.check_hostname = False
    with smtplib.SMTP_SSL("127.0.0.1", 4650, context=trusting, timeout=10) as client:
        client.ehlo(); assert not client.has_extn("starttls") and client.has_extn("auth")
        assert client.sock.version() in ("TLSv1.2", "TLSv1.3")
        with pytest.raises(smtplib.SMTPSenderRefused): client.sendmail("ada@sender.test", ["bob@tls.test"], DATA)
        client.login(account.path, account.key); client.sendmail("ada@sender.test", ["bob@tls.test"], DATA)
    wait_for(lambda: sink.mails, "the message arrives")
    with pytest.raises((smtplib.SMTPException, OSError)): smtplib.SMTP("127.0.0.1", 4650, timeout=5)
    with smtplib.SMTP(*product.smtp, timeout=10) as client: assert client.ehlo()[0] == 250, "the other listener is not disturbed"


def test_implicit_tls_without_a_certificate_does_not_listen(new_product):
    product = new_product({"smtp_server": {"listeners": ["smtp://127.0.0.1:2525", "smtps://127.0.0.1:4650"]}}, start=False); no_certificate(product); product.start()
    with pytest.raises(OSError): smtplib.SMTP_SSL("127.0.0.1", 4650, timeout=5)
    assert "Nothing listens on 127.0.0.1:4650" in product.log()


@pytest.mark.parametrize("words, said", [
    (["nosuch"], ["no command nosuch"]), (["quue", "list"], ["quue", "`posthaste queue`"]), (["queue", "lst"], ["lst", "`posthaste queue list`"]), (["queue"], ["list, retry, delete, stats"]),
    (["queue", "list", "--sever", "x"], ["--sever", "`--server`"]), ([], ["bootstrap", "initialize", "--help"]), (["messages", "show"], ["SERVER is required", "--help"])], ids=lambda v: " ".join(v) if isinstance(v, list) else None)
def test_mistyped_commands(words, said):
    done = subprocess.run([BINARY, *words], capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == ""
    for part in said: assert part in done.stderr, done.stderr


def test_version_as_an_option():
    call = lambda *words: subprocess.run([BINARY, *words], capture_output=True, text=True)
    assert (call("--version").returncode, call("--version").stdout) == (0, call("version").stdout)


def test_missing_configuration_file(tmp_path):
    done = subprocess.run([BINARY, "--config", "nowhere/postal.yml", "run"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 3 and f"{tmp_path}/nowhere/postal.yml" in done.stderr and "posthaste bootstrap" in done.stderr and "script/server" in done.stderr


def test_a_recipient_without_login_leaves_a_line_that_can_be_understood(product):
    with smtplib.SMTP(*product.smtp, local_hostname="probe.test") as client:
        client.ehlo(); client.mail("eve@away.test"); assert client.rcpt("bob@elsewhere.test")[0] == 530
    line = wait_for(lambda: [l for l in product.log().splitlines() if "Authentication failure for 127.0.0.1" in l], "the line")[0]
    for part in ("ip=127.0.0.1", "helo=probe.test", "mail_from=eve@away.test", "rcpt=bob@elsewhere.test", "reason="): assert part in line, line


def held_message(account, to):
    id = account.send_raw(DATA, [to])[to]; account.wait_status(id, "Held"); return id


def test_held_messages_are_listed_released_and_cancelled(new_product, dns, new_sink):
    account = Account(new_product(), mode="Development"); account.publish(dns); sink = new_sink("held.test"); product = account.product
    first, second, third, fourth = (held_message(account, f"r{n}@held.test") for n in range(4))
    rows = product.command("held", "list", account.path)
    assert [row["id"] for row in rows] == [fourth, third, second, first] and "development" in rows[0]["details"].lower() and rows[0]["hold_expiry"] > time.time()
    text = product.run("held", "list", account.path).stdout
    assert text.splitlines()[0].split() == ["ID", "HELD", "UNTIL", "TO", "FROM", "SUBJECT", "WHY"] and "r0@held.test" in text
    assert product.command("held", "release", account.path, str(first)) == {"released": 1}
    account.wait_status(first, "Sent"); assert len(sink.mails) == 1
    assert product.command("held", "cancel", account.path, str(second)) == {"cancelled": 1}
    account.wait_status(second, "HoldCancelled")
    assert [d["details"] for d in account.deliveries(second)][1:] == ["The hold on this message has been removed without action."]
    for verb in ("release", "cancel"):
        done = product.run("held", verb, account.path, str(second)); assert done.returncode == 5 and "not held" in done.stderr
        done = product.run("held", verb, account.path, "999"); assert done.returncode == 4 and "999" in done.stderr
        assert product.run("held", verb, account.path).returncode == 2
    assert product.run("held", "cancel", account.path, "--all").returncode == 2, "destructive: wants --yes"
    assert product.command("held", "release", account.path, "--all") == {"released": 2}
    for id in (third, fourth): account.wait_status(id, "Sent")
    assert product.command("held", "release", account.path, "--yes") == {"released": 0}
    fifth = held_message(account, "r5@held.test")
    assert product.command("held", "cancel", account.path, "--all", "--yes") == {"cancelled": 1}
    account.wait_status(fifth, "HoldCancelled"); assert len(sink.mails) == 3


def test_messages_are_found_by_number_token_and_filter(account, new_sink):
    product, sink = account.product, new_sink("list.test")
    ids = [account.send_raw(DATA.replace(b"Subject: s", b"Subject: number %d" % n), [f"r{n}@list.test"], sender=f"s{n}@sender.test")[f"r{n}@list.test"] for n in range(3)]
    for id in ids: account.wait_status(id, "Sent")
    lost = account.send_raw(DATA, ["100%_x@nowhere.test"])["100%_x@nowhere.test"]
    found = lambda *words: [row["id"] for row in product.command("messages", "list", account.path, *words)]
    assert found() == [lost, *reversed(ids)]
    assert found("--status", "sent") == ids[::-1] and found("--to", "R1@LIST") == [ids[1]] and found("--from", "s2@") == [ids[2]] and found("--limit", "1") == [lost]
    assert found("--to", "%_x@") == [lost] and found("--to", "0__x") == [] and found("--status", "Sent", "--to", "nowhere.test") == []
    head, *rows = product.run("messages", "list", account.path).stdout.splitlines()
    assert head.split() == ["ID", "TOKEN", "TIME", "STATUS", "TO", "FROM", "SUBJECT"] and rows[-1].endswith("number 0")
    token = product.command("messages", "show", account.path, str(ids[0]))["token"]
    assert product.command("messages", "show", account.path, token)["id"] == ids[0]
    assert product.command("messages", "retry", account.path, token)["notice"] == "This message will be redelivered shortly."
    wait_for(lambda: len(sink.mails) == 4, "it is delivered again")
    done = product.run("messages", "show", account.path, "nosuchtoken")
    assert done.returncode == 4 and "nosuchtoken" in done.stderr and "messages list" in done.stderr


def test_log_lines_of_the_api_say_who_and_what(account):
    ids = account.send_raw(DATA, ["a@log.test", "b@log.test"])
    account.api("send/message", {"to": ["a@log.test"], "from": "a@elsewhere.test", "plain_body": "x"}); account.api("messages/message", {"id": 999})
    requests.post(f"{account.product.web}/api/v1/send/message", json={}, headers={"X-Server-API-Key": "guessedguessedguessed"}, timeout=10)
    lines = wait_for(lambda: len(found := [l for l in account.product.log().splitlines() if "event=request" in l]) == 4 and found, "four lines")
    sent, refused, missing, stranger = lines
    for id in ids.values(): assert f"{id}:{account.product.command('messages', 'show', account.path, str(id))['token']}" in sent, sent
    for line in (sent, refused, missing): assert "server=one/mail" in line and "credential_name=api" in line and re.search(r"credential=\d+", line), line
    assert "code=success" in sent and "code=UnauthenticatedFromAddress" in refused and "code=MessageNotFound" in missing
    assert "code=InvalidServerAPIKey" in stranger and "guessed" not in stranger and "server=" not in stranger


def test_a_foreign_host_name_is_answered_with_what_to_do(product):
    answer = requests.get(product.web + "/", headers={"Host": "other.test"}, timeout=10)
    assert answer.status_code == 403
    for part in ("other.test", "web_server.allowed_hosts", "posthaste.test", "X-Server-API-Key"): assert part in answer.text, answer.text
