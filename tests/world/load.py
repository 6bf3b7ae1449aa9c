"""Senders that never stop, a place where all mail arrives, and the account of what was acknowledged, arrived, or doubted."""
import base64, collections, random, re, smtplib, sqlite3, threading, time
import requests
from . import wait_for

IN_DOUBT = "Delivery was interrupted after the message had been sent to "


class Sender(threading.Thread):
    """Sends numbered messages until told to stop; notes those that were acknowledged. Odd numbers use SMTP, even ones HTTP."""
    def __init__(self, load, number):
        super().__init__(daemon=True)
        self.load, self.number, self.acknowledged, self.client = load, number, [], None

    def run(self):
        count = 0
        while self.load.running:
            if self.load.backlog() > self.load.most: time.sleep(0.05); continue
            name = f"s{self.number}-{count}"; count += 1
            data = f"From: ada@sender.test\r\nTo: {name}@kill.test\r\nSubject: {name}\r\n\r\n{'x' * random.randrange(5000)}\r\n".encode()
            try:
                (self.over_smtp if self.number % 2 else self.over_http)(name, data)
                self.acknowledged.append(name)
            except (OSError, smtplib.SMTPException, requests.RequestException, ValueError): time.sleep(0.02)

    def over_smtp(self, name, data):
        account = self.load.account
        if not self.client: self.client = smtplib.SMTP(*account.product.smtp, timeout=20); self.client.login(account.path, account.key)
        try: self.client.sendmail("ada@sender.test", [f"{name}@kill.test"], data)
        except BaseException: self.client.close(); self.client = None; raise

    def over_http(self, name, data):
        if not self.client: self.client = requests.Session()
        answer = self.client.post(f"{self.load.account.product.web}/api/v1/send/raw", timeout=20, headers={"X-Server-API-Key": self.load.account.api_key}, json={
            "mail_from": "ada@sender.test", "rcpt_to": [f"{name}@kill.test"], "data": base64.b64encode(data).decode()}).json()
        if answer["status"] != "success": raise ValueError(answer)


class Load:
    """`most`: so many messages may be acknowledged and not have arrived; the senders wait then."""
    def __init__(self, account, sink, senders=8, most=1500):
        self.account, self.sink, self.most, self.running = account, sink, most, True
        self.senders = [Sender(self, n) for n in range(senders)]

    def start(self):
        for sender in self.senders: sender.start()
        return self

    def stop(self):
        self.running = False
        for sender in self.senders: sender.join(60)

    def acknowledged(self): return [name for sender in self.senders for name in list(sender.acknowledged)]
    def arrived(self): return collections.Counter(name_of(mail) for mail in list(self.sink.mails))
    def backlog(self): return sum(len(s.acknowledged) for s in self.senders) - len(self.sink.mails)
    def missing(self): return set(self.acknowledged()) - set(self.arrived())

    def drained(self, timeout=180):
        """Waits until all that was acknowledged has arrived and nothing is queued; the copies, by name."""
        self.stop(); product = self.account.product
        try: wait_for(lambda: not self.missing() and product.command("queue", "list", "--all") == [], "all acknowledged messages arrive", timeout, 0.5)
        except AssertionError as error: raise AssertionError(f"{error}; {len(missing := self.missing())} are missing, among them {sorted(missing)[:5]}; queued: {product.command('queue', 'list', '--all')[:3]}") from None
        return {name: n for name, n in self.arrived().items() if n > 1}

    def unexplained(self, copies):
        """Names with more copies than the product's own in-doubt records say there may be."""
        return {name: n for name, n in copies.items() if len(self.doubts(name)) < n - 1}

    def doubts(self, name):
        mail = next(mail for mail in self.sink.mails if name_of(mail) == name)
        token = re.search(rb"X-Postal-MsgID: (\w+)", mail.data).group(1).decode()
        return [row for row in self.account.deliveries(token) if row["details"].startswith(IN_DOUBT)]

    def line(self, what):
        copies = {name: n for name, n in self.arrived().items() if n > 1}
        print(f"\n{what}: {len(self.acknowledged())} acknowledged, {len(self.arrived())} arrived, {len(copies)} in more than one copy, "
              f"{len(set(self.acknowledged()) - set(self.arrived()))} lost")


def name_of(mail): return re.search(r"<([^@>]+)@", mail.recipients[0]).group(1)


def check_tables(product):
    """The tables of a stopped product: sound, nothing queued or locked, every message Sent by one delivery."""
    ask = tables(product)
    assert ask("queue", "select id, locked_by from queued_messages") == []
    assert {status for status, in ask("message", "select distinct status from messages")} == {"Sent"}
    assert ask("message", "select message_id, count(*) from deliveries where status = 'Sent' group by message_id having count(*) <> 1") == []
    assert ask("message", "select count(*) from messages m where not exists (select 1 from deliveries d where d.message_id = m.id and d.status = 'Sent')")[0][0] in (0, "0")


def tables(product):
    """ask(database, sql) -> rows, of the one mail server."""
    if product.database:
        (messages,) = product.database.sql("select schema_name from information_schema.schemata where schema_name like 'postal-%'").stdout.split()
        names = {"queue": "postal", "message": messages}
        return lambda which, sql: [tuple(line.split("\t")) for line in product.database.sql(f"use `{names[which]}`; {sql}").stdout.splitlines()]
    data = product.folder / "data"
    files = [path for path in data.rglob("*") if path.is_file() and path.open("rb").read(15) == b"SQLite format 3"]
    for path in files:
        with sqlite3.connect(path) as file: assert file.execute("pragma integrity_check").fetchall() == [("ok",)], path

    def ask(which, sql):
        table = {"queue": "queued_messages", "message": "deliveries"}[which]
        for path in files:
            file = sqlite3.connect(path)
            if file.execute("select 1 from sqlite_master where name = ?", (table,)).fetchone(): return file.execute(sql).fetchall()
        raise AssertionError(f"no file has {table}")
    return ask
