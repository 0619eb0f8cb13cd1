"""HTTPS: a certificate that nobody vouches for ends the talk before the key is sent."""

from __future__ import annotations

import asyncio
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import unittest

from proctor_client import AsyncClient, Client, ProctorError

from .support import HASTY, Server, http, read_request


@unittest.skipUnless(shutil.which("openssl"), "there is no openssl to make a certificate with")
class Tls(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.certificate, key = (str(pathlib.Path(folder.name, name)) for name in ("cert.pem", "key.pem"))
        made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
        name = ["-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", self.certificate]
        subprocess.run([*made, *name], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.heard: list[bytes] = []

        def answer(peer: socket.socket) -> None:
            with context.wrap_socket(peer, server_side=True) as secure:
                self.heard.append(read_request(secure))
                secure.sendall(http(200, '{"version": "1"}'))

        server = Server(self, answer)
        self.url = server.url.replace("http://127.0.0.1", "https://localhost")

    def test_a_private_authority_is_trusted_where_it_is_given(self) -> None:
        trusting = ssl.create_default_context(cafile=self.certificate)
        blocking = Client(self.url, "key", ssl_context=trusting)
        self.assertEqual(blocking.status(), {"version": "1"})
        self.assertEqual(asyncio.run(AsyncClient(self.url, "key", ssl_context=trusting).status()), {"version": "1"})

    def test_a_certificate_that_nobody_vouches_for_is_refused(self) -> None:
        def ask(client: type[Client] | type[AsyncClient]) -> None:
            status = client(self.url, "key", retry=HASTY).status()
            if asyncio.iscoroutine(status):
                asyncio.run(status)

        for client in (Client, AsyncClient):
            with self.assertRaisesRegex(ProctorError, "CERTIFICATE_VERIFY_FAILED"):
                ask(client)
        self.assertEqual(self.heard, [])
