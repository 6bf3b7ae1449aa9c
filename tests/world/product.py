"""The built binary under test: configured, started, filled, stopped or killed."""
import base64, copy, json, os, pathlib, signal, subprocess, time
import requests, yaml
from . import folder, tail, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("POSTHASTE") or str(ROOT / "build" / "release" / "posthaste")


class Product:
    smtp, web = ("127.0.0.1", 2525), "http://127.0.0.1:5000"

    def __init__(self, database=None, settings=None, data=None):
        self.folder, self.database, self.process = folder("product"), database, None
        self.config, self.log_file = self.folder / "postal.yml", self.folder / "log"
        subprocess.run(["openssl", "genrsa", "-out", self.folder / "signing.key", "2048"], check=True, capture_output=True)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.folder / "smtp.key", "-out", self.folder / "smtp.cert",
                        "-days", "2", "-subj", "/CN=posthaste.test"], check=True, capture_output=True)
        self.settings = {
            "version": 2,
            "postal": {"web_hostname": "posthaste.test", "web_protocol": "http", "smtp_hostname": "posthaste.test", "use_local_ns_for_domain_verification": True, "use_resent_sender_header": False},
            "web_server": {"default_port": 5000, "default_bind_address": "127.0.0.1"},
            "smtp_server": {"default_port": 2525, "default_bind_address": "127.0.0.1", "tls_enabled": True},
            "dns": {"mx_records": ["mx.posthaste.test"], "spf_include": "spf.posthaste.test", "return_path_domain": "rp.posthaste.test",
                    "route_domain": "routes.posthaste.test", "track_domain": "track.posthaste.test", "timeout": 2},
            "rails": {"secret_key": "0123456789abcdef" * 8},
            "posthaste": {"profile": "modern", "database": "mariadb" if database else "sqlite", "data_path": str(data or self.folder / "data")},
        }
        if database: self.settings.update(database.settings())
        for group, values in (settings or {}).items(): self.settings[group] = {**self.settings.get(group, {}), **values}
        self.write()

    def write(self): self.config.write_text(yaml.safe_dump(self.settings, sort_keys=False))

    # -- life
    def start(self, wait=True, env=None):
        with open(self.log_file, "ab") as log: self.process = subprocess.Popen([BINARY, "--config", self.config, "run"], stdout=log, stderr=log, env={**os.environ, **(env or {})})
        if wait: wait_for(self._ready, "posthaste answers /health")
        return self

    def _ready(self):
        if self.process.poll() is not None: raise AssertionError(f"posthaste ended with {self.process.returncode}:\n{tail(self.log_file)}")
        return self.answers()

    def answers(self):
        try: return requests.get(self.web + "/health", timeout=2).status_code == 200
        except requests.RequestException: return False

    def stop(self, how=signal.SIGTERM, timeout=30):
        """Ends the process; its exit status."""
        process, self.process = self.process, None
        if not process: return None
        if process.poll() is None: process.send_signal(how)
        try: return process.wait(timeout)
        except subprocess.TimeoutExpired: process.kill(); process.wait(); raise AssertionError(f"posthaste still runs {timeout} s after {how}:\n{tail(self.log_file)}")

    def log(self): return self.log_file.read_text(errors="replace")

    # -- commands
    def run(self, *words, stdin=None):
        return subprocess.run([BINARY, "--config", str(self.config), *words], input=stdin, capture_output=True, text=True, timeout=60)

    def command(self, *words, stdin=None, fine=(0,)):
        done = self.run("--json", *words, stdin=stdin)
        assert done.returncode in fine, f"posthaste {' '.join(words)}: exit {done.returncode}: {done.stderr or done.stdout}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    def apply(self, document): return self.command("apply", "-", stdin=json.dumps(copy.deepcopy(document)))


class Account:
    """An organization with one mail server, a verified domain, and its credentials."""
    key, api_key = "smtpsmtpsmtpsmtpsmtpsmtp", "apiapiapiapiapiapiapiapi"

    def __init__(self, product, domain="sender.test", mode="Live", name="one", credentials=()):
        self.product, self.domain, self.path = product, domain, f"{name}/mail"
        self.key, self.api_key = (f"{k[:-len(name)]}{name}" if name != "one" else k for k in (self.key, self.api_key))
        self.document = product.apply({"organizations": [{"permalink": name, "name": name, "servers": [
            {"permalink": "mail", "name": "Mail", "mode": mode, "domains": [{"name": domain, "verified": True}],
             "credentials": [{"type": "SMTP", "name": "smtp", "key": self.key}, {"type": "API", "name": "api", "key": self.api_key}, *credentials]}]}]})
        self.server = self.document["organizations"][0]["servers"][0]

    def publish(self, dns):
        """Puts the domain's records into the DNS and has the product look."""
        item = self.server["domains"][0]
        dns.txt(item["dkim_name"], item["dkim_value"]); dns.txt(self.domain, "v=spf1 a mx include:spf.posthaste.test ~all")
        dns.set("psrp." + self.domain, "CNAME", "rp.posthaste.test."); dns.set(self.domain, "MX", "10 mx.posthaste.test.")
        dns.set("rp.posthaste.test", "A", "127.0.0.1"); dns.set("mx.posthaste.test", "A", "127.0.0.1")
        self.product.command("domain", "check", self.domain, fine=(0, 7))

    def api(self, path, payload):
        return requests.post(f"{self.product.web}/api/v1/{path}", json=payload, headers={"X-Server-API-Key": self.api_key}, timeout=60).json()

    def send_raw(self, data, recipients, sender=None):
        answer = self.api("send/raw", {"mail_from": sender or f"a@{self.domain}", "rcpt_to": recipients, "data": base64.b64encode(data).decode()})
        assert answer["status"] == "success", answer
        return {to: item["id"] for to, item in answer["data"]["messages"].items()}

    def message(self, id):
        answer = self.api("messages/message", {"id": id, "_expansions": True})
        return answer["data"] if answer["status"] == "success" else None

    def deliveries(self, id): return self.api("messages/deliveries", {"id": id})["data"]

    def wait_status(self, id, *statuses, timeout=30):
        seen = {}
        def look():
            seen["last"] = self.message(id)
            return seen["last"] and seen["last"]["status"]["status"] in statuses and seen["last"]
        try: return wait_for(look, f"message {id} becomes {' or '.join(statuses)}", timeout, 0.1)
        except AssertionError as error: raise AssertionError(f"{error}; it is {seen['last'] and seen['last']['status']}; {self.deliveries(id)}") from None

    def wait_deliveries(self, id, count, timeout=30):
        return wait_for(lambda: (rows := self.deliveries(id)) and len(rows) >= count and rows, f"{count} deliveries of message {id}", timeout, 0.1)
