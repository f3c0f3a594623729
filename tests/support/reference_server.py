#!/usr/bin/env python3
"""A Bento server that is to its callers what the public reference is: its frames, its silences, and what it cannot do.

No function is ended but by itself, none is deleted, Open and Close are not answered, whoever knows an id can open it,
all of them read at one place of the output, and what a slow reader has not taken when the function ends is lost.
Functions are plain processes: for a test's own code only.

    reference_server.py      prints its port on 127.0.0.1, serves until it is killed
"""

import base64
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import uuid

STORE, EXECUTE, OPEN, CLOSE, NOTICE, ERROR, OUTPUT, INPUT = range(8)

RUNNER = r"""
import base64, json, select, struct, sys

class api:
    @staticmethod
    def put(failed, data):
        data = data.encode() if isinstance(data, str) else data
        sys.stdout.buffer.write(struct.pack(">BI", failed, len(data)) + data)
        sys.stdout.buffer.flush()
    @staticmethod
    def send(data):
        if not data: return 0
        api.put(0, data)
        return len(data)
    @staticmethod
    def recv():
        size, = struct.unpack(">I", sys.stdin.buffer.read(4))
        return sys.stdin.buffer.read(size)
    @staticmethod
    def poll():
        return bool(select.select([sys.stdin.buffer], [], [], 0)[0])

asked = json.loads(base64.b64decode(sys.argv[1]))
names = {"api": api, "__name__": "__main__"}
code = compile(asked["code"], "<inline>", "exec")
result = None
try:
    exec(code, names)
    result = eval(asked["call"], names)
except Exception as failure:
    api.put(1, str(failure))
if result: api.send(result)
"""


class Function:
    def __init__(self, folder, code, call):
        self.id = str(uuid.uuid4())
        path = os.path.join(folder, self.id + ".out")
        asked = base64.b64encode(json.dumps({"code": code, "call": call}).encode()).decode()
        with open(path, "wb") as written:
            self.process = subprocess.Popen([sys.executable, "-c", RUNNER, asked], stdin=subprocess.PIPE, stdout=written)
        self.output = open(path, "rb")


class Gone(Exception):
    pass


class Connection:
    def __init__(self, peer, folder, functions):
        self.peer, self.folder, self.functions = peer, folder, functions

    def read(self, size):
        parts = []
        while size > 0:
            part = self.peer.recv(min(size, 1 << 16))
            if not part: raise Gone
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def frame(self):
        kind, size = struct.unpack(">BI", self.read(5))
        if size == 0: raise Gone  # an empty body is taken for the end of the connection
        return kind, self.read(size)

    def answer(self, kind, failed, body):
        self.peer.sendall(struct.pack(">BBI", kind, failed, len(body)) + body.encode())

    def tell(self, kind, function, data):
        self.peer.sendall(struct.pack(">BI", kind, 36 + len(data)) + function.id.encode() + data)

    def serve(self):
        try:
            while True:
                self.talk(self.requests())
        except (Gone, OSError):
            pass
        self.peer.close()

    def requests(self):
        """Until a function is opened."""
        while True:
            kind, body = self.frame()
            if kind == STORE:
                token, asked = str(uuid.uuid4()), json.loads(body)
                with open(os.path.join(self.folder, token + ".json"), "w") as f:
                    json.dump(asked, f)
                self.answer(kind, 0, token)
            elif kind == EXECUTE:
                asked = json.loads(body)
                path = os.path.join(self.folder, asked["token"] + ".json")
                if not os.path.exists(path):
                    self.answer(kind, 1, "invalid token")
                    continue
                with open(path) as f:
                    function = Function(self.folder, json.load(f)["code"], asked["call"])
                self.functions[function.id] = function
                self.answer(kind, 0, function.id)
            elif kind == OPEN:
                function = self.functions.get(body.decode())
                if function: return function
                self.answer(kind, 1, "no instance exists with id: " + body.decode())
            else:
                self.answer(kind, 1, "invalid request")

    def talk(self, function):
        """Until it has ended, or is closed."""
        queue, ended = [], False
        while not ended:
            readable, writable, _ = select.select([self.peer], [self.peer], [], 0)
            ended = function.process.poll() is not None
            idle = True
            if writable and queue:
                self.tell(*queue.pop(0))
                idle = False
            if readable:
                idle = False
                kind, body = self.frame()
                if kind == CLOSE: return
                if kind != INPUT:
                    self.tell(NOTICE, function, b"invalid msg type")
                elif function.process.poll() is None:
                    function.process.stdin.write(struct.pack(">I", len(body) - 36) + body[36:])
                    function.process.stdin.flush()
            head = function.output.read(5)
            if len(head) == 5:
                ended = idle = False
                failed, size = struct.unpack(">BI", head)
                data = b""
                while len(data) < size: data += function.output.read(size - len(data))
                queue.append((ERROR if failed else OUTPUT, function, data))
            if idle and not ended: time.sleep(0.001)
        self.tell(NOTICE, function, b"function dead")


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    functions = {}
    with tempfile.TemporaryDirectory() as folder:
        try:
            while True:
                peer, _ = listening.accept()
                threading.Thread(target=Connection(peer, folder, functions).serve, daemon=True).start()
        finally:
            for f in functions.values(): f.process.kill()


if __name__ == "__main__":
    main()
