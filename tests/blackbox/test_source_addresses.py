"""Mail that leaves from the addresses of IP pools (outbound-delivery.md 10, cases 6 and 46 to 51)."""
import sqlite3, subprocess, time
import pytest
from world import wait_for
from world.product import Account

DATA = b"From: Ada <ada@sender.test>\r\nTo: bob@x.test\r\nSubject: from where\r\n\r\nHi\r\n"
ONE, TWO, ELSEWHERE, REMOTE = "203.0.113.5", "203.0.113.6", "203.0.113.99", "203.0.113.200"
POOLS = [{"name": "main", "ip_addresses": [{"ipv4": ONE, "hostname": "out1.example.org"}]},
         {"name": "second", "ip_addresses": [{"ipv4": TWO, "hostname": "out2.example.org"}]},
         {"name": "away", "ip_addresses": [{"ipv4": ELSEWHERE, "hostname": "out99.example.org"}]}]


def interface(action, *addresses):
    for address in addresses: subprocess.run(["ip", "address", action, f"{address}/32", "dev", "lo"], capture_output=True)


@pytest.fixture
def pooled(new_product, dns):
    """An account whose mail server sends from the pool `main`."""
    interface("add", ONE, TWO, REMOTE)
    product = new_product({"postal": {"use_ip_pools": True}})
    product.apply({"ip_pools": POOLS})
    account = Account(product); account.publish(dns); use(account, "main")
    yield account
    interface("del", ONE, TWO, REMOTE, ELSEWHERE)


def use(account, pool):
    pools = [p["name"] for p in POOLS]
    account.product.apply({"organizations": [{"permalink": "one", "ip_pools": pools, "servers": [{"permalink": "mail", "ip_pool": pool}]}]})


def sql(product, text):
    """On the main database, beside the product, as Postal's own pages would."""
    if product.database: return product.database.sql("use postal; " + text)
    with sqlite3.connect(f"{product.settings['posthaste']['data_path']}/main.db", timeout=10) as db: db.execute(text.replace("now()", str(int(time.time() * 1e6))))


def send(account, to): return account.send_raw(DATA, [to])[to]


def test_address_and_its_name_are_used(pooled, new_sink, dns):
    """48, 50: a family that the source lacks is not used."""
    sink = new_sink("from.test", ip=REMOTE); dns.set(sink.host, "AAAA", "::1")
    id = send(pooled, "bob@from.test"); pooled.wait_status(id, "Sent")
    assert sink.peers == [ONE] and "EHLO out1.example.org" in sink.commands
    assert pooled.deliveries(id)[0]["details"] == f"Message for bob@from.test accepted by {REMOTE}:25 ({sink.host}) (from {ONE})"
    assert "::1:25" not in pooled.product.log()


def test_rule_of_the_mail_server_comes_before_its_pool(pooled, new_sink):
    """46."""
    pool = next(p["id"] for p in pools_of(pooled) if p["name"] == "second")
    sql(pooled.product, "insert into ip_pool_rules (uuid, owner_type, owner_id, ip_pool_id, to_text, created_at, updated_at) "
                        f"values ('r1', 'Server', {pooled.server['id']}, {pool}, 'vip@ruled.test', now(), now())")
    time.sleep(3)                                                          # other processes' changes are noticed within 2 s
    sink = new_sink("ruled.test", ip=REMOTE)
    pooled.wait_status(send(pooled, "bob@ruled.test"), "Sent"); pooled.wait_status(send(pooled, "vip+tag@ruled.test"), "Sent")
    assert {m.recipients[0]: peer for m, peer in zip(sink.mails, sink.peers)} == {"TO:<bob@ruled.test>": ONE, "TO:<vip+tag@ruled.test>": TWO}


def pools_of(account): return account.product.apply({"ip_pools": POOLS})["ip_pools"]


def test_address_of_another_machine_waits_for_it(pooled, new_sink):
    """6: neither claimed nor locked while the address is on no interface here."""
    use(pooled, "away"); sink = new_sink("away.test", ip=REMOTE)
    id = send(pooled, "bob@away.test"); time.sleep(3)
    entry, = pooled.product.command("queue", "list", "--all")
    assert entry["attempts"] == 0 and not entry["active"] and not sink.connections, entry
    interface("add", ELSEWHERE)
    pooled.wait_status(id, "Sent", timeout=60)
    assert sink.peers == [ELSEWHERE]


def test_deleted_address_does_not_keep_its_mail(pooled, new_sink):
    """51, also where somebody else deletes it."""
    use(pooled, "away"); sink = new_sink("gone.test", ip=REMOTE)
    id = send(pooled, "bob@gone.test"); time.sleep(1)
    sql(pooled.product, f"delete from ip_addresses where ipv4 = '{ELSEWHERE}'")
    # Deletions alone do not change the latest `updated_at`, but the number of rows.
    pooled.wait_status(id, "Sent", timeout=60)
    assert len(sink.mails) == 1 and "(from" not in pooled.deliveries(id)[0]["details"]


def test_without_pools_the_setting_says_who_calls(new_product, dns, new_sink):
    """49: an empty name counts as none; pools that are switched off are not used."""
    interface("add", REMOTE, ONE)
    product = new_product({"postal": {"smtp_hostname": "smtp.example.org"}, "dns": {"helo_hostname": ""}})
    product.apply({"ip_pools": POOLS})
    account = Account(product); account.publish(dns); use(account, "main")
    sink = new_sink("helo.test", ip=REMOTE)
    account.wait_status(send(account, "bob@helo.test"), "Sent")
    assert "EHLO smtp.example.org" in sink.commands and sink.peers != [ONE]
    interface("del", REMOTE, ONE)


def test_connection_that_ends_between_messages_costs_no_attempt(account, new_sink):
    """68: what was waiting for it goes over another one."""
    sink = new_sink("short.test"); sink.script["MAIL"] = ["250 ok", None]
    ids = account.send_raw(DATA, [f"r{n}@short.test" for n in range(3)])
    for id in ids.values():
        account.wait_status(id, "Sent")
        assert [row["status"] for row in account.deliveries(id)] == ["Sent"]
    assert len(sink.mails) == 3 and sink.connections >= 2
