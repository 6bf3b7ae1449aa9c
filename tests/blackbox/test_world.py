"""The surroundings themselves: what the other tests rely on is there."""
import smtplib, socket
from world.postfix import as_sent


def test_postfix_keeps_mail_as_it_was_sent(postfix):
    data = b"From: a@sender.test\r\nSubject: world check\r\nDate: Thu, 01 Jan 2026 10:00:00 +0000\r\nMessage-ID: <1@sender.test>\r\n\r\nline\r\n.dot\r\n"
    with smtplib.SMTP(postfix.ip, 25) as smtp: smtp.sendmail("a@sender.test", ["b@remote.test"], data)
    assert as_sent(postfix.wait("world check")) == data


def test_knot_answers_and_changes(dns):
    dns.set("changing.test", "A", "127.0.9.9")
    assert socket.gethostbyname("changing.test") == "127.0.9.9"
    dns.set("changing.test", "A", "127.0.9.10")
    assert socket.gethostbyname("changing.test") == "127.0.9.10"
