"""The servers under load, the receiver behind them, and the load."""
import os, pathlib, re, subprocess, threading, time
from world import folder, wait_for
from world.postfix import Postfix
from world.product import BINARY, Account, Product

SINK = ("127.0.0.90", 2600)


def processor_seconds(roots):
    """Time on the processor so far of these processes and all below them, those that have ended included."""
    stat, ticks = {}, 0
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try: fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError: continue
        stat[int(path.parent.name)] = int(fields[1]), sum(map(int, fields[11:15]))
    for pid, (parent, own) in stat.items():
        while pid not in roots and parent in stat: pid, parent = parent, stat[parent][0]
        if pid in roots: ticks += own
    return ticks / os.sysconf("SC_CLK_TCK")


class SmtpSink:
    """Postfix's smtp-sink, and how many messages it has taken. `delay`: seconds before it answers to DATA."""
    def __init__(self, delay=0): self.count, self.delay = 0, delay

    def start(self):
        slow = ["-w", str(self.delay)] if self.delay else []
        self.process = subprocess.Popen(["smtp-sink", "-c", *slow, "-u", "postfix", f"{SINK[0]}:{SINK[1]}", "1024"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
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
                   check=True, stdout=subprocess.DEVNULL, timeout=600)
    return time.time() - started


class PostfixPeer:
    name, address = "postfix", ("127.0.0.80", 25)

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

    def pids(self):
        master = int((self.server.folder / "spool/pid/master.pid").read_text())
        return [master] + ([self.opendkim.pid] if self.opendkim else [])

    def stop(self):
        self.server.stop()
        if self.opendkim: self.opendkim.terminate(); self.opendkim.wait()
        subprocess.run(["rm", "-rf", self.server.folder])


class PosthastePeer:
    name, address = "posthaste", Product.smtp

    def __init__(self, roles, database, dns):
        self.product = Product(database, {"postal": {"smtp_relays": [f"smtp://{SINK[0]}:{SINK[1]}?ssl_mode=None"]}, "logging": {"level": "warn"},
                                          "smtp_server": {"tls_enabled": False, "max_messages_per_connection": 1000000, "max_connections_per_ip": 10000}})
        self.roles, self.database, self.dns, self.account = roles, database, dns, None

    def start(self, roles=None):
        product = self.product
        if not self.account: done = product.run("initialize"); assert done.returncode == 0, done.stderr
        with open(product.log_file, "ab") as log:
            product.process = subprocess.Popen([str(pathlib.Path(BINARY).resolve()), "--config", product.config, "run", "--roles", roles or self.roles], stdout=log, stderr=log)
        wait_for(product._ready, "posthaste answers")
        if not self.account:
            self.account = Account(product, domain="bench.test", credentials=[{"type": "SMTP-IP", "name": "bench", "key": "127.0.0.0/8"}]); self.account.publish(self.dns)
            time.sleep(2)                                                         # it looks for changes once a second
        return self

    def pids(self): return [self.product.process.pid] + ([self.database.process.pid] if self.database else [])

    def memory_mb(self, what="VmRSS"):
        """VmRSS: resident now; VmHWM: the most it was."""
        return int(re.search(what + r":\s+(\d+)", pathlib.Path(f"/proc/{self.product.process.pid}/status").read_text()).group(1)) / 1024

    def stop(self): self.product.stop(); subprocess.run(["rm", "-rf", self.product.folder])
