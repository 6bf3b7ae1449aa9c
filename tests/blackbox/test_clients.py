"""Mail handed over by the clients that people use arrives at a real Postfix as it was, and its signature verifies."""
import email, email.policy, pathlib, smtplib, ssl, subprocess
import dkim, pytest
from world.postfix import as_sent

BODY = "Hello,\r\n.a line with a dot\r\n..and two\r\n\r\ncafé €\r\n" + "long " * 180 + "\r\nend\r\n"
ADDED = ("resent-sender", "dkim-signature", "x-postal-msgid", "received")


def body_of(mail): return mail.partition(b"\r\n\r\n")[2]


def headers_of(mail):
    out = []
    for line in mail.partition(b"\r\n\r\n")[0].split(b"\r\n"):
        if line[:1] in (b" ", b"\t"): out[-1][1] += b"\r\n" + line
        else: out.append([line.partition(b":")[0].decode().lower(), line.partition(b":")[2].strip()])
    return out


def message(subject, body=BODY, domain="sender.test"):
    return (f"From: Ada <ada@{domain}>\r\nTo: bob@remote.test\r\nSubject: {subject}\r\nDate: Thu, 01 Jan 2026 10:00:00 +0000\r\n"
            f"Message-ID: <{subject.replace(' ', '.')}@{domain}>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"Content-Transfer-Encoding: 8bit\r\n\r\n{body}").encode()


def smtp(account, tls=True):
    client = smtplib.SMTP(*account.product.smtp, timeout=30)
    client.ehlo("client.test")
    if tls: client.starttls(context=ssl._create_unverified_context()); client.ehlo("client.test")
    client.login(account.path, account.key)
    return client


def verify(mail, dns):
    """Both independent verifiers accept the signature: python3-dkim and OpenDKIM."""
    assert dkim.verify(mail, dnsfunc=lambda name, timeout=5: next((b"".join(part.encode() for part in v.split('"')[1::2]) for (n, t), values in dns.records.items()
                                                                      if t == "TXT" and n == name.decode().rstrip(".") for v in values), None))
    done = subprocess.run(["opendkim-testmsg"], input=mail, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


@pytest.fixture
def arrived(account, postfix, dns):
    def check(subject, sent=None):
        mail = postfix.wait(subject); given = as_sent(mail)
        verify(given, dns)
        if sent is not None:
            assert body_of(given) == body_of(sent), "the body arrives byte for byte"
            assert [h for h in headers_of(given) if h[0] not in ADDED] == headers_of(sent), "no header of the client's is changed"
        return given
    return check


@pytest.mark.parametrize("tls", [False, True], ids=["clear", "STARTTLS"])
def test_smtplib(account, arrived, tls):
    data = message(f"from smtplib {tls}")
    with smtp(account, tls) as client: client.sendmail("ada@sender.test", ["bob@remote.test"], data, mail_options=["BODY=8BITMIME"])
    given = arrived(f"from smtplib {tls}", data)
    received = dict(headers_of(given))["received"].decode()
    assert f"with ESMTP{'S' if tls else ''}A" in received


def test_cram_md5(account, arrived):
    data = message("from cram")
    client = smtplib.SMTP(*account.product.smtp, timeout=30); client.ehlo("client.test")
    client.user, client.password = account.path, account.key
    client.auth("CRAM-MD5", client.auth_cram_md5)
    client.sendmail("ada@sender.test", ["bob@remote.test"], data); client.quit()
    arrived("from cram", data)


def test_wrong_password_is_refused(account):
    client = smtplib.SMTP(*account.product.smtp, timeout=30); client.ehlo("client.test")
    with pytest.raises(smtplib.SMTPAuthenticationError) as error: client.login("one/mail", "wrong")
    assert error.value.smtp_code == 535
    assert "Authentication failure for 127.0.0.1" in account.product.log()


def test_foreign_sender_is_refused(account):
    with smtp(account) as client, pytest.raises(smtplib.SMTPDataError) as error:
        client.sendmail("ada@sender.test", ["bob@remote.test"], message("spoof", domain="elsewhere.test"))
    assert error.value.smtp_code == 530 and b"From/Sender name is not valid" in error.value.smtp_error


def test_swaks(account, arrived):
    host, port = account.product.smtp
    done = subprocess.run(["swaks", "--server", f"{host}:{port}", "--auth", "PLAIN", "--auth-user", account.path, "--auth-password", account.key, "--tls",
                           "--from", "ada@sender.test", "--to", "bob@remote.test", "--header", "Subject: from swaks", "--body", "Hi from swaks"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert body_of(arrived("from swaks")).startswith(b"Hi from swaks\r\n")


def test_nodemailer(account, arrived):
    """Debian has no package of it: npm installs it into tests/node_modules."""
    here = pathlib.Path(__file__).resolve().parents[1]
    script = f"""
const mailer = require("nodemailer").createTransport({{host: "127.0.0.1", port: 2525, auth: {{user: "{account.path}", pass: "{account.key}"}}, tls: {{rejectUnauthorized: false}}}});
mailer.sendMail({{from: "ada@sender.test", to: "bob@remote.test", subject: "from nodemailer", text: "Grüße", html: "<p>Grüße</p>", attachments: [{{filename: "a.bin", content: Buffer.alloc(5000, 7)}}]}})
  .then(info => {{ console.log(info.response); mailer.close(); }}).catch(error => {{ console.error(error); process.exit(1); }});
"""
    done = subprocess.run(["node", "-e", script], cwd=here, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    parsed = email.message_from_bytes(arrived("from nodemailer"), policy=email.policy.default)
    assert parsed.get_body(("plain",)).get_content().strip() == "Grüße"
    assert next(parsed.iter_attachments()).get_content() == b"\x07" * 5000


def test_api_message(account, arrived):
    answer = account.api("send/message", {"to": ["bob@remote.test"], "from": "Ada <ada@sender.test>", "subject": "from the API ü", "plain_body": "Plain ü", "html_body": "<p>HTML ü</p>",
                                          "attachments": [{"name": "übung.txt", "content_type": "text/plain", "data": "SGVsbG8="}]})
    assert answer["status"] == "success", answer
    mail = arrived(answer["data"]["message_id"])
    parsed = email.message_from_bytes(mail, policy=email.policy.default)
    assert str(parsed["Subject"]) == "from the API ü"
    assert parsed.get_body(("plain",)).get_content().strip() == "Plain ü" and parsed.get_body(("html",)).get_content().strip() == "<p>HTML ü</p>"
    attachment = next(parsed.iter_attachments())
    assert attachment.get_filename() == "übung.txt" and attachment.get_payload(decode=True) == b"Hello"


def test_api_raw(account, arrived):
    data = message("from raw")
    account.send_raw(data, ["bob@remote.test"])
    arrived("from raw", data)


def test_authentication_by_address(product, dns, postfix):
    """An SMTP-IP credential needs no AUTH."""
    from world.product import Account
    account = Account(product, name="two", credentials=[{"type": "SMTP-IP", "name": "local", "key": "127.0.0.0/8"}])
    with smtplib.SMTP(*product.smtp, timeout=30) as client: client.sendmail("ada@sender.test", ["bob@remote.test"], message("by address"))
    postfix.wait("by address")


def test_arrives_over_tls(account, postfix, arrived):
    """Postfix offers STARTTLS with a certificate that nobody vouches for: it is used all the same."""
    account.send_raw(message("over tls"), ["bob@remote.test"])
    assert b"using TLSv1" in postfix.wait("over tls")


@pytest.mark.parametrize("size", [14 * 1024 * 1024 - 2000])
def test_fourteen_megabytes_pass(account, arrived, size):
    head = message("fourteen", "")
    data = head + (b"x" * 76 + b"\r\n") * ((size - len(head)) // 78)
    with smtp(account, tls=False) as client: client.sendmail("ada@sender.test", ["bob@remote.test"], data)
    arrived("fourteen", data)


def test_above_the_limit_is_refused(account):
    limit = 14 * 1024 * 1024
    with smtp(account) as client:
        code, text = client.docmd("MAIL", f"FROM:<ada@sender.test> SIZE={limit + 1}")
        assert (code, text) == (552, b"5.3.4 Message too large (maximum size 14MB)")
        client.docmd("MAIL", "FROM:<ada@sender.test>"); client.docmd("RCPT", "TO:<bob@remote.test>")
        code, text = client.data(message("too large", "x" * 70 + "\r\n") + (b"y" * 70 + b"\r\n") * (limit // 72 + 1))
        assert (code, text) == (552, b"5.3.4 Message too large (maximum size 14MB)")
        client.rset()
        assert client.docmd("MAIL", "FROM:<ada@sender.test>")[0] == 250, "the session goes on"
