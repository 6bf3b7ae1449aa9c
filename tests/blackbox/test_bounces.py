"""Mail to the return path, and bounces that are made (cases 40-48 of the reference)."""
import smtplib
import pytest
from world import wait_for

DATA = b"From: ada@sender.test\r\nTo: bob@x.test\r\nSubject: goes out\r\nDate: Thu, 01 Jan 2026 10:00:00 +0000\r\nMessage-ID: <out@sender.test>\r\n\r\nHi\r\n"
UNMATCHED = "This message was a bounce but we couldn't link it with any outgoing message and there was no route for it."


def report(recipient, action="failed", status="5.1.1", returned="Subject: goes out\r\n"):
    return ("From: MAILER-DAEMON@mx.x.test\r\nSubject: report\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
            "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.x.test\r\n\r\n"
            f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\nDiagnostic-Code: smtp; 550 {status} no\r\n"
            f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{returned}--b--\r\n").encode()


def address_in(argument):
    """Of `TO:<bob@x.test> ...`, as the sink keeps it."""
    return argument.partition("<")[2].partition(">")[0]


class Sent:
    """A message that was sent, the return path that it had, and what comes back to that."""
    def __init__(self, account, sink, to):
        self.account, self.to = account, to
        self.id = account.send_raw(DATA, [to])[to]
        account.wait_status(self.id, "Sent")
        self.mail, = [mail for mail in sink.mails if address_in(mail.recipients[0]) == to]
        self.return_path = address_in(self.mail.sender)
        self.last = self.id

    def comes_back(self, data, to=None, sender=""):
        """The message that it becomes, settled."""
        with smtplib.SMTP(*self.account.product.smtp, timeout=20) as smtp:
            smtp.sendmail(sender, [to or self.return_path], data)
        self.last += 1
        return self.account.wait_status(self.last, "Processed", "HardFail")

    def status(self): return self.account.message(self.id)["status"]["status"]


@pytest.fixture
def sent(account, new_sink): return Sent(account, new_sink("x.test"), "bob@x.test")


def test_tag_in_the_return_path_names_the_message(sent):
    """Case 44: a report without anything of the message in it; case 46: the recipient is suppressed."""
    bounce = sent.comes_back(report("bob@x.test"))
    assert sent.status() == "Bounced" and bounce["details"]["bounce"]
    assert sent.account.deliveries(sent.id)[-1]["details"] == f"We've received a bounce message for this e-mail. See <msg:{sent.last}> for details."
    again = sent.account.send_raw(DATA, [sent.to])[sent.to]
    sent.account.wait_status(again, "HardFail")
    assert sent.account.deliveries(again)[-1]["details"] == "Recipient (bob@x.test) is on the suppression list (reason: hard bounce (5.1.1))"


def test_full_mailbox_is_not_suppressed(sent):
    """Case 46."""
    sent.comes_back(report("bob@x.test", status="5.2.2"))
    assert sent.status() == "Bounced"
    again = sent.account.send_raw(DATA, [sent.to])[sent.to]
    sent.account.wait_status(again, "Sent")


def test_tampered_tag_names_nothing(sent):
    """Case 44."""
    local, _, domain = sent.return_path.partition("@")
    local = local[:-1] + ("a" if local[-1] != "a" else "b")
    sent.comes_back(report("bob@x.test"), f"{local}@{domain}")
    assert sent.status() == "Sent" and sent.account.deliveries(sent.last)[-1]["details"] == UNMATCHED


def test_delay_changes_no_status(sent):
    """Case 45."""
    sent.comes_back(report("bob@x.test", "delayed", "4.4.1"))
    assert sent.status() == "Sent"
    assert [d["status"] for d in sent.account.deliveries(sent.id)] == ["Sent", "Processed"]


def test_vacation_reply_changes_no_status(sent):
    """Case 47."""
    token = sent.account.message(sent.id)["token"]
    sent.comes_back(f"Auto-Submitted: auto-replied\r\nSubject: away\r\n\r\n> X-Postal-MsgID: {token}\r\n".encode())
    assert sent.status() == "Sent"
    assert sent.account.deliveries(sent.last)[-1]["details"] == f"This has been detected as an automatic reply to <msg:{sent.id}>."


def test_complaint_suppresses_and_changes_no_status(sent):
    """Case 49: no webhook here."""
    sent.comes_back(b"From: fbl@provider.test\r\nSubject: complaint\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n"
                    b"--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: Provider/1\r\nVersion: 1\r\n"
                    b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + sent.mail.data + b"\r\n--b--\r\n", sent.return_path.split("+")[0] + "+fbl@rp.posthaste.test", "fbl@provider.test")
    assert sent.status() == "Sent"
    assert sent.account.deliveries(sent.last)[-1]["details"] == f"This has been detected as a feedback report for <msg:{sent.id}>."
    again = sent.account.send_raw(DATA, [sent.to])[sent.to]
    sent.account.wait_status(again, "HardFail")
    assert sent.account.deliveries(again)[-1]["details"] == "Recipient (bob@x.test) is on the suppression list (reason: complaint)"
