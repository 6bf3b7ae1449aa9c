"""kill -9 at random moments under load: what was acknowledged is delivered after the restart, without a manual step.

KILL_ROUNDS rounds with eight senders, SMTP and HTTP by turns. Copies are counted: each must belong to a message that the
product itself calls in doubt (its delivery was cut between the final dot and the reply).
"""
import base64, collections, os, random, re, signal, smtplib, threading, time
import requests
from world import wait_for
from world.product import Account

ROUNDS, SENDERS = int(os.environ.get("KILL_ROUNDS", "50")), 8


class Sender(threading.Thread):
    """Sends numbered messages until told to stop; notes those that were acknowledged."""
    def __init__(self, account, number, round_):
        super().__init__(daemon=True)
        self.account, self.number, self.round, self.acknowledged, self.running = account, number, round_, [], True

    def run(self):
        count = 0
        while self.running:
            name = f"r{self.round}-s{self.number}-{count}"; count += 1
            data = f"From: ada@sender.test\r\nTo: {name}@kill.test\r\nSubject: {name}\r\n\r\n{'x' * random.randrange(5000)}\r\n".encode()
            try:
                (self.over_smtp if self.number % 2 else self.over_http)(name, data)
                self.acknowledged.append(name)
            except (OSError, smtplib.SMTPException, requests.RequestException, ValueError): time.sleep(0.02)

    def over_smtp(self, name, data):
        if not getattr(self, "client", None):
            self.client = smtplib.SMTP(*self.account.product.smtp, timeout=20); self.client.login(self.account.path, self.account.key)
        try: self.client.sendmail("ada@sender.test", [f"{name}@kill.test"], data)
        except BaseException: self.client = None; raise

    def over_http(self, name, data):
        answer = self.account.api("send/raw", {"mail_from": "ada@sender.test", "rcpt_to": [f"{name}@kill.test"], "data": base64.b64encode(data).decode()})
        if answer["status"] != "success": raise ValueError(answer)


def test_nothing_acknowledged_is_lost(new_product, dns, new_sink):
    product = new_product({"delivery": {"retry_scale": 0.01}})
    account = Account(product); account.publish(dns)
    sink = new_sink("kill.test"); arrived = collections.Counter(); acknowledged = []

    def name_of(mail): return re.search(r"<([^@>]+)@", mail.recipients[0]).group(1)

    for round_ in range(ROUNDS):
        senders = [Sender(account, n, round_) for n in range(SENDERS)]
        for sender in senders: sender.start()
        time.sleep(random.uniform(0.1, 1.2))
        product.process.send_signal(signal.SIGKILL); product.process.wait()
        for sender in senders: sender.running = False
        product.start()
        for sender in senders: sender.join(30); acknowledged += sender.acknowledged

    def missing():
        arrived.clear(); arrived.update(name_of(mail) for mail in list(sink.mails))
        return [name for name in acknowledged if not arrived[name]]
    wait_for(lambda: not missing() and product.command("queue", "list", "--all") == [], "all acknowledged messages arrive", 180, 1)
    copies = {name: n for name, n in arrived.items() if n > 1}
    print(f"\n{ROUNDS} rounds, {len(acknowledged)} acknowledged, {len(arrived)} arrived, {len(copies)} in more than one copy")
    assert len(acknowledged) > ROUNDS * 5, "the senders got something through"
    unexplained = [name for name in copies if len(in_doubt_rows(account, sink, name)) < copies[name] - 1]
    assert not unexplained, f"copies that no in-doubt record explains: {unexplained}"


def in_doubt_rows(account, sink, name):
    """Deliveries of the message to `name` that say that its outcome was in doubt."""
    token = next(re.search(rb"X-Postal-MsgID: (\w+)", mail.data).group(1).decode() for mail in sink.mails if f"<{name}@" in mail.recipients[0])
    rows = account.api("messages/deliveries", {"id": token})["data"]
    return [row for row in rows if "interrupted after the message had been sent" in row["details"]]
