"""A directory that lies: it keeps whatever it is given, and answers from the one or the other directory behind it.

two_faced.py FOLDER: prints its port. FOLDER/face holds the HOST:PORT of the directory that the next caller sees; what is
posted is kept as FOLDER/register.json, reregister.json, unregister.json.
"""

import http.client
import http.server
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])


class TwoFaced(http.server.BaseHTTPRequestHandler):
    def relay(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if body:
            (folder / (self.path.strip("/") + ".json")).write_bytes(body)
        behind = http.client.HTTPConnection((folder / "face").read_text().strip(), timeout=30)
        behind.request(self.command, self.path, body or None, {name: self.headers[name] for name in self.headers})
        answer = behind.getresponse()
        said = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = relay

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), TwoFaced)
print(server.server_port, flush=True)
server.serve_forever()
