"""Accept-only and end-to-end rates of Posthaste and Postfix, one after the other, under the same load.

Load: Postfix's smtp-source. Receiver: Postfix's smtp-sink. Both servers sync a message to disk before they answer 250.
Accept-only: Postfix puts mail on hold; Posthaste runs without its worker. End to end: DKIM with RSA-2048 (Postfix through
opendkim) and delivery to the sink; the clock stops when the sink has counted the last message.
"""
import argparse, os, pathlib, re, signal, statistics, subprocess, threading, time
from world import folder, wait_for
from world.knot import Knot
from world.mariadb import MariaDb
from world.postfix import Postfix
from world.product import Account, Product

SINK = ("127.0.0.90", 2600)


def cpu_seconds(pids):
    ticks = 0
    for pid in pids:
        try: fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split(); ticks += int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])
        except (OSError, IndexError): pass
    return ticks / os.sysconf("SC_CLK_TCK")


class SmtpSink:
    """Postfix's smtp-sink, and how many messages it has taken."""
    def __init__(self): self.count = 0

    def start(self):
        self.process = subprocess.Popen(["smtp-sink", "-c", "-u", "postfix", f"{SINK[0]}:{SINK[1]}", "1024"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        threading.Thread(target=self._read, daemon=True).start(); time.sleep(0.3)
        return self

    def _read(self):
        pending = b""
        while block := os.read(self.process.stdout.fileno(), 65536):
            pending = (pending + block)[-200:]
            if found := re.findall(rb"mesg=(\d+)", pending[:-1]): self.count = int(found[-1])

    def stop(self): self.process.kill(); self.process.wait()


def source(target, messages, size_kb, concurrency, sender="hello@bench.test", recipient="bob@sink.test"):
    """Runs the load; seconds it took."""
    started = time.time()
    subprocess.run(["smtp-source", "-d", "-s", str(concurrency), "-m", str(messages), "-l", str(size_kb * 1024), "-f", sender, "-t", recipient, f"inet:{target[0]}:{target[1]}"],
                   check=True, capture_output=True, timeout=600)
    return time.time() - started


class PostfixPeer:
    name = "postfix"

    def __init__(self, end_to_end):
        settings = {"inet_interfaces": "127.0.0.80", "default_process_limit": "200", "smtpd_client_connection_count_limit": "0", "smtpd_client_message_rate_limit": "0",
                    "in_flow_delay": "0", "smtp_destination_concurrency_limit": "100", "default_destination_concurrency_limit": "100", "initial_destination_concurrency": "20",
                    "smtpd_recipient_restrictions": "permit_mynetworks, reject", "maximal_queue_lifetime": "1d", "disable_dns_lookups": "yes", "relayhost": f"[{SINK[0]}]:{SINK[1]}"}
        self.opendkim = None
        if end_to_end: settings.update({"smtpd_milters": "inet:127.0.0.1:8891", "milter_default_action": "tempfail"}); self._opendkim()
        else: settings["smtpd_client_restrictions"] = "check_client_access static:HOLD"
        self.server = Postfix("127.0.0.80", "nowhere.test", settings)

    def _opendkim(self):
        where = folder("opendkim"); subprocess.run(["openssl", "genrsa", "-traditional", "-out", where / "key", "2048"], check=True, capture_output=True); (where / "key").chmod(0o600)
        (where / "conf").write_text(f"Socket inet:8891@127.0.0.1\nDomain bench.test\nSelector s\nKeyFile {where}/key\nMode s\nCanonicalization relaxed/relaxed\nInternalHosts 0.0.0.0/0\nUserID root\nRequireSafeKeys no\nSyslog no\n")
        self.opendkim = subprocess.Popen(["opendkim", "-f", "-x", where / "conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL); time.sleep(0.5)

    def start(self): self.server.start(); return self
    address = ("127.0.0.80", 25)

    def stop(self):
        self.server.stop()
        if self.opendkim: self.opendkim.terminate(); self.opendkim.wait()
        subprocess.run(["rm", "-rf", self.server.folder])


class PosthastePeer:
    name, address = "posthaste", Product.smtp

    def __init__(self, end_to_end, database, dns):
        self.product = Product(database, {"postal": {"smtp_relays": [f"smtp://{SINK[0]}:{SINK[1]}?ssl_mode=None"]}, "smtp_server": {"tls_enabled": False, "max_messages_per_connection": 1000000},
                                          "logging": {"level": "warn"}})
        self.roles, self.dns = ("smtp,web,worker" if end_to_end else "smtp,web"), dns

    def start(self):
        product = self.product
        done = product.run("initialize"); assert done.returncode == 0, done.stderr
        with open(product.log_file, "ab") as log:
            product.process = subprocess.Popen([str(pathlib.Path(os.environ.get("POSTHASTE", "build/release/posthaste")).resolve()), "--config", product.config, "run", "--roles", self.roles], stdout=log, stderr=log)
        wait_for(product._ready, "posthaste answers")
        Account(product, domain="bench.test", credentials=[{"type": "SMTP-IP", "name": "bench", "key": "127.0.0.0/8"}]).publish(self.dns)
        return self

    def resident_mb(self):
        return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{self.product.process.pid}/status").read_text()).group(1)) / 1024

    def stop(self): self.product.stop(); subprocess.run(["rm", "-rf", self.product.folder])


def measure(peer, sink, messages, size, concurrency):
    """Messages a second."""
    before = sink.count if sink else 0; started = time.time()
    seconds = source(peer.address, messages, size, concurrency)
    if sink:
        wait_for(lambda: sink.count - before >= messages, f"{peer.name}: the sink has all {messages}", 300, 0.01)
        seconds = time.time() - started
    return messages / seconds


def compare(make_peers, sink, label, sizes, concurrencies, messages, rounds):
    """Each server is started once for all its measurements; medians of the rounds."""
    rates = {}
    for make in make_peers:
        peer = make().start()
        try:
            source(peer.address, 50, 1, 5)                                        # warm
            if sink: time.sleep(1)
            for size in sizes:
                for concurrency in concurrencies:
                    count = max(100, int(messages * (0.25 if concurrency == 1 else 1) * (0.3 if size >= 100 else 1) * (0.3 if peer.name == "postfix" else 1)))
                    rates[peer.name, size, concurrency] = statistics.median(measure(peer, sink, count, size, concurrency) for _ in range(rounds))
        finally: peer.stop()
    for size in sizes:
        for concurrency in concurrencies:
            ours, theirs = rates["posthaste", size, concurrency], rates["postfix", size, concurrency]
            print(f"{label:<12} {size:4} KB  concurrency {concurrency:3}   posthaste {ours:8.0f}/s   postfix {theirs:7.0f}/s   ratio {ours / theirs:5.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["sqlite", "mariadb"], default="sqlite")
    parser.add_argument("--only", choices=["accept", "end-to-end", "memory"])
    parser.add_argument("--size", type=int, action="append", help="KB; default 2, 10, 100"); parser.add_argument("--concurrency", type=int, action="append", help="default 1, 20, 100")
    parser.add_argument("--messages", type=int, default=10000); parser.add_argument("--rounds", type=int, default=3); parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    sizes, concurrencies = options.size or [2, 10, 100], options.concurrency or [1, 20, 100]
    messages, rounds = (2000, 1) if options.quick else (options.messages, options.rounds)
    dns = Knot().start(); database = MariaDb().start() if options.database == "mariadb" else None
    print(f"database {options.database}, {os.cpu_count()} cores, {messages} messages, median of {rounds}", flush=True)
    try:
        if options.only in (None, "memory"):
            peer = PosthastePeer(True, database, dns).start(); time.sleep(2); print(f"resident memory, idle, all roles: {peer.resident_mb():.0f} MB", flush=True); peer.stop(); reset(database)
        if options.only in (None, "accept"):
            compare([lambda: PostfixPeer(False), lambda: PosthastePeer(False, database, dns)], None, "accept", sizes, concurrencies, messages, rounds); reset(database)
        if options.only in (None, "end-to-end"):
            sink = SmtpSink().start()
            try: compare([lambda: PostfixPeer(True), lambda: PosthastePeer(True, database, dns)], sink, "end to end", sizes, concurrencies, messages // 3, rounds)
            finally: sink.stop()
    finally:
        dns.stop()
        if database: database.stop()


def reset(database):
    if database:
        names = database.sql("select schema_name from information_schema.schemata where schema_name like 'postal%'").stdout.split()
        database.sql("".join(f"drop database `{name}`;" for name in names) + "create database postal")


if __name__ == "__main__": main()
