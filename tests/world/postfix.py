"""A real Postfix as a remote mail server on 127.0.0.x:25: takes mail for a domain and puts it into a Maildir."""
import subprocess
from . import folder, tail, wait_for

MASTER = """
smtp      inet  n       -       n       -       -       smtpd
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
proxywrite unix -       -       n       -       1       proxymap
smtp      unix  -       -       n       -       -       smtp
relay     unix  -       -       n       -       -       smtp
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
local     unix  -       n       n       -       -       local
virtual   unix  -       n       n       -       -       virtual
anvil     unix  -       -       n       -       1       anvil
scache    unix  -       -       n       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
"""


class Postfix:
    def __init__(self, ip, domain, settings=None):
        self.ip, self.domain, self.folder = ip, domain, folder("postfix")
        self.settings = settings or {}

    def start(self):
        etc, mail = self.folder / "etc", self.folder / "mail"
        for path in (etc, mail, self.folder / "spool", self.folder / "lib"): path.mkdir()
        subprocess.run(["ip", "address", "add", f"{self.ip}/32", "dev", "lo"], capture_output=True)      # Postfix wants it on an interface
        mail.chmod(0o777); subprocess.run(["chown", "postfix", self.folder / "lib"], check=True)
        settings = {"compatibility_level": "3.6", "queue_directory": self.folder / "spool", "data_directory": self.folder / "lib",
                    "command_directory": "/usr/sbin", "daemon_directory": "/usr/lib/postfix/sbin", "mail_owner": "postfix", "setgid_group": "postdrop",
                    "inet_interfaces": self.ip, "inet_protocols": "ipv4", "myhostname": f"mx.{self.domain}", "mydestination": "", "mynetworks": "127.0.0.0/8",
                    "virtual_mailbox_domains": self.domain, "virtual_mailbox_base": mail, "virtual_mailbox_maps": "static:inbox/",
                    "virtual_uid_maps": "static:5000", "virtual_gid_maps": "static:5000", "virtual_minimum_uid": "100", "virtual_mailbox_limit": "0",
                    "message_size_limit": "60000000", "maillog_file": self.folder / "postfix.log", "maillog_file_prefixes": "/tmp,/var",
                    "smtpd_peername_lookup": "no", "smtpd_client_connection_rate_limit": "0", "alias_maps": "", "local_recipient_maps": "", **self.settings}
        (etc / "main.cf").write_text("".join(f"{key} = {value}\n" for key, value in settings.items()))
        (etc / "master.cf").write_text(MASTER)
        done = subprocess.run(["postfix", "-c", etc, "start"], capture_output=True, text=True)
        if done.returncode: raise RuntimeError(f"postfix did not start: {done.stdout}{done.stderr}{tail(self.folder / 'postfix.log')}")
        return self

    def stop(self): subprocess.run(["postfix", "-c", self.folder / "etc", "stop"], capture_output=True)

    def mails(self):
        """The messages in the mailbox, as bytes with CRLF line ends, as they came over the wire behind what Postfix adds."""
        new = self.folder / "mail" / "inbox" / "new"
        return [path.read_bytes().replace(b"\n", b"\r\n") for path in sorted(new.iterdir())] if new.exists() else []

    def wait(self, text, timeout=30):
        """The message that contains this text."""
        wanted = text.encode()
        found = wait_for(lambda: next((m for m in self.mails() if wanted in m), None), f"a message with {text!r} at {self.domain}; the log ends with\n{tail(self.folder / 'postfix.log')}", timeout)
        return found


def as_sent(mail):
    """What the sender handed over: without the header fields that Postfix put on top (Return-Path, X-Original-To, Delivered-To, its Received)."""
    head, _, body = mail.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    while lines and lines[0].split(b":")[0].lower() in (b"return-path", b"x-original-to", b"delivered-to", b"received"):
        lines.pop(0)
        while lines and lines[0][:1] in (b" ", b"\t"): lines.pop(0)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
