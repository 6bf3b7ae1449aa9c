"""kill -9 at random moments under load: what was acknowledged is delivered after the restart, without a manual step.

KILL_ROUNDS rounds with eight senders, SMTP and HTTP by turns, at a receiver that takes its time, so that deliveries are cut
at every point. Every third round kills the next start, too, while it recovers. Copies are counted: each must belong to a
message that the product itself calls in doubt (its delivery was cut between the final dot and the reply).
"""
import os, random, signal, sqlite3, subprocess, time
from world import wait_for
from world.load import Load, check_tables
from world.product import Account

ROUNDS = int(os.environ.get("KILL_ROUNDS", "50"))


def kill(product): product.process.send_signal(signal.SIGKILL); product.process.wait()


def test_nothing_acknowledged_is_lost(new_product, dns, new_sink):
    product = new_product({"delivery": {"retry_scale": 0.01}})
    account = Account(product); account.publish(dns); sink = new_sink("kill.test")
    sink.pause = lambda mail: random.choice((0, 0, 0, 0.002, 0.02, 0.1))
    load = Load(account, sink).start()
    for round_ in range(ROUNDS):
        time.sleep(random.uniform(0.1, 1.0))
        kill(product)
        if round_ % 3 == 2: product.start(wait=False); time.sleep(random.uniform(0, 0.6)); kill(product)
        product.start()
    copies = load.drained()
    load.line(f"{ROUNDS} kills")
    assert len(load.acknowledged()) > ROUNDS * 5, "the senders got something through"
    assert not load.unexplained(copies), "copies that no in-doubt record explains"
    product.stop(); check_tables(product)


def test_an_outcome_that_was_not_committed_is_not_forgotten(new_product, dns, new_sink):
    """Killed after the reply and before the commit: Sent after the restart, one copy, one delivery."""
    product = new_product({"delivery": {"retry_scale": 0.01}})
    account = Account(product); account.publish(dns); sink = new_sink("kill.test")
    sink.pause = lambda mail: 1.5
    id = account.send_raw(b"From: a@sender.test\r\nTo: one@kill.test\r\nSubject: one\r\n\r\nHello\r\n", ["one@kill.test"])["one@kill.test"]
    wait_for(lambda: sink.mails, "the receiver has the message")
    release = stall_writes(product)
    time.sleep(2.5)
    kill(product); release()
    product.start()
    account.wait_status(id, "Sent")
    wait_for(lambda: product.command("queue", "list", "--all") == [], "the queue row goes")
    assert [row["status"] for row in account.deliveries(id)] == ["Sent"]
    assert len(sink.mails) == 1
    product.stop(); check_tables(product)


def test_in_doubt_is_recorded_once_and_sent_again(new_product, dns, new_sink):
    product = new_product({"delivery": {"retry_scale": 0.01}})
    account = Account(product); account.publish(dns); sink = new_sink("kill.test")
    sink.pause = lambda mail: 30 if len(sink.mails) == 1 else 0
    id = account.send_raw(b"From: a@sender.test\r\nTo: one@kill.test\r\nSubject: one\r\n\r\nHello\r\n", ["one@kill.test"])["one@kill.test"]
    wait_for(lambda: sink.mails, "the receiver has the message")
    kill(product); product.start(); kill(product); product.start()
    account.wait_status(id, "Sent")
    rows = account.deliveries(id)
    assert [row["status"] for row in rows] == ["SoftFail", "Sent"], rows
    assert "interrupted after the message had been sent to 127.0.1.1:25" in rows[0]["details"]
    assert len(sink.mails) == 2


def stall_writes(product):
    """Keeps the product from committing anything until the function that is returned is called."""
    if product.database:
        client = subprocess.Popen(["mariadb", "--no-defaults", "-uroot", "-S", str(product.database.socket), "-n"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        client.stdin.write("flush tables with read lock; select 'locked';\n"); client.stdin.flush()
        while "locked" not in client.stdout.readline().splitlines(): pass
        return lambda: (client.stdin.close(), client.wait(10))
    paths = [path for path in (product.folder / "data").rglob("*") if path.is_file() and path.open("rb").read(15) == b"SQLite format 3"]
    held = [sqlite3.connect(path, timeout=10, isolation_level=None) for path in paths]
    for file in held: file.execute("begin immediate")
    return lambda: [file.close() for file in held]
