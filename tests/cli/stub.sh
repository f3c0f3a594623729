#!/usr/bin/env bash
# The stub file for editors and type checkers says what a function finds in a box. SCRIPT BENTOCTL
source "$(dirname "$0")/lib.sh"
"$BENTOCTL" box --json --state-dir "$SCRATCH/box" --listen "unix:$SCRATCH/s" >"$SCRATCH/box.out" 2>"$SCRATCH/box.err" &
children+=("$!")
wait_for 30 has_lines 1 ready "$SCRATCH/box.out"
cat >"$SCRATCH/found.py" <<'P'
import inspect
def found():
    for module in ("api", "bentoapi"):
        for name, what in sorted(vars(globals()[module]).items()):
            if inspect.isfunction(what):
                api.send(f"{module}.{name}({', '.join(inspect.signature(what).parameters)})\n")
            elif what is api:
                api.send(f"{module}.{name} is api\n")
    api.send(f"str, bytes, bytearray, memoryview: {api.send('a')} {api.send(b'b')} {api.send(bytearray(b'c'))} {api.send(memoryview(b'd'))}\n")
    api.send(f"None: {api.send(None)}, poll: {type(api.poll()).__name__}, recv: {type(api.recv()).__name__}\n")
P
box=(--state-dir "$SCRATCH/author" --server "unix:$SCRATCH/s")
status 0 "$BENTOCTL" store "${box[@]}" "$SCRATCH/found.py"
echo input | "$BENTOCTL" open "${box[@]}" "$out" 'found()' >"$SCRATCH/found"
python3 - "$(dirname "$0")/../../src/functions/bento.pyi" >"$SCRATCH/told" <<'P'
import ast, sys
stub = ast.parse(open(sys.argv[1]).read())
protocols = {c.name: c for c in stub.body if isinstance(c, ast.ClassDef)}
def members(protocol):
    for base in protocol.bases:
        if base.id in protocols: yield from members(protocols[base.id])
    for m in protocol.body:
        if isinstance(m, ast.FunctionDef): yield f"{m.name}({', '.join(a.arg for a in m.args.args[1:])})"
        if isinstance(m, ast.AnnAssign) and m.annotation.id == "_Api": yield f"{m.target.id} is api"
for variable in (v for v in stub.body if isinstance(v, ast.AnnAssign)):
    for member in sorted(members(protocols[variable.annotation.id])): print(f"{variable.target.id}.{member}")
returns = {m.name: m.returns.id for m in protocols["_Api"].body if isinstance(m, ast.FunctionDef)}
if returns["send"] != "int": sys.exit("send returns no int")
print("abcdstr, bytes, bytearray, memoryview: 1 1 1 1")
print(f"None: 0, poll: {returns['poll']}, recv: {returns['recv']}")
P
diff "$SCRATCH/told" "$SCRATCH/found" || fail "the stub and the box differ"
