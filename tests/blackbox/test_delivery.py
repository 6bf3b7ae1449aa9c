"""What happens when the receiving side does not simply say yes."""
import ssl, subprocess, time
import pytest
from world import folder
from world.product import Account

DATA = b"From: ada@sender.test\r\nTo: bob@x.test\r\nSubject: delivery\r\nDate: Thu, 01 Jan 2026 10:00:00 +0000\r\nMessage-ID: <d@sender.test>\r\n\r\nHi\r\n"
QUICK = {"delivery": {"retry_scale": 0.003, "retry_jitter": 0}}            # 300 s become 0.9 s


def send(account, to): return account.send_raw(DATA, [to])[to]


def test_4xx_is_tried_again_on_schedule(new_product, dns, new_sink):
    """Postal's curve: 300 s, 390 s, 507 s between the attempts; here a thousandth of it, rounded up to whole seconds."""
    account = Account(new_product(QUICK)); account.publish(dns)
    sink = new_sink("later.test"); times = []
    sink.script["RCPT"] = lambda argument: times.append(time.time()) or ("451 4.3.0 later" if len(times) <= 3 else "250 ok")
    id = send(account, "bob@later.test")
    account.wait_status(id, "Sent", timeout=40)
    rows = account.deliveries(id)
    assert [row["status"] for row in rows] == ["SoftFail"] * 3 + ["Sent"]
    assert all(row["details"].startswith("Temporary SMTP delivery error when sending to") and row["output"] == "451 4.3.0 later" for row in rows[:3])
    waits = [b - a for a, b in zip(times, times[1:])]
    for wait, due in zip(waits, (0.9, 1.17, 1.52)): assert due - 0.05 <= wait <= due + 4, waits


def test_schedule_in_the_table(account, new_sink):
    """The first retry is due 300 s after the attempt, plus at most a tenth."""
    sink = new_sink("slow.test"); sink.script["RCPT"] = lambda argument: "451 4.3.0 later"
    id = send(account, "bob@slow.test"); account.wait_deliveries(id, 1)
    entry, = account.product.command("queue", "list", "--all")
    assert entry["message"] == id and entry["attempts"] == 1
    assert 295 <= entry["due"] - time.time() <= 332


def test_after_the_last_attempt_it_fails(new_product, dns, new_sink):
    account = Account(new_product({**QUICK, "postal": {"default_maximum_delivery_attempts": 2}})); account.publish(dns)
    sink = new_sink("never.test"); sink.script["RCPT"] = lambda argument: "451 4.3.0 later"
    id = send(account, "bob@never.test"); account.wait_status(id, "HardFail", timeout=30)
    assert "Maximum number of delivery attempts (2) has been reached." in account.deliveries(id)[-1]["details"]
    assert account.product.command("queue", "list", "--all") == []


def test_5xx_fails_at_once(account, new_sink):
    sink = new_sink("no.test"); sink.script["RCPT"] = lambda argument: "550 5.1.1 nobody here"
    id = send(account, "bob@no.test"); account.wait_status(id, "HardFail")
    row, = account.deliveries(id)
    assert row["output"] == "550 5.1.1 nobody here" and row["details"] == f"Permanent SMTP delivery error when sending to {sink.ip}:25 ({sink.host})"


def test_second_host_takes_over(account, dns, new_sink):
    down, up = new_sink("a.two.test", mx=False), new_sink("b.two.test", mx=False)
    down.stop(); dns.set("two.test", "MX", f"10 {down.host}.", f"20 {up.host}.")
    id = send(account, "bob@two.test"); account.wait_status(id, "Sent")
    assert len(up.mails) == 1 and account.deliveries(id)[0]["details"] == f"Message for bob@two.test accepted by {up.ip}:25 ({up.host})"


def test_lost_connection_after_the_dot_is_not_repeated_at_once(account, new_sink):
    sink = new_sink("doubt.test"); sink.script["DOT"] = [None]
    id = send(account, "bob@doubt.test"); account.wait_deliveries(id, 1); time.sleep(2)
    row, = account.deliveries(id)
    assert row["status"] == "SoftFail" and sink.connections == 1
    entry, = account.product.command("queue", "list", "--all")
    assert entry["due"] - time.time() > 240


def test_many_messages_share_a_connection(account, new_sink):
    sink = new_sink("busy.test")
    account.send_raw(DATA, [f"r{n}@busy.test" for n in range(40)])
    deadline = time.time() + 30
    while len(sink.mails) < 40 and time.time() < deadline: time.sleep(0.05)
    assert len(sink.mails) == 40 and sink.connections <= 20
    assert len({m.recipients[0] for m in sink.mails}) == 40 and all(len(m.recipients) == 1 for m in sink.mails)


def test_slow_host_holds_up_no_other(account, new_sink):
    slow, quick = new_sink("tar.test"), new_sink("quick.test")
    slow.script["RCPT"] = lambda argument: time.sleep(8) or "250 ok"
    account.send_raw(DATA, [f"r{n}@tar.test" for n in range(30)])
    started = time.time(); id = send(account, "bob@quick.test"); account.wait_status(id, "Sent")
    assert time.time() - started < 3


def tls_context():
    keys = folder("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", keys / "key", "-out", keys / "cert", "-days", "2", "-subj", "/CN=other.test"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain(keys / "cert", keys / "key")
    return context


def test_tls_when_offered(account, new_sink):
    sink = new_sink("secure.test", tls=tls_context())
    id = send(account, "bob@secure.test"); account.wait_status(id, "Sent")
    assert sink.mails[0].tls and account.deliveries(id)[0]["sent_with_ssl"] is True


@pytest.mark.parametrize("mode, works", [("None", True), ("STARTTLS", False)])
def test_relay(new_product, dns, new_sink, mode, works):
    """All mail goes to the relay; a mandatory STARTTLS that nobody vouches for is not used."""
    relay = new_sink("relay.test", port=2526, tls=tls_context())
    account = Account(new_product({"postal": {"smtp_relays": [f"smtp://{relay.ip}:2526?ssl_mode={mode}"]}})); account.publish(dns)
    id = send(account, "bob@nowhere.test"); account.wait_status(id, "Sent" if works else "SoftFail")
    assert len(relay.mails) == int(works)


def test_development_mode_holds(new_product, dns, new_sink):
    account = Account(new_product(), mode="Development"); account.publish(dns)
    sink = new_sink("held.test"); id = send(account, "bob@held.test")
    message = account.wait_status(id, "Held")
    assert message["status"]["held"] is True and account.deliveries(id)[0]["details"] == "Server is in development mode."
    account.product.command("messages", "retry", account.path, str(id)); account.wait_status(id, "Sent")
    assert len(sink.mails) == 1


def test_suspended_server_holds(account, new_sink):
    sink = new_sink("suspended.test"); sink.script["RCPT"] = ["451 4.3.0 later"]
    id = send(account, "bob@suspended.test"); account.wait_deliveries(id, 1)
    account.product.apply({"organizations": [{"permalink": "one", "servers": [{"permalink": "mail", "suspended": "unpaid"}]}]})
    account.product.command("queue", "retry", "--all")
    from world import wait_for
    wait_for(lambda: "Held" in account.product.run("messages", "show", account.path, str(id)).stdout, "the message is held")
    assert account.api("messages/message", {"id": id})["data"] == {"code": "ServerSuspended"}
