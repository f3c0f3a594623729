#!/usr/bin/env python3
"""Checks calls.jsonl against this Python: what is marked `accept`, `stricter` or `builtin` must be a call of a name with
literal arguments, what is marked `reject` must not. To be run by hand after the data has changed; 3.11 made it."""
import ast
import json
import pathlib
import warnings

NUMBERS = (int, float, complex)


def is_literal(node):
    if isinstance(node, ast.Constant):
        return node.value is None or isinstance(node.value, (str, bytes, bool) + NUMBERS)
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return all(map(is_literal, node.elts))
    if isinstance(node, ast.Dict):
        return all(key is not None and is_literal(key) for key in node.keys) and all(map(is_literal, node.values))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.UAdd, ast.USub)):
        return isinstance(node.operand, ast.Constant) and type(node.operand.value) in NUMBERS
    return False


def is_call(text):
    text = text.lstrip(" \t")  # as eval() does
    try:
        compile(text, "<call>", "eval")  # refuses more than the parser alone: an argument named twice
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return (
        isinstance(tree, ast.Call)
        and isinstance(tree.func, ast.Name)
        and all(map(is_literal, tree.args))
        and all(word.arg is not None and is_literal(word.value) for word in tree.keywords)
    )


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # unknown escapes
    wrong = 0
    data = pathlib.Path(__file__).with_name("calls.jsonl")
    for number, line in enumerate(data.read_text().splitlines(), 1):
        row = json.loads(line)
        if is_call(row["call"]) != (row["verdict"] != "reject"):
            print(f"{data.name}:{number}: Python does not agree: {line[:120]}")
            wrong += 1
    raise SystemExit(1 if wrong else 0)
