# Runs one function inside the sandbox. Its messages go over descriptor 3, each framed as type (1 byte), length (4 bytes,
# big-endian), data:
#   to the server:    R ready, once and first; O output; E error, which is the last
#   from the server:  C code, K call, both once and first; I input
# The function is over when the descriptor closes.
def _bento_main():
    import _thread, base64, builtins, io, json, os, select, struct, sys, types

    fd = 3
    head = struct.Struct(">cI")
    one_message = _thread.allocate_lock()

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
        with one_message:
            if len(data) < 1 << 16:
                write_all(head.pack(kind, len(data)) + data)
            else:
                write_all(head.pack(kind, len(data)))
                write_all(data)

    def send(data):
        if not data:
            return 0
        size = len(data)
        # What is neither text nor bytes fails here, with Python's own words.
        message = b"" + (data.encode() if isinstance(data, str) else data)
        sys.stdout.flush()
        write_message(b"O", message)
        return size

    def recv():
        return read_message()[1]

    def poll():
        return bool(select.select([fd], [], [], 0)[0])

    class Printed(io.RawIOBase):
        def writable(self):
            return True

        def write(self, data):
            write_message(b"O", bytes(data))
            return len(data)

    # What goes to the descriptors 1 and 2 without Python's knowledge is nobody's output.
    null = os.open("/dev/null", os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.close(null)
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(Printed()), "utf-8", "replace", line_buffering=True)
    def times():
        import resource, time

        own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        return os.times_result((own.ru_utime, own.ru_stime, children.ru_utime, children.ru_stime, time.monotonic()))

    # The filter refuses times(2), which tells the machine's uptime, and uname(2), which tells its kernel and which
    # modules such as uuid and platform ask for when they are imported.
    os.times = times
    os.uname = lambda: os.uname_result(("Linux", "bento", "", "", sys.implementation._multiarch.split("-")[0]))
    builtins.exit = builtins.quit = sys.exit
    _thread.stack_size(1 << 20)  # the default of 8 MiB counts against the limit of memory
    os.environ.pop("MALLOC_ARENA_MAX", None)

    for function in (send, recv, poll):
        function.__qualname__ = function.__name__  # as an author reads it in an error
    api = types.SimpleNamespace(send=send, recv=recv, poll=poll)
    for name in ("api", "bentoapi"):
        module = types.ModuleType(name)
        module.send, module.recv, module.poll, module.api = send, recv, poll, api
        sys.modules[name] = module
    main = types.ModuleType("__main__")
    context = main.__dict__
    context.update(__builtins__=builtins, api=api, bentoapi=sys.modules["bentoapi"], base64=base64, json=json, sys=sys)

    write_message(b"R", b"")
    code = context["code"] = read_message()[1].decode()
    call = context["call"] = read_message()[1].decode()
    sys.modules["__main__"] = main
    try:
        exec(compile(code, "<inline>", "exec"), context)
        result = eval(call, context)
        if result is not None and result is not False and result != "" and result != b"":
            send(result if isinstance(result, (str, bytes, bytearray, memoryview)) else str(result))
        sys.stdout.flush()
    except SystemExit:
        sys.stdout.flush()
    except BaseException as e:
        sys.stdout.flush()
        write_message(b"E", str(e).encode(errors="replace"))


_bento_main()
