"""An SMTP server that answers as it is told: for replies that a real one won't give when asked to."""
import socket, ssl, threading, time
from dataclasses import dataclass, field


@dataclass
class Mail:
    sender: str
    recipients: list
    data: bytes = b""
    tls: bool = False
    at: float = field(default_factory=time.time)


class Sink:
    """`script[VERB]`: a list of replies, used up one after the other, or a function of the argument; None closes the connection.

    Verbs: CONNECT EHLO HELO STARTTLS MAIL RCPT DATA DOT RSET QUIT. `pause`: a function of the mail that gives the seconds
    between taking it and saying so.
    """
    def __init__(self, ip, port=25, tls=None, extensions=("8BITMIME", "PIPELINING")):
        self.ip, self.port, self.tls, self.extensions = ip, port, tls, list(extensions)
        self.mails, self.commands, self.connections, self.peers, self.script = [], [], 0, [], {}
        self.pause = lambda mail: 0
        self._lock = threading.Lock(); self._stop = threading.Event()

    def start(self):
        self.listener = socket.socket(); self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((self.ip, self.port)); self.listener.listen(256); self.listener.settimeout(0.2)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def stop(self):
        self._stop.set(); self.listener.close()

    def reply(self, verb, argument, usual):
        """The scripted reply, else the usual one."""
        with self._lock:
            scripted = self.script.get(verb)
            if callable(scripted): return scripted(argument)
            return scripted.pop(0) if scripted else usual

    def _accept(self):
        while not self._stop.is_set():
            try: client, (peer, _) = self.listener.accept()
            except socket.timeout: continue
            except OSError: return
            self.connections += 1; self.peers.append(peer)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            client.settimeout(60)
            self._dialogue(client)
        except (OSError, ssl.SSLError, ConnectionError): pass
        finally: client.close()

    def _dialogue(self, client):
        stream, mail, secure = client.makefile("rb"), None, False

        def say(verb, argument, usual):
            text = self.reply(verb, argument, usual)
            if text is None: raise ConnectionError
            client.sendall(text.replace("\n", "\r\n").encode() + b"\r\n")
            return text

        say("CONNECT", "", "220 sink ESMTP")
        while line := stream.readline(4096):
            text = line.decode("utf-8", "replace").strip(); verb, _, argument = text.partition(" "); verb = verb.upper()
            self.commands.append(text)
            if verb == "EHLO":
                lines = ["sink", *self.extensions, *(["STARTTLS"] if self.tls and not secure else [])]
                say(verb, argument, "\n".join(f"250{'-' if i < len(lines) - 1 else ' '}{l}" for i, l in enumerate(lines)))
            elif verb == "STARTTLS" and self.tls:
                if say(verb, argument, "220 go").startswith("220"):
                    client = self.tls.wrap_socket(client, server_side=True); stream = client.makefile("rb"); secure = True
            elif verb == "MAIL":
                if say(verb, argument, "250 ok").startswith("250"): mail = Mail(argument, [], tls=secure)
            elif verb == "RCPT":
                if say(verb, argument, "250 ok").startswith("250"): mail.recipients.append(argument)
            elif verb == "DATA":
                if say(verb, argument, "354 go").startswith("354"):
                    data = []
                    while (line := stream.readline()) not in (b".\r\n", b""): data.append(line[1:] if line.startswith(b".") else line)
                    if line == b"": return
                    mail.data, mail.at = b"".join(data), time.time()
                    taken = self.reply("DOT", mail.data, "250 2.0.0 taken")
                    if taken is None: raise ConnectionError
                    if taken.startswith("250"): self.mails.append(mail)      # from here on it is ours, whether or not anybody hears it
                    time.sleep(self.pause(mail))
                    client.sendall(taken.replace("\n", "\r\n").encode() + b"\r\n")
            elif verb == "QUIT": say(verb, argument, "221 bye"); return
            else: say(verb, argument, "250 ok")
