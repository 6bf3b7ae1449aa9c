"""Broken surroundings and hostile peers: a clear word, and nothing acknowledged is lost."""
import os, signal, smtplib, socket, subprocess, threading, time
import pytest
from world import folder, wait_for
from world.product import Account, Product

DATA = b"From: ada@sender.test\r\nTo: bob@x.test\r\nSubject: s\r\n\r\nHi\r\n"


def test_broken_yaml(new_product):
    product = new_product(start=False); product.config.write_text("postal: {web_hostname: [\n")
    done = product.run("run")
    assert done.returncode == 3 and "postal.yml" in done.stderr and "line" in done.stderr


def test_wrong_values_are_all_named(new_product):
    product = new_product(start=False); product.settings["smtp_server"]["default_port"] = 99999; product.settings["dns"]["timeout"] = "soon"; product.write()
    done = product.run("run")
    assert done.returncode == 3 and "smtp_server.default_port" in done.stderr and "dns.timeout" in done.stderr


def test_unknown_key_is_named_with_its_neighbour(new_product):
    product = new_product(start=False); product.settings["dns"]["helo_domain"] = "x"; product.write()
    done = product.run("config", "check")
    assert done.returncode == 0 and "helo_domain" in done.stdout and "helo_hostname" in done.stdout


@pytest.mark.parametrize("content", ["", "not a key", None], ids=["empty", "rubbish", "a folder"])
def test_unreadable_signing_key(new_product, content):
    product = new_product(start=False); key = product.folder / "signing.key"; key.unlink()
    if content is None: key.mkdir()
    else: key.write_text(content)
    done = product.run("run")
    assert done.returncode == 3 and "signing.key" in done.stderr, done.stderr


def test_unreadable_certificate_leaves_the_rest_running(new_product):
    product = new_product(start=False); (product.folder / "smtp.cert").write_text("rubbish"); product.start()
    with smtplib.SMTP(*product.smtp) as client:
        assert not client.has_extn("starttls") and client.ehlo()[0] == 250
        assert client.docmd("STARTTLS")[0] == 454
    assert "smtp.cert" in product.log()


@pytest.mark.only("sqlite")
def test_second_process_is_refused(product):
    done = product.run("smtp-server")
    assert done.returncode == 6 and "in use by another Posthaste process" in done.stderr, done.stderr


@pytest.mark.parametrize("port", [2525, 5000])
def test_port_in_use(new_product, product, port):
    """A second installation of the same user must not share the first one's port unseen."""
    other = Product(None); other.settings["smtp_server"]["default_port"], other.settings["web_server"]["default_port"] = 2626, 5050
    other.settings["smtp_server" if port == 2525 else "web_server"]["default_port"] = port; other.write()
    done = other.run("run")
    assert done.returncode == 6 and f"Port {port} on 127.0.0.1 is in use" in done.stderr, done.stderr


@pytest.mark.only("sqlite")
def test_embedded_default_makes_itself_ready(dns):
    product = Product()
    product.start(); assert product.stop() == 0


@pytest.mark.only("mariadb")
def test_not_initialised(empty_database, dns):
    """On MariaDB the step is the operator's."""
    product = Product(empty_database)
    done = product.run("run")
    assert done.returncode in (3, 6) and "posthaste initialize" in done.stderr, done.stderr


@pytest.mark.only("mariadb")
@pytest.mark.parametrize("initialized", [False, True])
def test_start_may_wait_for_the_migration(empty_database, dns, initialized):
    """data-model.md, case 5: a look every second."""
    product = Product(empty_database, {"migration_waiter": {"enabled": True, "attempts": 60 if initialized else 3, "sleep_time": 1}})
    started = time.time(); product.start(wait=False); time.sleep(1)
    if initialized:
        assert product.run("initialize").returncode == 0
        wait_for(product.answers, "it starts", 60); assert product.stop() == 0
    else:
        assert product.process.wait(15) != 0 and time.time() - started > 2.5
        assert "posthaste initialize" in product.log()


@pytest.mark.only("mariadb")
def test_database_that_is_down_at_start(empty_database, dns):
    product = Product(empty_database); product.settings["main_db"]["port"] = product.settings["message_db"]["port"] = 3999; product.write()
    done = product.run("run")
    assert done.returncode == 6 and "3999" in done.stderr, done.stderr


@pytest.mark.only("mariadb")
def test_database_that_goes_away_in_the_middle(account, mariadb, new_sink):
    """451 while it is away; what was acknowledged before is delivered when it is back, and the process lived on."""
    sink = new_sink("away.test"); sink.script["CONNECT"] = lambda a: time.sleep(3) or "220 sink"
    before = account.send_raw(DATA, ["before@away.test"])["before@away.test"]
    mariadb.stop(signal.SIGKILL)
    with smtplib.SMTP(*account.product.smtp, timeout=90) as client:
        client.login(account.path, account.key)
        with pytest.raises(smtplib.SMTPDataError) as error: client.sendmail("ada@sender.test", ["during@away.test"], DATA)
        assert error.value.smtp_code == 451 and b"Temporary server error" in error.value.smtp_error
        assert account.api("send/raw", {"mail_from": "a@sender.test", "rcpt_to": ["x@away.test"], "data": "RnJvbTogYUBzZW5kZXIudGVzdA0KDQpI"})["status"] == "error"
        mariadb.start()
        def again():
            try: client.sendmail("ada@sender.test", ["after@away.test"], DATA); return True
            except smtplib.SMTPDataError: return False
        wait_for(again, "mail is accepted again", 60, 1)
    wait_for(lambda: {m.recipients[0].split("<")[1].split(">")[0] for m in sink.mails} >= {"before@away.test", "after@away.test"}, "both arrive", 90)
    assert account.wait_status(before, "Sent", timeout=60)
    assert "during@away.test" not in " ".join(r for m in sink.mails for r in m.recipients)


@pytest.mark.only("sqlite")
def test_full_disk(dns):
    """A small tmpfs: 452 when it is full; what was acknowledged is there; it goes on when there is room."""
    mount = folder("small"); subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", mount], check=True)
    product = Product(None, {"postal": {"smtp_relays": ["smtp://127.0.0.77:25"]}}, data=mount / "data"); ballast = mount / "ballast"
    try:
        product.run("initialize"); product.start(); account = Account(product)
        accepted = refused = 0
        with smtplib.SMTP(*product.smtp, timeout=60) as client:
            client.login(account.path, account.key)
            for n in range(60):
                try: client.sendmail("ada@sender.test", [f"r{n}@full.test"], DATA + b"x" * 998 + b"\r\n" + (b"y" * 76 + b"\r\n") * 13000); accepted += 1
                except smtplib.SMTPResponseException as error:
                    assert error.smtp_code in (451, 452), error; refused += 1
                    if refused == 3: break
            assert accepted > 2 and refused == 3, (accepted, refused)
        assert product.process.poll() is None
        assert sum(1 for n in range(1, accepted + 1) if account.message(n)) == accepted, "every acknowledged message is there"
        subprocess.run(["mount", "-o", "remount,size=200m", mount], check=True)
        def again():
            try:
                with smtplib.SMTP(*product.smtp, timeout=60) as client: client.login(account.path, account.key); client.sendmail("ada@sender.test", ["again@full.test"], DATA); return True
            except smtplib.SMTPResponseException: return False
        wait_for(again, "mail is accepted again", 30, 1)
    finally:
        product.stop(); subprocess.run(["umount", mount])


@pytest.mark.only("sqlite")
def test_full_disk_while_delivering(dns, new_sink):
    """What the remote host took while nothing could be written down is recorded when there is room, and sent once only."""
    mount = folder("narrow"); subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", mount], check=True)
    product = Product(None, data=mount / "data"); ballast = mount / "ballast"; sink = new_sink("narrow.test"); gate = threading.Event()
    sink.script["DOT"] = lambda argument: gate.wait(60) and "250 ok"
    try:
        product.run("initialize"); product.start(); account = Account(product); account.publish(dns)
        ids = account.send_raw(DATA, [f"r{n}@narrow.test" for n in range(5)])
        wait_for(lambda: sink.connections, "the remote host is spoken to")
        with open(ballast, "wb", buffering=0) as file, pytest.raises(OSError):
            while True: file.write(b"x" * 4096)
        gate.set(); wait_for(lambda: len(sink.mails) >= 1, "the remote host takes mail"); time.sleep(3)
        assert product.process.poll() is None and product.answers()
        assert "messages cannot be written" in product.log() and "disk is full" in product.log()
        ballast.unlink()
        for id in ids.values(): account.wait_status(id, "Sent", timeout=60)
        time.sleep(1)
        assert sorted(mail.recipients[0] for mail in sink.mails) == sorted({mail.recipients[0] for mail in sink.mails}) and len(sink.mails) == 5
        assert account.product.command("queue", "list", "--all") == []
    finally:
        gate.set(); product.stop(); subprocess.run(["umount", mount])


def talk(product, data, wait=2):
    with socket.create_connection(product.smtp, timeout=wait) as s:
        out = b""
        try:
            s.sendall(data)
            while block := s.recv(4096): out += block
        except OSError: pass
        return out


@pytest.mark.parametrize("rubbish", [os.urandom(20000), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"A" * 1000000, b"\r\n" * 5000,
                                     b"EHLO x\r\nMAIL FROM:<" + b"a" * 5000 + b"@x.test>\r\n", b"EHLO x\r\nAUTH PLAIN " + b"A" * 100000 + b"\r\n"],
                         ids=["random", "TLS hello", "HTTP", "endless line", "empty lines", "long address", "long AUTH"])
def test_garbage(product, rubbish):
    talk(product, rubbish)
    with smtplib.SMTP(*product.smtp, timeout=10) as client: assert client.ehlo()[0] == 250


def test_client_that_stops_in_the_middle(account):
    """A connection that ends inside DATA leaves nothing behind."""
    client = smtplib.SMTP(*account.product.smtp, timeout=10); client.login(account.path, account.key)
    client.docmd("MAIL", "FROM:<ada@sender.test>"); client.docmd("RCPT", "TO:<x@x.test>"); client.docmd("DATA")
    client.send(DATA); client.sock.shutdown(socket.SHUT_RDWR); client.close(); time.sleep(0.5)
    assert account.message(1) is None and account.product.command("queue", "list", "--all") == []


def test_starttls_injection(product):
    """Commands behind STARTTLS in the same packet are never carried out."""
    out = talk(product, b"EHLO x\r\nSTARTTLS\r\nMAIL FROM:<x@y.test>\r\n")
    assert b"250 2.1.0" not in out and b"250-posthaste.test" in out


def test_smuggling(account, new_sink):
    """Near misses of the end of data stay inside the message."""
    sink = new_sink("smuggle.test")
    client = smtplib.SMTP(*account.product.smtp, timeout=10); client.login(account.path, account.key)
    client.docmd("MAIL", "FROM:<ada@sender.test>"); client.docmd("RCPT", "TO:<x@smuggle.test>"); client.docmd("DATA")
    client.send(DATA + b"a\n.\nb\n.\r\nc\r\n.\nMAIL FROM:<evil@x.test>\r\n\r\n.\r\n")
    assert client.getreply()[0] == 250
    client.quit(); wait_for(lambda: sink.mails, "the message arrives")
    assert len(sink.mails) == 1 and b"MAIL FROM:<evil@x.test>" in sink.mails[0].data


@pytest.mark.parametrize("request_bytes", [b"\x00\xff\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"POST /api/v1/send/raw HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
                                           b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n"], ids=["binary", "length", "huge", "long target"])
def test_garbage_over_http(product, request_bytes):
    with socket.create_connection(("127.0.0.1", 5000), timeout=3) as s:
        s.sendall(request_bytes)
        try: answer = s.recv(4096)
        except OSError: answer = b""
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer
    import requests
    assert requests.get(product.web + "/health", timeout=5).status_code == 200
