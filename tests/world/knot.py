"""A real authoritative DNS server (Knot) for the zone `test.` on 127.0.0.1:53, with records that change while it runs."""
import socket, subprocess
from . import folder, tail, wait_for


class Knot:
    def __init__(self):
        self.folder, self.records, self.serial = folder("knot"), {}, 1
        self.process = None

    def start(self):
        (self.folder / "knot.conf").write_text(f"""
server:
  listen: 127.0.0.1@53
  rundir: {self.folder}
  automatic-acl: on
control:
  listen: {self.folder}/control
database:
  storage: {self.folder}
log:
  - target: {self.folder}/knot.log
    any: info
zone:
  - domain: test
    file: {self.folder}/test.zone
    zonefile-sync: -1
    journal-content: none
""")
        self._write()
        self.process = subprocess.Popen(["knotd", "-c", str(self.folder / "knot.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self._answers, f"knotd answers; its log ends with\n{tail(self.folder / 'knot.log')}")
        return self

    def stop(self):
        if self.process: self.process.terminate(); self.process.wait(10); self.process = None

    def set(self, name, type_, *values):
        """Replaces the records of this name and type; no values: removes them."""
        key = (name.rstrip("."), type_)
        if values: self.records[key] = list(values)
        else: self.records.pop(key, None)
        self.serial += 1; self._write()
        if self.process: subprocess.run(["knotc", "-s", str(self.folder / "control"), "-b", "zone-reload", "test"], check=True, capture_output=True)

    def txt(self, name, text):
        self.set(name, "TXT", " ".join('"%s"' % text[i:i + 250].replace('"', '\\"') for i in range(0, max(len(text), 1), 250)))

    def _write(self):
        lines = ["$TTL 1", f"test. IN SOA ns.test. hostmaster.test. {self.serial} 60 60 600 1", "test. IN NS ns.test.", "ns.test. IN A 127.0.0.1"]
        lines += [f"{name}. IN {type_} {value}" for (name, type_), values in self.records.items() for value in values]
        (self.folder / "test.zone").write_text("\n".join(lines) + "\n")

    def _answers(self):
        query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x02ns\x04test\x00\x00\x01\x00\x01"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.5)
            try: s.sendto(query, ("127.0.0.1", 53)); return s.recv(512)
            except OSError: return None
