# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""An HTTP proxy for key_service.py, which tunnels to this machine alone (CONNECT).

A test names itself as the user of the proxy, and what it is asked is kept by that name. The password `refused` has every
CONNECT refused, `demanded` has it answered as if the credentials were wrong; another is accepted.
"""

import base64
import collections
import select
import socket
import threading

from key_service_http import Answer


class Proxy:
    def __init__(self):
        self.lock, self.requests = threading.Lock(), collections.defaultdict(list)

    def command(self, name):
        with self.lock:
            return {"requests": list(self.requests[name])}

    def answer(self, request):
        kind, _, credentials = (request.header("Proxy-Authorization") or "").partition(" ")
        user, _, password = base64.b64decode(credentials).decode().partition(":") if kind == "Basic" else ("", "", "")
        with self.lock:
            self.requests[user].append(f"{request.method} {request.path}")
        if request.method != "CONNECT":
            return Answer(400, {"Connection": "close"}, b"")
        if password == "demanded" or not user:
            return Answer(407, {"Proxy-Authenticate": 'Basic realm="test"', "Connection": "close"}, b"")
        host, _, port = request.path.rpartition(":")
        if password == "refused" or host not in ("localhost", "127.0.0.1"):
            return Answer(403, {"Connection": "close"}, b"")
        with socket.create_connection(("127.0.0.1", int(port)), 30) as server:
            request.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            tunnel(request.socket, server)
        return None


def tunnel(client, server):
    """Passes bytes on in both directions until one side is closed."""
    others = {client: server, server: client}
    while True:
        for source in select.select(list(others), [], [])[0]:
            try:
                data = source.recv(1 << 16)
            except OSError:
                return
            if not data:
                return
            others[source].sendall(data)
