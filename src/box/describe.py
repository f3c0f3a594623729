# Prints, as JSON, what this interpreter is made of: its program and ELF interpreter, its standard library, and every shared
# object that it or one of its extension modules loads, with the names under which they are looked up.
import importlib, json, os, struct, sys, sysconfig


def elf_interpreter(path):
    with open(path, "rb") as f:
        data = f.read(4096)
    if data[:5] != b"\x7fELF\x02":
        raise SystemExit("not a 64-bit ELF program: " + path)
    offset, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for i in range(count):
        kind, _, at, _, _, length = struct.unpack_from("<IIQQQQ", data, offset + i * size)
        if kind == 3:
            return data[at:at + length].rstrip(b"\0").decode()
    raise SystemExit("no ELF interpreter: " + path)


program = os.path.realpath(sys.executable)
library = sysconfig.get_path("stdlib")
for name in sorted(os.listdir(os.path.join(library, "lib-dynload"))):
    try:
        importlib.import_module(name.split(".")[0])
    except Exception:
        pass  # an extension whose libraries are not installed: no function can use it either

objects = set()
with open("/proc/self/maps") as maps:
    for line in maps:
        path = line.rstrip("\n").partition("/")[2]
        path = "/" + path
        if ".so" in os.path.basename(path) and not path.startswith(library):
            objects.add(path)
loader = elf_interpreter(program)
objects.discard(os.path.realpath(loader))
links = []
for folder in {os.path.dirname(o) for o in objects}:
    for name in os.listdir(folder):
        full = os.path.join(folder, name)
        if os.path.islink(full) and os.path.realpath(full) in objects and ".so." in name:
            links.append([full, os.path.basename(os.path.realpath(full))])
json.dump({"interpreter": program, "loader": loader, "library": library, "objects": sorted(objects), "links": sorted(links)},
          sys.stdout)
