"""Stands before directories: keeps what is posted, and answers from whichever of them it is told to.

relay.py FOLDER: prints its port. FOLDER/face holds the HOST:PORT of the directory that answers the next request; what is
posted is kept as FOLDER/register.json and so on, and FOLDER/times has a line `PATH SECONDS` for each answer.
"""

import http.client
import http.server
import pathlib
import sys
import time

folder = pathlib.Path(sys.argv[1])


class Relay(http.server.BaseHTTPRequestHandler):
    def relay(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if body:
            (folder / (self.path.strip("/") + ".json")).write_bytes(body)
        began = time.monotonic()
        behind = http.client.HTTPConnection((folder / "face").read_text().strip(), timeout=30)
        behind.request(self.command, self.path, body or None, {name: self.headers[name] for name in self.headers})
        answer = behind.getresponse()
        said = answer.read()
        with open(folder / "times", "a") as times:
            print(self.path, f"{time.monotonic() - began:.3f}", file=times)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = relay

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Relay)
print(server.server_port, flush=True)
server.serve_forever()
