# What directory_load.sh does to a directory with many connections at a time: `directory_load.py MODE HOST:PORT ...`.
import asyncio, json, sys, time, uuid

HOST, PORT = sys.argv[2].rsplit(":", 1)
ONIONS = ["aoqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4bqead.onion",
          "64s2oqgcthuebyvyl2ala67tjk5emyt7tgg2dbyj6m5zfbk7fhezh3yd.onion"]


class Connection:
    """One at a time, as HTTP/1.1 has it; made again where it has ended."""

    writer = None

    async def send(self, method, path, body=None):
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(HOST, int(PORT))
        data = b"" if body is None else json.dumps(body).encode()
        kind = "" if body is None else "Content-Type: application/json\r\n"
        head = f"{method} {path} HTTP/1.1\r\nHost: {HOST}:{PORT}\r\n{kind}Content-Length: {len(data)}\r\n\r\n"
        self.writer.write(head.encode() + data)

    async def receive(self):
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        body = await self.reader.readexactly(int(fields.get("Content-Length", 0)))
        return int(head.split()[1]), fields, body

    async def ask(self, method, path, body=None):
        await self.send(method, path, body)
        return await self.receive()

    def close(self):
        if self.writer is not None:
            self.writer.close()


def entry(token, password, onion=ONIONS[0]):
    return {"token": token, "name": "f", "code": "def f():\n    pass\n", "onion": onion, "password": password}


async def every(count, work):
    """`work(connection, number)` on as many connections as that."""
    async def one(i):
        c = Connection()
        try:
            return await work(c, i)
        finally:
            c.close()
    return await asyncio.gather(*(one(i) for i in range(count)))


async def load():
    """Registers and moves until the directory is gone; prints what was acknowledged, a line each."""
    async def work(c, i):
        try:
            while True:
                token = str(uuid.uuid4())
                for path, onion in ("/register", ONIONS[0]), ("/reregister", ONIONS[1]):
                    status, _, _ = await c.ask("POST", path, entry(token, "p", onion))
                    if status == 503:
                        break
                    assert status in (200, 201), status
                    print(path, token, flush=True)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
    await every(32, work)


async def check():
    """What load() printed into a file is there, and can still be moved by its password."""
    moved = {}
    for line in open(sys.argv[3]):
        path, token = line.split()
        moved[token] = path == "/reregister"
    tokens = list(moved)
    async def work(c, i):
        for token in tokens[i::16]:
            status, _, answer = await c.ask("GET", "/lookup/" + token)
            assert status == 200, (token, status)
            # A move may have been written whose answer did not come.
            assert not moved[token] or json.loads(answer)["onion"] == ONIONS[1], answer
            while (status := (await c.ask("POST", "/reregister", entry(token, "p", ONIONS[1])))[0]) == 503:
                pass
            assert status == 200, (token, status)
    await every(16, work)
    print(len(tokens))


async def contend():
    """10,000 registrations of 100 tokens at a time, each with a password of its own."""
    tokens = [str(uuid.uuid4()) for _ in range(100)]
    winners, counts = {}, {}
    async def work(c, i):
        wishes = [(tokens[(i + k * 7) % 100], f"{i} {k}") for k in range(20)]
        for token, password in wishes:
            await c.send("POST", "/register", entry(token, password))
        # Who is sent away comes again.
        while wishes:
            later = []
            for token, password in wishes:
                status, _, _ = await c.receive()
                if status == 503:
                    later.append((token, password))
                    continue
                counts[status] = counts.get(status, 0) + 1
                if status == 201:
                    assert token not in winners, "two winners"
                    winners[token] = password
            wishes = later
            for token, password in wishes:
                await c.send("POST", "/register", entry(token, password))
    await every(500, work)
    assert counts == {201: 100, 409: 9900}, counts
    async def move(c, i):
        token = tokens[i]
        assert (await c.ask("POST", "/reregister", entry(token, "not " + winners[token])))[0] == 403
        assert (await c.ask("POST", "/reregister", entry(token, winners[token], ONIONS[1])))[0] == 200
    # One after another: each is a password to be checked.
    for i in range(100):
        await every(1, lambda c, _: move(c, i))
    print("one winner each")


async def flood():
    """While more registrations wait than may, look-ups are answered as ever."""
    known = str(uuid.uuid4())
    assert (await every(1, lambda c, _: c.ask("POST", "/register", entry(known, "p"))))[0][0] == 201
    answered = []
    async def register(c, i):
        status, fields, _ = await c.ask("POST", "/register", entry(str(uuid.uuid4()), "p"))
        answered.append(status)
        assert status in (201, 503), status
        assert status == 201 or fields["Retry-After"] == "5", fields
    async def look_up(c, i):
        while 503 not in answered:
            await asyncio.sleep(0.01)
        times = []
        for _ in range(500):
            begun = time.monotonic()
            status, _, _ = await c.ask("GET", "/lookup/" + known)
            assert status == 200, status
            times.append(time.monotonic() - begun)
        return len(answered), times
    flooding = asyncio.ensure_future(every(100, register))
    looked = await every(4, look_up)
    registered = answered.count(201)
    assert not flooding.done(), "the flood was over before the look-ups"
    flooding.cancel()
    times = sorted(t for _, ts in looked for t in ts)
    print(f"{len(times)} look-ups, 99 of 100 within {times[len(times) * 99 // 100] * 1000:.1f} ms, while {registered} registrations were made"
          f" and {answered.count(503)} sent away")


asyncio.run({"load": load, "check": check, "contend": contend, "flood": flood}[sys.argv[1]]())
