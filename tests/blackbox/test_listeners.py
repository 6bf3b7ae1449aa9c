"""The doors: ports, certificates and their renewal, limits on who may come in how often, and what a slow world may hold up."""
import base64, contextlib, signal, smtplib, socket, ssl, subprocess, threading, time
import pytest, requests
from world import wait_for

DATA = b"From: ada@sender.test\r\nTo: bob@x.test\r\nSubject: s\r\n\r\nHi\r\n"
STRANGER = {"limits_exempt_networks": ["::1/128"]}  # the tests' own address is otherwise free of limits


def make_pair(folder, stem, *names):
    """A certificate for these names at `stem`.cert and its key at `stem`.key, put there as a renewal does it."""
    new = [folder / f"{stem}.{kind}.new" for kind in ("key", "cert")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", new[0], "-out", new[1], "-days", "2", "-subj", f"/CN={names[0]}",
                    "-addext", "subjectAltName=" + ",".join("DNS:" + n for n in names)], check=True, capture_output=True)
    for path in new: path.rename(path.with_suffix(""))


def context(): return ssl._create_unverified_context()


def presented(product, name=None):
    """The common name of the certificate that a client gets who asks for `name`."""
    with smtplib.SMTP(*product.smtp, timeout=10) as client:
        client.ehlo(); client.docmd("STARTTLS")
        with context().wrap_socket(client.sock, server_hostname=name) as tls: der = tls.getpeercert(True)
        client.sock = None
    text = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-subject"], input=der, capture_output=True, check=True).stdout.decode()
    return text.strip().split("CN = ")[1]


# --- certificates

def test_renewed_certificate_is_found(new_product):
    """smtp-server 48: new handshakes get it, an open session goes on; a broken file leaves the old one in force."""
    product = new_product({"smtp_server": {"tls_reload_interval": 1}})
    with smtplib.SMTP(*product.smtp, timeout=30) as old:
        old.starttls(context=context()); old.ehlo()
        assert presented(product) == "posthaste.test"
        make_pair(product.folder, "smtp", "renewed.test")
        wait_for(lambda: presented(product) == "renewed.test", "the new certificate", 10, 0.3)
        assert old.noop()[0] == 250
    (product.folder / "smtp.cert").write_text("rubbish")
    wait_for(lambda: "TLS material cannot be used" in product.log(), "the log says so", 10, 0.2)
    assert presented(product) == "renewed.test"


def test_hangup_reads_certificates(new_product):
    """admin-and-config 18: SIGHUP is enough, open sessions go on; a broken file changes nothing and is named."""
    product = new_product({"smtp_server": {"tls_reload_interval": 3600}})
    with smtplib.SMTP(*product.smtp, timeout=30) as old:
        old.starttls(context=context()); old.ehlo()
        make_pair(product.folder, "smtp", "renewed.test"); time.sleep(1.2)
        assert presented(product) == "posthaste.test"
        product.process.send_signal(signal.SIGHUP)
        wait_for(lambda: presented(product) == "renewed.test", "the new certificate", 10, 0.2)
        (product.folder / "smtp.cert").write_text("rubbish"); product.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "TLS material cannot be used" in product.log(), "an error in the log", 10, 0.1)
        assert product.log().count("TLS material cannot be used") == 1
        assert presented(product) == "renewed.test" and old.noop()[0] == 250


def test_hangup_with_a_broken_configuration_changes_nothing(new_product):
    """admin-and-config 1.11."""
    product = new_product(); product.config.write_text("version: 2\nsmtp_server: {default_port: 99999}\n"); product.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "nothing was changed" in product.log(), "an error in the log", 10, 0.1)
    assert smtplib.SMTP(*product.smtp, timeout=10).noop()[0] == 250


def test_certificate_by_server_name(new_product):
    """smtp-server 49: exact name, then wildcard, else the default."""
    product = new_product(start=False)
    make_pair(product.folder, "other", "mail.other.test"); make_pair(product.folder, "wild", "wild.test", "*.wild.test", "mail.other.test")
    product.settings["smtp_server"]["tls_certificates"] = ["$config-file-root/other.cert|$config-file-root/other.key", f"{product.folder}/wild.cert|{product.folder}/wild.key"]
    product.write(); product.start()
    names = {name: presented(product, name) for name in (None, "mail.other.test", "MAIL.Other.TEST", "a.wild.test", "a.b.wild.test", "unknown.test")}
    assert names == {None: "posthaste.test", "mail.other.test": "mail.other.test", "MAIL.Other.TEST": "mail.other.test", "a.wild.test": "wild.test",
                     "a.b.wild.test": "posthaste.test", "unknown.test": "posthaste.test"}


def test_further_certificate_that_is_broken(new_product):
    """It is left out and named; the port's own certificate serves all."""
    product = new_product({"smtp_server": {"tls_certificates": ["/nowhere/a.cert|/nowhere/a.key"]}})
    assert presented(product, "a.test") == "posthaste.test" and "/nowhere/a.cert" in product.log()


# --- listeners

def test_several_listeners(new_product):
    """smtp-server 50, admin-and-config 19: each port its own rules, one process."""
    product = new_product({"smtp_server": {"listeners": ["smtp://127.0.0.1:2525", "submission://127.0.0.1:5870", "submissions://127.0.0.1:4650"]}})
    with smtplib.SMTP("127.0.0.1", 2525, timeout=10) as client: assert client.ehlo()[0] == 250 and client.mail("a@b.test")[0] == 250
    with smtplib.SMTP("127.0.0.1", 5870, timeout=10) as client:
        client.ehlo()
        assert client.has_extn("starttls") and client.mail("a@b.test") == (530, b"5.7.0 Authentication required")
    with smtplib.SMTP_SSL("127.0.0.1", 4650, timeout=10, context=context()) as client:
        client.ehlo()
        assert not client.has_extn("starttls") and client.has_extn("auth")
        assert client.mail("a@b.test")[0] == 530 and client.docmd("STARTTLS") == (503, b"5.5.1 TLS already active")


@pytest.mark.parametrize("port", [2525, 5870, 4650])
def test_every_listener_takes_mail(new_product, dns, port):
    from world.product import Account
    product = new_product({"smtp_server": {"listeners": ["smtp://127.0.0.1:2525", "submission://127.0.0.1:5870", "submissions://127.0.0.1:4650"]},
                           "postal": {"smtp_relays": ["smtp://127.0.0.77:25"]}})
    account = Account(product)
    with (smtplib.SMTP_SSL("127.0.0.1", port, timeout=10, context=context()) if port == 4650 else smtplib.SMTP("127.0.0.1", port, timeout=10)) as client:
        if port == 5870: client.starttls(context=context())
        client.login(account.path, account.key); client.sendmail("ada@sender.test", ["bob@x.test"], DATA)
    assert account.message(1)["details"]["received_with_ssl"] is (True if port != 2525 else None)


def test_variables_say_where(new_product):
    """smtp-server 81, admin-and-config 1.7: of a role alone they move its port; when all run, the web server's."""
    product = new_product(start=False); product.settings["smtp_server"]["default_port"] = 25; product.write()
    log = open(product.log_file, "ab")
    from world.product import BINARY
    import os
    product.process = subprocess.Popen([BINARY, "--config", product.config, "smtp-server"], stdout=log, stderr=log,
                                       env={**os.environ, "PORT": "2626", "BIND_ADDRESS": "127.0.0.3", "HEALTH_SERVER_PORT": "9999", "HEALTH_SERVER_BIND_ADDRESS": "127.0.0.4"})
    def answers():
        try: return requests.get("http://127.0.0.4:9999/health", timeout=2).text == "OK"
        except requests.RequestException: return False
    wait_for(answers, "the health server where the variables say")
    assert smtplib.SMTP("127.0.0.3", 2626, timeout=10).noop()[0] == 250
    product.stop(); product.settings["smtp_server"]["default_port"] = 2525; product.write(); product.web = "http://127.0.0.3:5050"
    product.start(env={"PORT": "5050", "BIND_ADDRESS": "127.0.0.3"})
    assert smtplib.SMTP("127.0.0.1", 2525, timeout=10).noop()[0] == 250


@pytest.mark.parametrize("port, name", [(9090, "worker"), (9091, "smtp-server")])
def test_health_port_in_use(new_product, port, name):
    """smtp-server 76, admin-and-config 31."""
    with socket.create_server(("127.0.0.1", port)):
        product = new_product()
        assert f"health server port (127.0.0.1:{port}) is already in use, not starting health server" in product.log()
        assert smtplib.SMTP(*product.smtp, timeout=10).noop()[0] == 250


# --- limits

def test_guessing_passwords_is_stopped(new_product, dns):
    """smtp-server 43: the third failure ends a session; after 20 the address may not log in, but still deliver here."""
    from world.product import Account
    product = new_product({"smtp_server": {**STRANGER, "max_auth_failures": 1}}); account = Account(product)
    wrong = base64.b64encode(b"\0any\0wrong").decode()
    for _ in range(20):
        client = smtplib.SMTP(*product.smtp, timeout=10); client.ehlo()
        assert client.docmd("AUTH", "PLAIN " + wrong)[0] == 535 and client.getreply()[0] == 421
        client.close()
    with smtplib.SMTP(*product.smtp, timeout=10) as client:
        client.ehlo()
        assert client.docmd("AUTH", "PLAIN " + base64.b64encode(b"\0any\0" + account.key.encode()).decode())[0] == 454
        product.apply({"organizations": [{"permalink": "one", "name": "one", "servers": [{"permalink": "mail", "name": "Mail",
                       "routes": [{"name": "info", "domain": "sender.test", "mode": "Accept"}]}]}]})
        client.mail("a@b.test"); assert client.rcpt("info@sender.test")[0] == 250
    log = product.log()
    assert log.count("Authentication failure for 127.0.0.1") == 20 and "Authentication blocked for 127.0.0.1" in log
    assert wrong not in log and account.key not in log
    assert 'postal_smtp_server_client_errors{error="invalid-credentials"} 20.0' in requests.get("http://127.0.0.1:9091/metrics", timeout=5).text


def test_three_wrong_passwords_end_the_session(new_product):
    """smtp-server 43."""
    product = new_product({"smtp_server": STRANGER}); wrong = "PLAIN " + base64.b64encode(b"\0any\0wrong").decode()
    client = smtplib.SMTP(*product.smtp, timeout=20); client.ehlo()
    assert [client.docmd("AUTH", wrong)[0] for _ in range(3)] == [535, 535, 535]
    assert client.getreply() == (421, b"4.7.0 posthaste.test Too many authentication failures")


def test_a_thousand_recipients_and_one(account):
    """smtp-server 72: the first thousand are served."""
    with smtplib.SMTP(*account.product.smtp, timeout=60) as client:
        client.login(account.path, account.key); client.mail("ada@sender.test")
        client.send("".join(f"RCPT TO:<r{n}@many.test>\r\n" for n in range(1001)))
        replies = [client.getreply() for _ in range(1001)]
        assert {code for code, _ in replies[:1000]} == {250} and replies[1000] == (452, b"4.5.3 Too many recipients")
        assert client.data(DATA)[0] == 250
    assert account.message(1000)["details"]["rcpt_to"] == "r999@many.test" and account.message(1001) is None


def test_connections_of_an_address_and_of_a_credential(new_product, dns):
    """smtp-server 18: by address before the login, by credential behind it."""
    from world.product import Account
    product = new_product({"smtp_server": {**STRANGER, "max_connections_per_ip": 2, "max_connections_per_credential": 2, "connection_rate_per_ip": 0}}); account = Account(product)
    with contextlib.ExitStack() as stack:
        connect = lambda: stack.enter_context(contextlib.closing(smtplib.SMTP(timeout=10)))
        in_use = [connect(), connect()]
        for client in in_use: assert client.connect(*product.smtp)[0] == 220; client.ehlo()
        assert connect().connect(*product.smtp) == (421, b"posthaste.test Too many connections from your address")
        for client in in_use: client.login(account.path, account.key)
        third = connect(); assert third.connect(*product.smtp)[0] == 220
        third.ehlo(); refused = third.docmd("AUTH", "PLAIN " + base64.b64encode(b"\0any\0" + account.key.encode()).decode())
        assert refused == (454, b"4.7.0 Too many connections for this credential")
        in_use[0].quit()
        def again():
            client = connect(); client.connect(*product.smtp); client.ehlo()
            try: return client.login(account.path, account.key)[0] == 235
            except smtplib.SMTPException: return False
        wait_for(again, "the place is free again", 10, 0.2)


def test_connections_in_a_minute(new_product):
    """smtp-server 18: a burst of half of them, then their rate."""
    product = new_product({"smtp_server": {**STRANGER, "connection_rate_per_ip": 6}})
    codes = [smtplib.SMTP(timeout=10).connect(*product.smtp)[0] for _ in range(5)]
    assert codes[:3] == [220, 220, 220] and codes[4] == 421, codes


# --- a slow world

def test_name_server_that_never_answers(new_product, tmp_path):
    """smtp-server 74: DATA waits no longer for the client's name than allowed, others not at all."""
    resolv = tmp_path / "resolv.conf"; resolv.write_text("nameserver 127.0.7.7\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.7.7", 53))
        from world.product import Account
        product = new_product({"dns": {"resolv_conf_path": str(resolv)}, "smtp_server": {"reverse_dns_timeout": 2}, "postal": {"smtp_relays": ["smtp://127.0.0.77:25"]}})
        account = Account(product)
        with smtplib.SMTP(*product.smtp, timeout=30) as client, smtplib.SMTP(*product.smtp, timeout=30) as other:
            client.login(account.path, account.key); other.ehlo()
            client.mail("ada@sender.test"); client.rcpt("bob@x.test"); began = time.time(); client.putcmd("DATA")
            asked = time.time(); assert other.noop()[0] == 250 and time.time() - asked < 0.5
            assert client.getreply()[0] == 354 and time.time() - began < 3.5
            client.send(DATA + b".\r\n"); assert client.getreply()[0] == 250


def test_client_that_stalls_in_a_tls_record(product):
    """smtp-server 73: it holds up nobody."""
    with smtplib.SMTP(*product.smtp, timeout=10) as stalling, smtplib.SMTP(*product.smtp, timeout=10) as other:
        other.ehlo(); stalling.ehlo(); stalling.docmd("STARTTLS"); stalling.sock.sendall(b"\x16\x03\x01\x40\x00\x01")
        time.sleep(0.2); times = []
        for _ in range(10): began = time.time(); assert other.noop()[0] == 250; times.append(time.time() - began)
        assert sorted(times)[5] < 0.1, times
        stalling.sock.close(); stalling.sock = None


def test_silent_client_is_told_and_left(new_product):
    """smtp-server 73: single bytes do not extend a command's time."""
    product = new_product({"smtp_server": {"command_timeout": 2}})
    client = smtplib.SMTP(*product.smtp, timeout=15); client.ehlo(); began = time.time()
    def drip():
        with contextlib.suppress(OSError):
            for _ in range(10): client.sock.sendall(b"N"); time.sleep(0.4)
    thread = threading.Thread(target=drip); thread.start()
    assert client.getreply() == (421, b"4.4.2 posthaste.test Timeout waiting for client input") and time.time() - began < 4
    thread.join()


# --- logs and metrics

def test_excluded_addresses_leave_no_session_lines(new_product, dns):
    """smtp-server 75: also not after a message."""
    from world.product import Account
    product = new_product({"logging": {"level": "debug"}, "smtp_server": {"log_ip_address_exclusion_matcher": r"^127\.0\.0\.9$"}, "postal": {"smtp_relays": ["smtp://127.0.0.77:25"]}})
    account = Account(product)
    for source in ("127.0.0.8", "127.0.0.9"):
        with smtplib.SMTP(*product.smtp, timeout=10, source_address=(source, 0)) as client:
            client.login(account.path, account.key); client.sendmail(f"from-{source}@sender.test", ["bob@x.test"], DATA); client.noop()
    log = product.log()
    assert "from-127.0.0.8@sender.test" in log and "Client identified as 127.0.0.8" in log
    assert not [line for line in log.splitlines() if "component=smtp-server" in line and "127.0.0.9" in line]


def test_metrics_of_a_fresh_server(product):
    """admin-and-config 32: counters with labels appear with their first use, Postal's spelling of STARTTLS included."""
    metrics = lambda: requests.get("http://127.0.0.1:9091/metrics", timeout=5).text
    before = metrics()
    assert "postal_smtp_server_connections_total 0.0" in before and "\npostal_smtp_server_commands_total{" not in before and "# TYPE postal_smtp_server_commands_total counter" in before
    with smtplib.SMTP(*product.smtp, timeout=10) as client: client.ehlo(); client.docmd("STARTTLS"); client.close()
    after = metrics()
    for command in ("EHLO", "STARTLS"): assert f'postal_smtp_server_commands_total{{command="{command}"}} 1.0' in after, after


# --- HTTP

def exchange(product, data, wait=5):
    with socket.create_connection(("127.0.0.1", 5000), timeout=wait) as s:
        s.sendall(data); out = b""
        with contextlib.suppress(OSError):
            while block := s.recv(65536): out += block
        return out


@pytest.mark.parametrize("key, code", [(b"", b"AccessDenied"), (b"X-Server-API-Key: wrong\r\n", b"InvalidServerAPIKey")], ids=["none", "wrong"])
@pytest.mark.parametrize("expect", [b"", b"Expect: 100-continue\r\n"], ids=["body", "asks first"])
def test_bad_key_costs_no_upload(product, key, code, expect):
    """http-api 2, 3: the answer comes before a byte of the body is read, and instead of `100 Continue`."""
    answer = exchange(product, b"POST /api/v1/send/raw HTTP/1.1\r\nHost: posthaste.test\r\nContent-Type: application/json\r\nContent-Length: 50000000\r\n" + key + expect + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ") and code in answer and b"Connection: close" in answer, answer
    assert b"100 Continue" not in answer


def test_good_key_is_asked_to_go_on(account):
    """http-api 2."""
    with socket.create_connection(("127.0.0.1", 5000), timeout=5) as s:
        s.sendall(f"POST /api/v1/send/raw HTTP/1.1\r\nHost: posthaste.test\r\nContent-Length: 2\r\nExpect: 100-continue\r\nX-Server-API-Key: {account.api_key}\r\n\r\n".encode())
        assert s.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        s.sendall(b"{}"); assert b"parameter-error" in s.recv(65536)


@pytest.mark.parametrize("path, status", [("/nothing", 404), ("/api/v1/nothing", 404)])
def test_body_for_nobody_is_not_read(product, path, status):
    answer = exchange(product, f"POST {path} HTTP/1.1\r\nHost: posthaste.test\r\nContent-Length: 50000000\r\n\r\n".encode())
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer


def test_http_connections_are_limited(new_product):
    """Beyond the limit a client is told at once; there is room again when others have gone."""
    product = new_product({"web_server": {"max_connections": 3}}); opened = []
    wait_for(lambda: product.answers(), "room")
    for _ in range(3): opened.append(socket.create_connection(("127.0.0.1", 5000), timeout=5)); opened[-1].sendall(b"GET /health HTTP/1.1\r\n")
    time.sleep(0.3)
    assert exchange(product, b"").startswith(b"HTTP/1.1 503 ")
    for s in opened: s.close()
    wait_for(product.answers, "room again", 10)


def test_health_on_the_web_port_takes_any_host(product):
    """admin-and-config 37; another page of that host is refused (http-api 13)."""
    assert requests.get(product.web + "/health", headers={"Host": "10.0.0.1"}, timeout=5).text == "OK"
    assert requests.get(product.web + "/api/v1/send/message", headers={"Host": "10.0.0.1"}, timeout=5).status_code == 403
    assert requests.get(product.web + "/api/v1/send/message", headers={"Host": "10.0.0.1", "X-Server-API-Key": "x"}, timeout=5).json()["data"]["code"] == "InvalidServerAPIKey"
