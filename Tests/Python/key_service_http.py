# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""Listeners for key_service.py: HTTP/1.1 with kept connections, a thread for each, TLS or not.

The handshake takes place in the connection's thread, so that none holds up another. What
answers a request may write to the socket itself, which is how answers are cut off or delayed.
"""

import dataclasses
import email.utils
import http
import http.server
import json
import os
import select
import socket
import ssl
import sys
import threading
import time
import traceback

# A batch of log events has 1 MiB at most, and more as JSON with its escapes.
LARGEST_BODY = 1 << 23
HANDSHAKE_SECONDS = 30


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict
    body: bytes

    @classmethod
    def json(cls, value, status=200, content_type="application/json", **headers):
        return cls(status, {"Content-Type": content_type} | headers, json.dumps(value).encode())

    def header(self, name):
        return next((v for k, v in self.headers.items() if k.lower() == name.lower()), None)

    def head(self, length=True):
        """The status line and the headers, with a Content-Length unless told otherwise."""
        try:
            phrase = http.HTTPStatus(self.status).phrase
        except ValueError:
            phrase = "Unknown"
        lines = [f"HTTP/1.1 {self.status} {phrase}"]
        lines += [f"{k}: {v}" for k, v in self.headers.items() if k.lower() != "content-length"]
        if self.header("Date") is None:
            lines.append(f"Date: {email.utils.formatdate(usegmt=True)}")
        if length:
            lines.append(f"Content-Length: {len(self.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@dataclasses.dataclass
class Request:
    method: str
    path: str
    query: str
    headers: object
    body: bytes
    listener: str
    connection_number: int
    socket: object

    def header(self, name):
        return self.headers.get(name)

    @property
    def tls(self):
        return self.socket.version() if isinstance(self.socket, ssl.SSLSocket) else None

    def send(self, data):
        self.socket.sendall(data)

    def hung_up(self):
        """Whether the client has closed the connection. Clients that pipeline are not known here."""
        poll = select.poll()
        poll.register(self.socket, select.POLLIN | select.POLLHUP | select.POLLERR)
        if not poll.poll(0):
            return False
        timeout = self.socket.gettimeout()
        try:
            self.socket.settimeout(0)
            self.socket.recv(1)
            return True
        except (ssl.SSLWantReadError, BlockingIOError):
            return False
        except OSError:
            return True
        finally:
            self.socket.settimeout(timeout)

    def wait(self, condition, done):
        """Waits for `done()`, which is asked under the condition; False if the client hung up."""
        while True:
            with condition:
                if done() or condition.wait(0.05) and done():
                    return True
            if self.hung_up():
                return False


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.number = self.server.count("connections")

    def serve(self):
        self.server.count("requests")
        body = self.read_body()
        if body is None:
            self.close_connection = True
            self.wfile.write(Answer(413, {"Connection": "close"}, b"").head())
            return
        path, _, query = self.path.partition("?")
        request = Request(
            self.command, path, query, self.headers, body, self.server.name, self.number, self.connection
        )
        try:
            answer = self.server.answer(request)
        except ConnectionError:
            answer = None
        except Exception:
            traceback.print_exc(file=sys.stderr)
            answer = Answer.json({"error": traceback.format_exc(limit=-1)}, 500)
        if answer is None:
            self.close_connection = True
            return
        if (answer.header("Connection") or "").lower() == "close":
            self.close_connection = True
        self.wfile.write(answer.head() + (b"" if self.command == "HEAD" else answer.body))

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_CONNECT = serve

    def read_body(self):
        if "chunked" not in (self.headers.get("Transfer-Encoding") or "").lower():
            length = int(self.headers.get("Content-Length") or 0)
            return self.rfile.read(length) if 0 <= length <= LARGEST_BODY else None
        body = b""
        while size := int(self.rfile.readline(100).split(b";")[0], 16):
            if len(body) + size > LARGEST_BODY:
                return None
            body += self.rfile.read(size)
            self.rfile.readline(3)
        while self.rfile.readline(1000).strip():
            pass
        return body

    def log_message(self, *arguments):
        pass


class Listener(http.server.ThreadingHTTPServer):
    """Serves on 127.0.0.1, on a port that the system chooses, from the moment it is made."""

    request_queue_size = 256
    daemon_threads = True
    block_on_close = False
    _lock = threading.Lock()
    _connections = 0

    def __init__(self, name, answer, tls=None):
        self.name, self.answer, self.tls = name, answer, tls
        self.counts = {"connections": 0, "handshakes": 0, "requests": 0}
        super().__init__(("127.0.0.1", 0), Handler)
        self.port = self.server_address[1]
        host, scheme = ("localhost", "https") if tls else ("127.0.0.1", "http")
        self.url = f"{scheme}://{host}:{self.port}"

    def start(self):
        threading.Thread(target=self.serve_forever, args=(0.5,), daemon=True).start()

    def server_bind(self):
        # HTTPServer's own looks the host's name up.
        http.server.socketserver.TCPServer.server_bind(self)

    def count(self, what):
        with self._lock:
            self.counts[what] += 1
            Listener._connections += what == "connections"
            return Listener._connections

    def finish_request(self, request, client_address):
        if self.tls is None:
            super().finish_request(request, client_address)
            return
        request.settimeout(HANDSHAKE_SECONDS)
        try:
            secured = self.tls.wrap_socket(request, server_side=True)
        except OSError:
            self.count("connections")
            return
        try:
            self.count("handshakes")
            secured.settimeout(None)
            super().finish_request(secured, client_address)
        finally:
            secured.close()

    def handle_error(self, request, client_address):
        if not isinstance(sys.exception(), (OSError, ValueError)):
            super().handle_error(request, client_address)


def silent_addresses():
    """Addresses where no service is: one refuses connections, packets to the other vanish -> their URLs.

    The queue of the other is full, so the system drops all that wants to be queued (Linux; others refuse).
    """
    closed, full = socket.socket(), socket.socket()
    for listener in (closed, full):
        listener.bind(("127.0.0.1", 0))
    full.listen(0)
    clients = [socket.socket() for _ in range(4)]
    for client in clients:
        client.setblocking(False)
        client.connect_ex(full.getsockname())
    SILENT.extend([closed, full, *clients])
    return {
        "closed": f"http://127.0.0.1:{closed.getsockname()[1]}",
        "vanishing": f"http://127.0.0.1:{full.getsockname()[1]}",
    }


# Kept open as long as the process.
SILENT = []


def leave_with_parent(parent):
    """Exits when the parent is gone, also where another process still holds the other end."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)
