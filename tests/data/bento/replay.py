#!/usr/bin/env python3
"""replay.py HOST:PORT|unix:PATH TRANSCRIPT...: plays transcripts of the Bento protocol to a server and compares what it
answers to the byte. reference.txt holds what the public reference server answers, so it can be played to that one too;
beyond.txt holds our answers where that one has none.

A transcript is a list of cases, each on a connection of its own:

    == NAME             begins a case
    | LINE              a line of the code that the next `store` or `run` stores
    store               stores it: the frame, and its answer, which names $token
    execute CALL        runs it: the frame, and its answer, which names $id
    open                opens that run, which has no answer
    run CALL            the three of them
    > TYPE BODY         the client sends a frame: its type as two hexadecimal digits, the length counted
    >! BYTES            the client sends exactly these bytes
    < TYPE ERR BODY     the server answers with a response, six bytes of header
    < TYPE - BODY       the server answers with a message, five bytes of header
    hold, flush         what is sent between them goes in one piece
    pieces              from here on every byte is sent by itself
    leave               the client closes its connection; the next line needs another
    connection N        from here on another connection speaks
    closed              the server closes the connection
    # ...               a comment

In a BODY, $token and $id (and any further $name, which a colon may end) are a uuid4 each: the first one the server tells is
bound, and must be new; $TOKEN and $ID are the same in upper case. %41 is a byte, $(3 x) is xxx. A case ends with a fence: an unknown request, whose
refusal must be the next and only answer.
"""
import json, re, socket, struct, sys, uuid

SECONDS = 20
UUID = 36
TYPES = {"store": 0, "execute": 1, "open": 2}


class Mismatch(Exception):
    pass


def connect(where):
    if where.startswith("unix:"):
        s = socket.socket(socket.AF_UNIX)
        s.connect(where[5:])
    else:
        host, _, port = where.rpartition(":")
        s = socket.create_connection((host, int(port)))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.settimeout(SECONDS)
    return s


def shown(data):
    text = repr(bytes(data[:200]))[2:-1]
    return text if len(data) <= 200 else "%s... (%d bytes)" % (text, len(data))


class Case:
    tokens = set()  # every uuid4 that a server told in this run

    def __init__(self, where):
        self.where, self.names, self.code = where, {}, []
        self.connections, self.current = {}, 1
        self.held, self.bytewise = None, False

    @property
    def connection(self):
        if self.current not in self.connections:
            self.connections[self.current] = connect(self.where)
        return self.connections[self.current]

    def expand(self, body):
        """A list of bytes and, where a name is not bound yet, of that name."""
        out = []
        for literal, byte, count, what, name in re.findall(
                r"([^%$]+|[%$](?![0-9a-f]{2}|\(|[a-zA-Z]))|%([0-9a-f]{2})|\$\((\d+) (.)\)|\$([a-zA-Z]+):?", body, re.S):
            if byte:
                out.append(bytes([int(byte, 16)]))
            elif count:
                out.append(what.encode() * int(count))
            elif name.lower() in self.names:
                value = self.names[name.lower()]
                out.append((value.upper() if name.isupper() else value).encode())
            elif name:
                out.append(name)
            else:
                out.append(literal.encode())
        return out

    def bytes_of(self, body):
        parts = self.expand(body)
        for part in parts:
            if isinstance(part, str):
                raise SystemExit("nothing has named $" + part)
        return b"".join(parts)

    def send(self, data):
        if self.held is not None:
            self.held += data
        elif self.bytewise:
            for i in range(len(data)):
                self.connection.sendall(data[i:i + 1])
        else:
            self.connection.sendall(data)

    def read(self, size):
        out = bytearray()
        while len(out) < size:
            try:
                part = self.connection.recv(min(size - len(out), 1 << 20))
            except (TimeoutError, ConnectionError) as e:
                raise Mismatch("%s after %s" % (e, shown(out) or "nothing"))
            if not part:
                raise Mismatch("the server closed the connection after %s" % (shown(out) or "nothing"))
            out += part
        return bytes(out)

    def frame(self, kind, body):
        self.send(struct.pack(">BI", kind, len(body)) + body)

    def expect(self, head, body):
        parts = self.expand(body)
        size = sum(UUID if isinstance(p, str) else len(p) for p in parts)
        wanted = head + struct.pack(">I", size)
        got = self.read(len(wanted))
        if got != wanted:
            self.connection.settimeout(0.5)
            try:
                got += self.connection.recv(4096)
            except OSError:
                pass
            raise Mismatch("expected %s and %d bytes, got %s" % (shown(wanted), size, shown(got)))
        for part in parts:
            if isinstance(part, bytes):
                data = self.read(len(part))
                if data != part:
                    raise Mismatch("expected %s, got %s" % (shown(part), shown(data)))
                continue
            told = self.read(UUID).decode("ascii", "replace")
            try:
                good = str(uuid.UUID(told)) == told and uuid.UUID(told).version == 4
            except ValueError:
                good = False
            if not good or told in Case.tokens:
                raise Mismatch("expected a new uuid4, got " + told)
            Case.tokens.add(told)
            self.names[part] = told

    def play(self, line):
        word, _, rest = line.partition(" ")
        if word == "|":
            self.code.append(rest)
        elif word == "store":
            self.frame(TYPES[word], json.dumps({"name": "f", "code": "\n".join(self.code) + "\n"}).encode())
            self.code = []
            self.names.pop("token", None)
            self.expect(b"\0\0", "$token")
        elif word == "execute":
            self.frame(TYPES[word], json.dumps({"call": rest, "token": self.names["token"]}).encode())
            self.names.pop("id", None)
            self.expect(b"\1\0", "$id")
        elif word == "open":
            self.frame(TYPES[word], self.names["id"].encode())
        elif word == "run":
            for part in ("store", "execute " + rest, "open"):
                self.play(part)
        elif word == ">":
            self.frame(int(rest[:2], 16), self.bytes_of(rest[3:]))
        elif word == ">!":
            self.send(self.bytes_of(rest))
        elif word == "<":
            kind, err, body = (rest + "  ").split(" ", 2)
            self.expect(bytes.fromhex(kind + err.replace("-", "")), body[:-2] if rest.count(" ") >= 2 else "")
        elif word == "hold":
            self.held = b""
        elif word == "flush":
            data, self.held = self.held, None
            self.send(data)
        elif word == "pieces":
            self.bytewise = True
        elif word == "connection":
            self.current = int(rest)
        elif word == "leave":
            self.connections.pop(self.current).close()
        elif word == "closed":
            if self.connection.recv(1):
                raise Mismatch("the connection is not closed")
            self.leave_all()
        else:
            raise SystemExit("what is: " + line)

    def fence(self):
        for self.current in list(self.connections):
            self.frame(0x63, b"fence")
            self.expect(b"\x63\1", "invalid request")
        self.leave_all()

    def leave_all(self):
        for c in self.connections.values():
            c.close()
        self.connections = {}


def cases(path):
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip("\n")
            if line and not line.startswith("#"):
                yield "%s:%d" % (path, number), line


def main(where, *paths):
    played = failed = 0
    case = None
    for path in paths:
        for place, line in [*cases(path), ("%s: end" % path, "== ")]:
            try:
                if not line.startswith("== "):
                    if case:
                        case.play(line)
                    continue
                if case:
                    case.fence()
            except Mismatch as e:
                print("%s: %s\n    %s\n    %s" % (place, name, line, e))
                failed += 1
                case.leave_all()
                case = None
                if not line.startswith("== "):
                    continue
            if line == "== ":
                case = None
                break
            name, case = line[3:], Case(where)
            played += 1
    print("%d cases, %d failed" % (played, failed))
    return 1 if failed or not played else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
