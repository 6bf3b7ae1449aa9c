"""Fixtures of the black-box suites. DATABASE=mariadb runs them on a MariaDB, otherwise on the embedded SQLite."""
import os
import pytest
from world.knot import Knot
from world.mariadb import MariaDb
from world.postfix import Postfix
from world.product import Account, Product
from world.sink import Sink


def pytest_configure(config):
    config.addinivalue_line("markers", "only(database): concerns this database alone; not collected on the other")


def pytest_collection_modifyitems(config, items):
    database = "mariadb" if os.environ.get("DATABASE") == "mariadb" else "sqlite"
    foreign = [item for item in items if (mark := item.get_closest_marker("only")) and mark.args[0] != database]
    if foreign: config.hook.pytest_deselected(items=foreign); items[:] = [item for item in items if item not in foreign]


@pytest.fixture(scope="session")
def dns():
    knot = Knot(); knot.start(); yield knot; knot.stop()


@pytest.fixture(scope="session")
def mariadb():
    """The MariaDB of this run, or None on SQLite."""
    if os.environ.get("DATABASE") != "mariadb": yield None; return
    server = MariaDb(); server.start(); yield server; server.stop()


@pytest.fixture
def empty_database(mariadb):
    """The database without anything in it; None on SQLite, where each product has files of its own."""
    if mariadb:
        names = mariadb.sql("select schema_name from information_schema.schemata where schema_name like 'postal%'").stdout.split()
        mariadb.sql("".join(f"drop database `{name}`;" for name in names) + "create database postal character set utf8mb4 collate utf8mb4_general_ci")
    return mariadb


@pytest.fixture
def new_product(dns, empty_database):
    """new_product(settings={...}) -> Product, initialised and started; one at a time."""
    made = []

    def make(settings=None, start=True, **options):
        product = Product(empty_database, settings, **options); made.append(product)
        done = product.run("initialize"); assert done.returncode == 0, done.stderr
        return product.start() if start else product
    yield make
    for product in made: product.stop()


@pytest.fixture
def product(new_product): return new_product()


@pytest.fixture
def account(product, dns):
    account = Account(product); account.publish(dns); return account


@pytest.fixture
def new_sink(dns):
    """new_sink(domain) -> Sink that is the mail server of that domain."""
    made = []

    def make(domain, ip=None, preference=10, mx=True, **options):
        sink = Sink(ip or f"127.0.1.{len(made) + 1}", **options); sink.start(); made.append(sink)
        host = f"mx{len(made)}.{domain}"; dns.set(host, "A", sink.ip)
        if mx: dns.set(domain, "MX", f"{preference} {host}.")
        sink.host = host; return sink
    yield make
    for sink in made: sink.stop()


@pytest.fixture(scope="session")
def postfix(dns):
    """The real mail server of remote.test, which offers STARTTLS."""
    from world import folder
    import subprocess
    keys = folder("keys")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", keys / "key", "-out", keys / "cert", "-days", "2", "-subj", "/CN=mx.remote.test"],
                   check=True, capture_output=True)
    server = Postfix("127.0.2.1", "remote.test", {"smtpd_tls_security_level": "may", "smtpd_tls_cert_file": keys / "cert", "smtpd_tls_key_file": keys / "key",
                                                   "smtpd_tls_received_header": "yes"})
    server.start()
    dns.set("mx.remote.test", "A", server.ip); dns.set("remote.test", "MX", "10 mx.remote.test.")
    yield server
    server.stop()
