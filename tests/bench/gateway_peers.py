"""The gateway on one Bento server: beside nginx, which answers with nothing or with as many bytes; beside an epoll loop that does
nothing but read and write; and beside the gateway of the thesis' Figure 3.4."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from bench import BENTOCTL, report, side_by_side, talk

BARE_HTTP = os.environ.get("BARE_HTTP", "bare_http")
CONNECTIONS = 16
SECONDS = 1  # short and many, turn by turn: what disturbs the machine falls into few of them
TARGET_ROUNDS = 61  # a round's ratio is off by 6 % or so, the median of these by 1 %
ROUNDS = 15
CALLS = 60
LARGE = 100_000_000

FUNCTIONS = """
def hello():
    api.send("hello world")

def large(size):
    api.send(b"x" * size)
"""

# Figure 3.4: a connection to the Bento server for each request, Execute, Open, and its first output.
FLASK = r"""
import json, socket, struct, sys
import flask

class ClientConnection:
    def __init__(self, path):
        self.conn = socket.socket(socket.AF_UNIX)
        self.conn.connect(path)
    def read(self, size):
        data = b""
        while len(data) < size: data += self.conn.recv(size - len(data))
        return data
    def send_execute_request(self, call, token):
        body = json.dumps({"call": call, "token": token}).encode()
        self.conn.sendall(struct.pack(">BI", 1, len(body)) + body)
        _, failed, size = struct.unpack(">BBI", self.read(6))
        body = self.read(size).decode()
        return (None, body) if failed else (body, None)
    def send_open_request(self, session_id):
        self.conn.sendall(struct.pack(">BI", 2, 36) + session_id.encode())
    def recv_output(self):
        kind, size = struct.unpack(">BI", self.read(5))
        return self.read(size)[36:], kind

app = flask.Flask(__name__)

@app.route("/open", methods=["POST"])
def exec_open_req():
    sock_hs = ClientConnection(sys.argv[1])
    jsonified = json.loads(flask.request.get_data().decode("utf-8"))
    session_id, errmsg = sock_hs.send_execute_request(jsonified["1"], jsonified["0"])
    sock_hs.send_open_request(session_id)
    data, msg_type = sock_hs.recv_output()
    return flask.make_response(bytes(data)), 200

app.run(host="127.0.0.1", port=int(sys.argv[2]))
"""

NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 256; }}
http {{ access_log off; keepalive_requests 100000000; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
server {{ listen 127.0.0.1:{port}; location / {{ return 200; }} location /page {{ return 200 "{page}"; }} }} }}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def wait_for_port(port):
    for _ in range(500):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    sys.exit(f"nothing answers on port {port}")


@contextlib.contextmanager
def running(command, given=subprocess.DEVNULL):
    process = subprocess.Popen(command, stdin=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def page(port):
    """The whole answer to GET /, as it is sent to who keeps the connection."""
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        answer, whole = b"", None
        while whole is None or len(answer) < whole:
            part = s.recv(65536)
            if not part:
                sys.exit(f"a page that is none: {answer!r}")
            answer += part
            head, end, _ = answer.partition(b"\r\n\r\n")
            if end:
                whole = len(head + end) + int(re.search(rb"Content-Length: (\d+)", head)[1])
    return answer


def requests_a_second(port, path="/"):
    """wrk's own figure; it stops where an answer is no success."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", f"http://127.0.0.1:{port}{path}"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        sys.exit(out)
    return float(re.search(r"Requests/sec:\s*([\d.]+)", out)[1])


class Caller:
    """One keep-alive connection where the server keeps it, a new one where not."""

    def __init__(self, port, body):
        self.port, self.connection = port, None
        self.request = (f"POST /open HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                        f"Content-Length: {len(body)}\r\n\r\n{body}").encode()

    def seconds(self):
        started = time.perf_counter()
        if self.connection is None:
            self.connection = socket.create_connection(("127.0.0.1", self.port))
        self.connection.sendall(self.request)
        answer = b""
        while not answer.endswith(b"hello world"):
            part = self.connection.recv(65536)
            if not part:
                sys.exit(f"an answer that is none: {answer!r}")
            answer += part
        spent = time.perf_counter() - started
        if b"Connection: close" in answer or answer.startswith(b"HTTP/1.0"):
            self.connection.close()
            self.connection = None
        time.sleep(0.02)  # for both: the box makes the next sandbox ready
        return spent


def memory(pid, reset=False):
    """The most that was resident since the last reset."""
    if reset:
        with open(f"/proc/{pid}/clear_refs", "w") as f:
            f.write("5")
    with open(f"/proc/{pid}/status") as f:
        return 1024 * int(re.search(r"VmHWM:\s*(\d+)", f.read())[1])


def stream(port, body, extra):
    """Reads a whole answer, and how many bytes it had."""
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall((f"POST /open HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode())
        total = 0
        while part := s.recv(1 << 18):
            total += len(part)
    if total < extra:
        sys.exit(f"{total} bytes of {extra}")


def post(port, path, body):
    text = json.dumps(body)
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(f"POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())
        answer = b""
        while part := s.recv(65536):
            answer += part
    return json.loads(answer.split(b"\r\n\r\n", 1)[1])


def main():
    for needed in ("nginx", "wrk"):
        if not shutil.which(needed, path=os.environ["PATH"] + ":/usr/sbin"):
            sys.exit(f"{needed} is missing: .ci/deps bench installs it")
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as peers:
        ours, nginx, bare, flask = free_port(), free_port(), free_port(), free_port()
        with open(os.path.join(folder, "config.toml"), "w") as f:
            f.write('[box]\nwarm = 8\n')
        serve = peers.enter_context(running(
            [BENTOCTL, "serve", "--no-onion", "--listen", f"127.0.0.1:{ours}", "--state-dir", os.path.join(folder, "state"),
             "-c", os.path.join(folder, "config.toml")]))
        wait_for_port(ours)
        answer = page(ours)
        with tempfile.TemporaryFile() as f:
            f.write(answer)
            f.seek(0)
            peers.enter_context(running([BARE_HTTP, str(bare)], f))
        wait_for_port(bare)
        config = os.path.join(folder, "nginx.conf")
        with open(config, "w") as f:
            f.write(NGINX.format(folder=folder, port=nginx, page="p" * len(answer.split(b"\r\n\r\n", 1)[1])))
        peers.enter_context(running([shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"), "-c", config]))
        wait_for_port(nginx)
        token = post(ours, "/store", {"name": "f", "code": FUNCTIONS})["token"]

        talk("GET /, 16 connections that are kept")
        mine, theirs = side_by_side(TARGET_ROUNDS, lambda: requests_a_second(ours), lambda: requests_a_second(nginx))
        report("GET /, requests", mine, "/s", theirs, "nginx, an empty answer", ratio=1)
        mine, theirs = side_by_side(ROUNDS, lambda: requests_a_second(ours), lambda: requests_a_second(nginx, "/page"))
        report("GET /, requests", mine, "/s", theirs, "nginx, as many bytes")
        mine, theirs = side_by_side(ROUNDS, lambda: requests_a_second(ours), lambda: requests_a_second(bare))
        report("GET /, requests", mine, "/s", theirs, "bare epoll loop, the same bytes")

        talk("POST /open through the thesis' gateway")
        peers.enter_context(running([sys.executable, "-c", FLASK, os.path.join(folder, "state", "box.sock"), str(flask)]))
        wait_for_port(flask)
        body = json.dumps({"0": token, "1": "hello()"})
        here, there = Caller(ours, body), Caller(flask, body)
        mine, theirs = side_by_side(CALLS, here.seconds, there.seconds)
        report("POST /open, a call", mine, "s", theirs, "Flask", ratio=1)

        talk("100 MB through it")
        stream(ours, json.dumps({"token": token, "call": "large(1000000)"}), 1000000)
        for mode, size in (("first", LARGE), ("stream", LARGE * 4 // 3)):
            before = memory(serve.pid, reset=True)
            started = time.perf_counter()
            stream(ours, json.dumps({"token": token, "call": f"large({LARGE})", "mode": mode}), size)
            spent = time.perf_counter() - started
            report(f"memory of 100 MB, mode {mode}", memory(serve.pid) - before, "B", limit=8 << 20)
            report(f"speed of 100 MB, mode {mode}", LARGE / spent, "B/s")


main()
