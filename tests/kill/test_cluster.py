"""Roles in processes of their own on one MariaDB: a worker that dies is taken over from, without copies except in doubt."""
import random, signal, subprocess, time
import pytest
from world import wait_for
from world.load import Load, check_tables
from world.product import BINARY, Account


class Role:
    def __init__(self, product, name):
        self.product, self.name, self.log_file = product, name, product.folder / f"log-{name}-{random.randrange(10 ** 6)}"
        with open(self.log_file, "wb") as log: self.process = subprocess.Popen([BINARY, "--config", product.config, name], stdout=log, stderr=log)
        wait_for(lambda: " ready" in self.log_file.read_text() or self.process.poll() is not None, f"{name} starts", 30)
        assert self.process.poll() is None, self.log_file.read_text()

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None: self.process.send_signal(how)
        return self.process.wait(30)


@pytest.fixture
def roles(new_product, dns, new_sink):
    product = new_product({"delivery": {"retry_scale": 0.01}}, start=False); made = []

    def start(name): made.append(Role(product, name)); return made[-1]
    start.product = product
    yield start
    for role in made: role.stop()


@pytest.mark.only("mariadb")
def test_one_of_two_workers_is_killed(roles, dns, new_sink):
    product = roles.product
    others = [roles("smtp-server"), roles("web-server")]; first = roles("worker"); second = roles("worker")
    wait_for(product.answers, "the web server answers")
    account = Account(product); account.publish(dns); sink = new_sink("kill.test")
    sink.pause = lambda mail: random.choice((0, 0.005, 0.05))
    load = Load(account, sink, most=4000).start()
    time.sleep(6)
    assert not {name: n for name, n in load.arrived().items() if n > 1}, "two workers never take the same row"
    sink.pause = lambda mail: 0.3
    time.sleep(1.5)
    sink.pause = lambda mail: 0
    killed = time.time(); first.stop(signal.SIGKILL); time.sleep(2)
    copies = load.drained(100)
    load.line(f"a worker killed, its rows taken over within {max(mail.at for mail in sink.mails) - killed:.0f} s")
    assert not load.unexplained(copies), "copies that no in-doubt record explains"
    assert any("go back to work" in role.log_file.read_text() for role in (second, *others)), "there was something to take over"
    assert second.stop() == 0
    check_tables(product)
