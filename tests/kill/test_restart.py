"""Stopping as an operator stops: nothing is lost, and nothing is sent twice."""
import os, random, signal, time
from world import wait_for
from world.load import IN_DOUBT, Load, check_tables
from world.product import Account

ROUNDS = int(os.environ.get("KILL_ROUNDS", "50"))


def test_graceful_restarts_under_load(new_product, dns, new_sink):
    product = new_product({"delivery": {"retry_scale": 0.01}})
    account = Account(product); account.publish(dns); sink = new_sink("kill.test")
    sink.pause = lambda mail: random.choice((0, 0, 0.002, 0.02, 0.1))
    load = Load(account, sink).start()
    for _ in range(ROUNDS):
        time.sleep(random.uniform(0.1, 0.8))
        assert product.stop(random.choice((signal.SIGTERM, signal.SIGINT))) == 0
        product.start()
    copies = load.drained()
    load.line(f"{ROUNDS} restarts")
    assert len(load.acknowledged()) > ROUNDS * 5, "the senders got something through"
    assert not copies
    product.stop(); check_tables(product)
    assert IN_DOUBT not in product.log() and "in doubt" not in product.log()


def test_second_signal_ends_at_once(new_product, dns, new_sink):
    """While the first one waits for a reply; the message is in doubt afterwards, and sent again."""
    product = new_product({"delivery": {"retry_scale": 0.01}})
    account = Account(product); account.publish(dns); sink = new_sink("kill.test")
    sink.pause = lambda mail: 60 if len(sink.mails) == 1 else 0
    id = account.send_raw(b"From: a@sender.test\r\nTo: one@kill.test\r\nSubject: one\r\n\r\nHello\r\n", ["one@kill.test"])["one@kill.test"]
    wait_for(lambda: sink.mails, "the receiver has the message")
    product.process.send_signal(signal.SIGTERM); time.sleep(2)
    assert product.process.poll() is None, "it waits for the reply"
    started = time.time()
    assert product.stop(signal.SIGTERM) == 1
    assert time.time() - started < 1
    product.start()
    account.wait_status(id, "Sent")
    assert [row["status"] for row in account.deliveries(id)] == ["SoftFail", "Sent"]
    assert len(sink.mails) == 2
