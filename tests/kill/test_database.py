"""MariaDB is killed under load and comes back: the process goes on by itself, and says so once each time."""
import random, re, signal, time
import pytest
from world import wait_for
from world.load import Load, check_tables
from world.product import Account

LOSSES = 4


@pytest.mark.only("mariadb")
def test_the_database_dies_under_load(new_product, dns, new_sink, mariadb):
    product = new_product({"delivery": {"retry_scale": 0.01}})
    account = Account(product); account.publish(dns); sink = new_sink("kill.test")
    sink.pause = lambda mail: random.choice((0, 0, 0.002, 0.02))
    load = Load(account, sink).start()
    for _ in range(LOSSES):
        time.sleep(random.uniform(1.5, 3))
        before = len(load.acknowledged())
        mariadb.stop(signal.SIGKILL); time.sleep(random.uniform(0.5, 4)); mariadb.start()
        wait_for(lambda: len(load.acknowledged()) > before + 20, "mail is accepted again", 30)
    copies = load.drained()
    load.line(f"{LOSSES} deaths of the database")
    assert product.process.poll() is None
    assert not copies
    lines = product.log().splitlines()
    trouble = [line for line in lines if re.search(r"\b(ERROR|WARN|error|warn|warning)\b", line[:60])]
    gone, back = ([line for line in lines if text in line] for text in ("the database is gone", "the database is back"))
    assert len(gone) == len(back) == LOSSES, "\n".join(gone + back)
    assert [line for line in trouble if line not in gone] == []
    product.stop(); check_tables(product)
