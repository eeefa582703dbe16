"""A small https server on loopback, with its own authority: somebody else's server, well or badly behaved."""

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Behaviour = Callable[[socket.socket, bytes], None]


def make_certificate(folder: Path, *, names: tuple[str, ...]) -> tuple[Path, Path]:
    """A self-signed authority that is also the server's certificate: (certificate, key)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "outside")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName(name) for name in names] + [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "outside.pem", folder / "outside.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


def answer(body: bytes, *, status: str = "200 OK", headers: str = "") -> Behaviour:
    def behave(connection: socket.socket, _request: bytes) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        connection.sendall(head.encode() + body)

    return behave


def drip(connection: socket.socket, _request: bytes) -> None:
    """One byte after the other, each well within any read timeout, for as long as the other side listens."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.02)


def flood(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(160):
        connection.sendall(b"x" * 65_536)


def garble(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(b"SSH-2.0-not-http\r\n\r\n")


class Outside:
    """`with Outside(folder) as there`: `there.behave` answers each connection; `there.requests` holds what came."""

    def __init__(self, folder: Path, *, names: tuple[str, ...] = ("rp.example",), tls: bool = True) -> None:
        self.certificate, key = make_certificate(folder, names=names)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate, key)
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.requests: list[bytes] = []
        self.behave: Behaviour = answer(b"{}")
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "Outside":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def url(self, path: str = "/", *, host: str = "rp.example", scheme: str = "https") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, plain: socket.socket) -> None:
        try:
            with self._context.wrap_socket(plain, server_side=True) if self._tls else plain as connection:
                request = b""
                while b"\r\n\r\n" not in request:
                    request += connection.recv(65_536)
                head, _, body = request.partition(b"\r\n\r\n")
                length = next(
                    (
                        int(line.split(b":")[1])
                        for line in head.split(b"\r\n")
                        if line.lower().startswith(b"content-length:")
                    ),
                    0,
                )
                while len(body) < length:
                    body += connection.recv(65_536)
                self.requests.append(head + b"\r\n\r\n" + body)
                self.behave(connection, request)
        except OSError:
            plain.close()
