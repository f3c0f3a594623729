"""A control port that says what a real tor once said, and what stem reads in it.

stem_peer.py serve SOCKET CAPTURE...: prints how many events there are, and the names of them; sends them to whoever
subscribes. stem_peer.py compare FILE CAPTURE...: FILE has an event a line, as bentoctl reads them.
"""

import json
import logging
import re
import socket
import sys

import stem.response
import stem.util.log

logging.getLogger("stem").setLevel(logging.CRITICAL)  # a tor that is newer than stem


def events(paths):
    """The bytes of each event: it ends with a line whose fourth character is a space, outside of data."""
    for path in paths:
        whole, in_data = b"", False
        for line in open(path, "rb"):
            whole += line
            if in_data:
                in_data = line != b".\r\n"
            elif line[3:4] == b"+":
                in_data = True
            elif line[3:4] == b" ":
                if whole.startswith(b"650"):
                    yield whole
                whole = b""


def serve(at, paths):
    all_events = list(events(paths))
    names = sorted({re.match(rb"650[-+ ](\w+)", e)[1].decode() for e in all_events})
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(at)
    listener.listen()
    print(len(all_events), *names, flush=True)
    connection, _ = listener.accept()
    for line in connection.makefile("rb"):
        if line.startswith(b"PROTOCOLINFO"):
            connection.sendall(b'250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n250-VERSION Tor="0.4.9.11"\r\n250 OK\r\n')
        else:
            connection.sendall(b"250 OK\r\n")
        if line.startswith(b"SETEVENTS"):
            connection.sendall(b"".join(all_events))


def relay(fingerprint, nickname):
    name = "$" + fingerprint.lstrip("$") if fingerprint else ""
    return name + ("~" if name and nickname else "") + (nickname or "")


def at(value):
    return value and re.sub(r"[ T]", " ", str(value)).split(".")[0]


def direction(name, e):
    """CELL_STATS has both in one row of attributes."""
    parts = {part: getattr(e, f"{name}_{part}", None) for part in ("queue", "connection", "added", "removed", "time")}
    return {part: value for part, value in parts.items() if value}


def members(e):
    """What stem reads, by the names of bentoctl's members."""
    kind = e.type
    if kind in ("CIRC", "CIRC_MINOR"):
        out = {"id": e.id, "path": [relay(*hop) for hop in e.path or ()], "build_flags": list(e.build_flags or ()),
               "purpose": e.purpose, "hs_state": e.hs_state, "rend_query": e.rend_query, "time_created": at(e.created)}
        if kind == "CIRC":
            return out | {"status": e.status, "reason": e.reason, "remote_reason": e.remote_reason}
        return out | {"change": e.event, "old_purpose": e.old_purpose, "old_hs_state": e.old_hs_state}
    if kind == "STREAM":
        return {"id": e.id, "status": e.status, "circuit_id": e.circ_id or "0", "target": e.target, "reason": e.reason,
                "remote_reason": e.remote_reason, "source": e.source, "source_addr": e.source_addr, "purpose": e.purpose}
    if kind == "ORCONN":
        target = relay(e.endpoint_fingerprint, e.endpoint_nickname) or f"{e.endpoint_address}:{e.endpoint_port}"
        return {"id": e.id, "target": target, "status": e.status, "reason": e.reason, "circuits": e.circ_count}
    if kind == "BW":
        return {"read": e.read, "written": e.written}
    if kind == "STREAM_BW":
        return {"id": e.id, "read": e.read, "written": e.written, "time": at(e.time)}
    if kind == "CIRC_BW":
        return {"id": e.id, "read": e.read, "written": e.written, "time": at(e.time)}
    if kind == "CONN_BW":
        return {"id": e.id, "type": e.conn_type, "read": e.read, "written": e.written}
    if kind == "CELL_STATS":
        return {"id": e.id, "inbound": direction("inbound", e), "outbound": direction("outbound", e)}
    if kind == "HS_DESC":
        return {"action": e.action, "address": e.address, "auth_type": e.authentication,
                "hs_dir": relay(e.directory_fingerprint, e.directory_nickname), "descriptor_id": e.descriptor_id,
                "reason": e.reason}
    if kind == "HS_DESC_CONTENT":
        return {"address": e.address, "descriptor_id": e.descriptor_id,
                "hs_dir": relay(e.directory_fingerprint, e.directory_nickname)}
    if kind == "ADDRMAP":
        return {"from": e.hostname, "to": e.destination, "expires": at(e.utc_expiry), "error": e.error, "cached": e.cached}
    if kind == "BUILDTIMEOUT_SET":
        return {"type": e.set_type, "total_times": e.total_times, "timeout_ms": e.timeout, "xm": e.xm, "alpha": e.alpha,
                "cutoff_quantile": e.quantile, "timeout_rate": e.timeout_rate, "close_ms": e.close_timeout,
                "close_rate": e.close_rate}
    if kind == "CONF_CHANGED":
        return {"options": {k: v[0] for k, v in e.changed.items()} | {k: None for k in e.unset}}
    if kind == "GUARD":
        return {"type": e.guard_type, "relay": relay(e.endpoint_fingerprint, e.endpoint_nickname), "status": e.status}
    if kind == "NEWDESC":
        return {"relays": [relay(*r) for r in e.relays]}
    if kind in ("NS", "NEWCONSENSUS"):
        return {"relays": [{"relay": relay(r.fingerprint, r.nickname), "address": r.address, "or_port": r.or_port,
                            "flags": [str(f) for f in r.flags], "bandwidth": r.bandwidth} for r in getattr(e, "descriptors", None) or e.desc]}
    if kind == "TRANSPORT_LAUNCHED":
        return {"type": e.type, "name": e.name, "address": e.address, "port": e.port}
    if kind == "SIGNAL":
        return {"name": e.signal}
    if kind == "NETWORK_LIVENESS":
        return {"up": e.status == "UP"}
    if kind.startswith("STATUS_"):
        return {"severity": e.runlevel, "action": e.action} | e.keyword_args
    if kind in ("DEBUG", "INFO", "NOTICE", "WARN", "ERR"):
        return {"text": e.message}
    return {}


def compare(read, paths):
    ours = [json.loads(line) for line in open(read)]
    all_events = list(events(paths))
    if len(ours) != len(all_events):
        sys.exit(f"{len(ours)} events were read of {len(all_events)}")
    compared = 0
    for mine, raw in zip(ours, all_events):
        e = stem.response.ControlMessage.from_str(raw.decode(), "EVENT")
        for name, theirs in members(e).items():
            value = mine.get(name)
            if name in ("time", "time_created", "expires"):
                value = at(value)
            if (value or None) != (theirs or None):
                sys.exit(f"{name}: {value!r}, and stem reads {theirs!r} in {raw.decode()}")
            compared += 1
    print(f"{compared} values of {len(ours)} events are what stem reads")


if sys.argv[1] == "serve":
    serve(sys.argv[2], sys.argv[3:])
else:
    compare(sys.argv[2], sys.argv[3:])
