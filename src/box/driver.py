# Runs one function inside the sandbox. Its messages go over descriptor 3, each framed as type (1 byte), length (4 bytes,
# big-endian), data:
#   from the server:  C code, K call (both once, first), I input
#   to the server:    O output, E error
# The function is over when the descriptor closes.
def _bento_main():
    import builtins, os, select, struct, sys, types

    fd = 3
    head = struct.Struct(">cI")

    def read_exactly(size):
        parts = []
        while size:
            part = os.read(fd, min(size, 1 << 20))
            if not part:
                raise EOFError("the server has closed the connection")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def read_message():
        kind, size = head.unpack(read_exactly(head.size))
        return kind, read_exactly(size)

    def write_all(data):
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view[: 1 << 20]):]

    def write_message(kind, data):
        write_all(head.pack(kind, len(data)))
        write_all(data)

    def as_bytes(data):
        return data.encode() if isinstance(data, str) else bytes(data)

    def send(data):
        if not data and not isinstance(data, int):
            return 0
        if isinstance(data, bool) or not isinstance(data, (str, bytes, bytearray, memoryview)):
            if data == 0:
                return 0
            raise TypeError("object of type '%s' has no len()" % type(data).__name__)
        write_message(b"O", as_bytes(data))
        return len(data)

    def recv():
        return read_message()[1]

    def poll():
        return bool(select.select([fd], [], [], 0)[0])

    api = types.SimpleNamespace(send=send, recv=recv, poll=poll)
    builtins.exit = builtins.quit = sys.exit
    for name in ("api", "bentoapi"):
        module = types.ModuleType(name)
        module.send, module.recv, module.poll, module.api = send, recv, poll, api
        sys.modules[name] = module
    import base64, json

    code = read_message()[1].decode()
    call = read_message()[1].decode()
    context = {"__name__": "__main__", "__builtins__": builtins, "api": api, "bentoapi": sys.modules["bentoapi"],
               "base64": base64, "json": json, "sys": sys}
    null = os.open("/dev/null", os.O_RDWR)
    sys.stdout = open(null, "w", closefd=False)
    try:
        exec(compile(code, "<function>", "exec"), context)
        result = eval(compile(call.strip(), "<call>", "eval"), context)
        if result is not None and result is not False and result != "" and result != b"":
            if not isinstance(result, (str, bytes, bytearray, memoryview)):
                result = str(result)
            write_message(b"O", as_bytes(result))
    except SystemExit:
        pass
    except SyntaxError as e:
        # str() leaves out where it is in code of several lines; a writer needs both.
        write_message(b"E", ("%s: %s, line %s" % (type(e).__name__, e.msg, e.lineno)).encode(errors="replace"))
    except BaseException as e:
        write_message(b"E", str(e).encode(errors="replace"))


_bento_main()
