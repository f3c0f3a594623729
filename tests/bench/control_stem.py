#!/usr/bin/env python3
"""What stem does of the control benchmarks: control_stem.py UNIX_SOCKET TCP_PORT EVENTS REPLY, a line NAME VALUE for each.

EVENTS and REPLY are files of the bytes that control.cpp parses.
"""

import io
import sys
import time

import stem.response
import stem.socket
from stem.control import Controller

SECONDS = 1.0


def rate(work):
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < SECONDS:
        work()
        count += 1
    return count / (time.perf_counter() - start)


def connected(controller):
    controller.authenticate()
    controller.set_caching(False)
    return controller


def messages(path, size):
    with open(path, "rb") as file:
        data = file.read(size)
    data = data[: data.rindex(b"\r\n") + 2]
    return data, io.BytesIO(data)


def main(unix_socket, tcp_port, events, reply):
    with connected(Controller.from_socket_file(unix_socket)) as controller:
        print("serial_unix", rate(lambda: controller.get_info("version")))
    with connected(Controller.from_port("127.0.0.1", int(tcp_port))) as controller:
        print("serial_tcp", rate(lambda: controller.get_info("version")))
        print("large_tcp", 1 / rate(lambda: controller.get_info("config/names")))

    data, stream = messages(events, 4 << 20)
    start, count = time.perf_counter(), 0
    while stream.tell() < len(data):
        stem.response.convert("EVENT", stem.socket.recv_message(stream))
        count += 1
    print("events", count / (time.perf_counter() - start))

    data, stream = messages(reply, 64 << 20)
    start = time.perf_counter()
    stem.socket.recv_message(stream)
    print("data", len(data) / (time.perf_counter() - start))


if __name__ == "__main__":
    main(*sys.argv[1:])
