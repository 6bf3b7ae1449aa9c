"""A real MariaDB of the test's own, on 127.0.0.1:3307."""
import signal, subprocess
from . import folder, tail, wait_for


class MariaDb:
    def __init__(self, port=3307):
        self.folder, self.port, self.process = folder("mariadb"), port, None
        self.socket = self.folder / "socket"

    def start(self):
        data, log = self.folder / "data", open(self.folder / "log", "ab")
        if not data.exists():
            subprocess.run(["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--user=root", "--auth-root-authentication-method=normal"],
                           check=True, stdout=log, stderr=log)
        self.process = subprocess.Popen(["mariadbd", "--no-defaults", "--user=root", f"--datadir={data}", "--bind-address=127.0.0.1", f"--port={self.port}",
                                         f"--socket={self.socket}", "--innodb-flush-log-at-trx-commit=1"], stdout=log, stderr=log)
        grants = ("create user if not exists postal@'%' identified by 'postal'; grant all on *.* to postal@'%'; "
                  "create user if not exists postal@localhost identified by 'postal'; grant all on *.* to postal@localhost; create database if not exists postal")
        wait_for(lambda: self.sql(grants, check=False).returncode == 0, f"MariaDB starts; its log ends with\n{tail(self.folder / 'log')}", pause=0.2)
        return self

    def sql(self, text, check=True):
        return subprocess.run(["mariadb", "--no-defaults", "-uroot", "-S", str(self.socket), "-N", "-e", text], capture_output=True, text=True, check=check)

    def stop(self, how=signal.SIGTERM):
        if self.process: self.process.send_signal(how); self.process.wait(60); self.process = None

    def settings(self):
        login = {"host": "127.0.0.1", "port": self.port, "username": "postal", "password": "postal"}
        return {"main_db": {**login, "database": "postal"}, "message_db": {**login, "database_name_prefix": "postal"}}
