"""What stands before several nodes: takes connections at one port and leads each to a node that answers."""

import contextlib
import socket
import threading
from collections.abc import Sequence
from itertools import count

BUFFER = 65_536


class Crossing:
    """`to` leads every new connection to one node; `None` to all of them in turn, past those that refuse."""

    def __init__(self, port: int, nodes: Sequence[int]) -> None:
        self.nodes = tuple(nodes)
        self.to: int | None = None
        self._turn = count()
        self._listening = socket.create_server(("127.0.0.1", port), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """No new connections."""
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                arrived, _ = self._listening.accept()
                threading.Thread(target=self._lead, args=(arrived,), daemon=True).start()

    def _lead(self, arrived: socket.socket) -> None:
        onward = self._node()
        if onward is None:
            arrived.close()
            return
        back = threading.Thread(target=_pour, args=(onward, arrived), daemon=True)
        back.start()
        _pour(arrived, onward)
        back.join()
        arrived.close()
        onward.close()

    def _node(self) -> socket.socket | None:
        first = next(self._turn)
        ports = [self.to] if self.to else [self.nodes[(first + at) % len(self.nodes)] for at in range(len(self.nodes))]
        for port in ports:
            with contextlib.suppress(OSError):
                return socket.create_connection(("127.0.0.1", port), timeout=20)
        return None


def _pour(source: socket.socket, sink: socket.socket) -> None:
    """Everything that comes, until the end; then the other side is told of it."""
    with contextlib.suppress(OSError):
        while data := source.recv(BUFFER):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
