#!/usr/bin/env python3
"""The directory of the thesis (sections 3.3 and 3.4): Flask, one JSON file a token, bcrypt hashes apart from them.

directory_flask.py FOLDER PORT TOKENS PASSWORD: begins with the tokens that the file TOKENS lists, a line each.
"""

import json
import pathlib
import sys
import uuid

import bcrypt
import flask

COST = 12
app = flask.Flask(__name__)
folder = pathlib.Path(sys.argv[1])
hashes = {}


def path_of(token):
    if uuid.UUID(token).version != 4:
        flask.abort(422)
    return folder / f"{token}.json"


@app.route("/lookup/<token>")
def lookup(token):
    path = path_of(token)
    if not path.exists():
        flask.abort(404)
    return flask.jsonify(json.loads(path.read_text()))


@app.route("/register", methods=["POST"])
def register():
    wanted = flask.request.get_json()
    path = path_of(wanted["token"])
    if path.exists():
        flask.abort(409)
    hashes[wanted["token"]] = bcrypt.hashpw(wanted.pop("password").encode(), bcrypt.gensalt(COST))
    path.write_text(json.dumps(wanted))
    return flask.jsonify(wanted), 201


@app.route("/reregister", methods=["POST"])
def reregister():
    wanted = flask.request.get_json()
    path = path_of(wanted["token"])
    if not path.exists():
        flask.abort(404)
    if not bcrypt.checkpw(wanted["password"].encode(), hashes[wanted["token"]]):
        flask.abort(403)
    entry = json.loads(path.read_text())
    entry["onion"] = wanted["onion"]
    path.write_text(json.dumps(entry))
    return flask.jsonify(entry)


def main():
    first_hash = bcrypt.hashpw(sys.argv[4].encode(), bcrypt.gensalt(COST))
    for token in pathlib.Path(sys.argv[3]).read_text().split():
        entry = {"token": token, "name": "hello", "code": "def hello():\n    api.send('hello')\n", "onion": "a" * 56 + ".onion"}
        path_of(token).write_text(json.dumps(entry))
        hashes[token] = first_hash
    app.run(port=int(sys.argv[2]))


main()
