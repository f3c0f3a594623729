"""What a benchmark reports: bench.hpp's row, for benchmarks that are scripts. Talk goes to stderr."""

import json
import os
import sys

BENTOCTL = os.environ.get("BENTOCTL", "bentoctl")


def report(task, ours, unit, peer=None, peer_name="", ratio=None, limit=None):
    """unit: "/s" and "B/s", of which more is better; "s" and "B", of which less is.

    A target is ratio, so many times as good as the peer; or limit, no less where more is better, no more where less is.
    """
    row = {"task": task, "ours": ours, "unit": unit, "peer_name": peer_name}
    row.update((name, value) for name, value in (("peer", peer), ("ratio", ratio), ("limit", limit)) if value is not None)
    print(json.dumps(row), flush=True)


def side_by_side(rounds, ours, peer):
    """Both, turn by turn; the round whose ratio is the median. What makes the machine slower for a while does so to both of a round."""
    pairs = sorted(((ours(), peer()) for _ in range(rounds)), key=lambda pair: pair[0] / pair[1])
    return pairs[rounds // 2]


def talk(text):
    print(text, file=sys.stderr, flush=True)
