"""Rates of Posthaste beside Postfix under the same load, and Posthaste's memory.

Load: Postfix's smtp-source. Receiver: Postfix's smtp-sink. Both servers sync a message to disk before they answer 250.

  accept       Postfix puts mail on hold; Posthaste runs without its worker
  end-to-end   DKIM with RSA-2048 (Postfix through opendkim) and delivery to the sink; the clock stops when the sink has
               counted the last message
  api          POST /api/v1/send/raw, 64 connections, without the worker; Postfix has nothing to compare
  memory       resident: idle, per open connection, per message of a backlog
  backlog      messages that wait in the table, delivered to the sink: the rate of each quarter

The two servers take turns, and each measurement is the median of its rounds; so is the ratio. Beside the rates stands
the time on the processor for 1,000 messages (Postfix: all its processes and opendkim; MariaDB's counts as Posthaste's).
"""
import argparse, os, socket, statistics, time
from http_load import Load
from peers import PosthastePeer, PostfixPeer, SmtpSink, processor_seconds, source
from world import wait_for
from world.knot import Knot
from world.mariadb import MariaDb


def measure(peer, sink, messages, run):
    """Messages a second, and seconds on the processor for 1,000."""
    before = sink.count if sink else 0; used = processor_seconds(peer.pids()); started = time.time()
    run()
    if sink: wait_for(lambda: sink.count - before >= messages, f"{peer.name}: the sink has all {messages}", 300, 0.01)
    took = time.time() - started
    return messages / took, (processor_seconds(peer.pids()) - used) / messages * 1000


def median(results, index): return statistics.median(result[index] for result in results)


def compare(ours, theirs, sink, label, options):
    for peer in ours, theirs: peer.start(); source(peer.address, 50, 1, 5)        # warm
    time.sleep(1)
    try:
        for size in options.size:
            for concurrency in options.concurrency:
                count = max(100, int(options.messages * (0.25 if concurrency == 1 else 1) * (0.3 if size >= 100 else 1) * (0.33 if sink else 1)))
                rounds = {ours: [], theirs: []}
                for _ in range(options.rounds):
                    for peer, messages in (ours, count), (theirs, max(100, count // 3)):
                        rounds[peer].append(measure(peer, sink, messages, lambda: source(peer.address, messages, size, concurrency)))
                ratio = statistics.median(a[0] / b[0] for a, b in zip(rounds[ours], rounds[theirs]))
                print(f"{label:<11} {size:4} KB  concurrency {concurrency:3}   posthaste {median(rounds[ours], 0):6.0f}/s {median(rounds[ours], 1):5.2f} s cpu   "
                      f"postfix {median(rounds[theirs], 0):6.0f}/s {median(rounds[theirs], 1):5.2f} s cpu   ratio {ratio:5.2f}", flush=True)
    finally: ours.stop(); theirs.stop()


def api(peer, options):
    peer.start()
    try:
        for size in options.size:
            load = Load(("127.0.0.1", 5000), peer.account.api_key, size); load.run(50, 5)
            results = [measure(peer, None, options.messages, lambda: load.run(options.messages, 64)) for _ in range(options.rounds)]
            print(f"{'api':<11} {size:4} KB  concurrency  64   posthaste {median(results, 0):6.0f}/s {median(results, 1):5.2f} s cpu", flush=True)
    finally: peer.stop()


def memory(peer, options):
    connections = 1000
    peer.start(); time.sleep(3); idle = peer.memory_mb()
    print(f"memory      idle, all roles: {idle:.0f} MB", flush=True)
    try:
        opened = [socket.create_connection(peer.address) for _ in range(connections)]
        for connection in opened: connection.recv(512); connection.sendall(b"EHLO bench.test\r\n"); connection.recv(512)
        time.sleep(0.5)
        print(f"memory      per open SMTP connection: {(peer.memory_mb() - idle) * 1024 / connections:.1f} KB", flush=True)
        for connection in opened: connection.close()
        sink = SmtpSink(delay=2).start(); before = peer.memory_mb()
        try:
            for waiting in options.messages, options.messages:
                source(peer.address, waiting, 10, 50); time.sleep(2)
                print(f"memory      {waiting} more messages of 10 KB for a slow receiver: {peer.memory_mb() - before:+.0f} MB in all, {sink.count} delivered so far", flush=True)
        finally: sink.stop()
    finally: peer.stop()


def backlog(peer, options):
    peer.start("smtp,web"); source(peer.address, options.messages, 10, 50); peer.product.stop()
    sink = SmtpSink().start(); peer.start("smtp,web,worker")
    try:
        for quarter in range(1, 5):
            until = options.messages * quarter // 4; started, before, used = time.time(), sink.count, processor_seconds(peer.pids())
            wait_for(lambda: sink.count >= until, f"{until} of the backlog", 600, 0.02)
            done = sink.count - before
            print(f"backlog     {options.messages - sink.count:6} left   {done / (time.time() - started):6.0f}/s {(processor_seconds(peer.pids()) - used) / done * 1000:5.2f} s cpu   "
                  f"memory {peer.memory_mb():.0f} MB, at most {peer.memory_mb('VmHWM'):.0f} MB", flush=True)
    finally: sink.stop(); peer.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["sqlite", "mariadb"], default="sqlite")
    parser.add_argument("--only", choices=["accept", "end-to-end", "api", "memory", "backlog"])
    parser.add_argument("--size", type=int, action="append", help="KB; default 2, 10, 100"); parser.add_argument("--concurrency", type=int, action="append", help="default 1, 20, 100")
    parser.add_argument("--messages", type=int, default=10000); parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="2000 messages, one round")
    options = parser.parse_args()
    options.size, options.concurrency = options.size or [2, 10, 100], options.concurrency or [1, 20, 100]
    if options.quick: options.messages, options.rounds = 2000, 1
    dns = Knot().start(); database = MariaDb().start() if options.database == "mariadb" else None
    print(f"database {options.database}, {os.cpu_count()} cores, {options.messages} messages, median of {options.rounds}", flush=True)

    def wanted(part):
        if options.only not in (None, part): return False
        if database: reset(database)
        return True

    def ours(roles): return PosthastePeer(roles, database, dns)
    try:
        if wanted("memory"): memory(ours("smtp,web,worker"), options)
        if wanted("accept"): compare(ours("smtp,web"), PostfixPeer(False), None, "accept", options)
        if wanted("api"): api(ours("smtp,web"), options)
        if wanted("end-to-end"):
            sink = SmtpSink().start()
            try: compare(ours("smtp,web,worker"), PostfixPeer(True), sink, "end to end", options)
            finally: sink.stop()
        if wanted("backlog"): backlog(ours("smtp,web"), options)
    finally:
        dns.stop()
        if database: database.stop()


def reset(database):
    names = database.sql("select schema_name from information_schema.schemata where schema_name like 'postal%'").stdout.split()
    database.sql("".join(f"drop database `{name}`;" for name in names) + "create database postal")


if __name__ == "__main__": main()
