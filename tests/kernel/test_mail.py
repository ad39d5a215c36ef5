"""Mail: into the outbox folder, or to a real (small) SMTP server with STARTTLS."""

import email
import email.policy
import socketserver
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from app.core import mail as mail_module
from app.core.config import Settings
from app.core.errors import ConfigurationError, ValidationFailedError
from app.core.mail import (
    Mail,
    MailRefusedError,
    MailUnavailableError,
    SmtpSender,
    build_message,
    get_mail_sender,
)
from tests.kernel.certificates import make_certificate

MAIL = Mail("jane@shop.example", "Commande n° 7 – merci", "Moien Jane,\nà bientôt", "<p>Moien</p>")
FROM = "Wizamart <no-reply@wizamart.example>"


class SmtpServer:
    """Enough of SMTP: EHLO, STARTTLS, AUTH PLAIN, mails. ``answers`` overrules single commands."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self.received: list[tuple[str, str, bytes]] = []
        self.commands: list[str] = []
        self.answers: dict[str, str] = {}
        self.offers_tls = context is not None
        server = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                try:
                    self.request.sendall(b"220 ready\r\n")
                    server.talk(self.request, context)
                except OSError:
                    return

        self.tcp = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.tcp.daemon_threads = True
        self.port: int = self.tcp.server_address[1]
        threading.Thread(target=self.tcp.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def talk(self, connection: ssl.SSLSocket, context: ssl.SSLContext | None) -> None:
        lines, sender, recipient = connection.makefile("rb"), "", ""
        while line := lines.readline().decode().strip():
            command = line.split()[0].upper()
            self.commands.append(command)
            if command in self.answers:
                connection.sendall(f"{self.answers[command]}\r\n".encode())
            elif command == "EHLO":
                offer = "250-STARTTLS\r\n" if self.offers_tls and not _is_tls(connection) else ""
                connection.sendall(f"250-here\r\n{offer}250 AUTH PLAIN\r\n".encode())
            elif command == "STARTTLS" and context:
                connection.sendall(b"220 go\r\n")
                with context.wrap_socket(connection, server_side=True) as secured:
                    self.talk(secured, context)
                return
            elif command == "AUTH":
                is_known = line.endswith("AHVzZXIAczpAIQ==")  # user, s:@!
                connection.sendall(b"235 in\r\n" if is_known else b"535 no\r\n")
            elif command == "DATA":
                connection.sendall(b"354 go\r\n")
                body = b"".join(iter(lines.readline, b".\r\n"))
                self.received.append((sender, recipient, body))
                connection.sendall(b"250 kept\r\n")
            else:
                sender = line if command == "MAIL" else sender
                recipient = line if command == "RCPT" else recipient
                connection.sendall(b"221 bye\r\n" if command == "QUIT" else b"250 fine\r\n")

    def close(self) -> None:
        self.tcp.shutdown()
        self.tcp.server_close()


def _is_tls(connection: object) -> bool:
    return isinstance(connection, ssl.SSLSocket)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    return make_certificate(tmp_path, "localhost")


@pytest.fixture
def server(certificate: tuple[Path, Path]) -> Iterator[SmtpServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    running = SmtpServer(context)
    yield running
    running.close()


@pytest.fixture
def trusted(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))


def sender(server: SmtpServer, login: str = "", host: str = "localhost") -> SmtpSender:
    return SmtpSender(f"smtp://{login}{host}:{server.port}", FROM)


def test_the_outbox_is_the_default(tmp_path: Path) -> None:
    get_mail_sender(Settings(data_dir=tmp_path, mail_from=FROM)).send(MAIL)
    get_mail_sender(Settings(data_dir=tmp_path, mail_from=FROM)).send(MAIL)
    first, second = sorted((tmp_path / "outbox").iterdir())
    assert first.name < second.name
    assert first.suffix == ".eml"
    assert first.stat().st_mode & 0o777 == 0o600
    message = email.message_from_bytes(first.read_bytes(), policy=email.policy.default)
    assert (message["From"], message["To"], message["Subject"]) == (FROM, MAIL.to, MAIL.subject)
    assert message["Date"].datetime.tzinfo is not None
    assert message["Message-ID"].endswith("@wizamart.example>")
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().splitlines() == MAIL.text.splitlines()
    assert html.get_content().strip() == MAIL.html


def test_additional_headers() -> None:
    message = build_message(Mail("a@b.example", "s", "t", headers={"Reply-To": "shop@b.example"}), FROM)
    assert message["Reply-To"] == "shop@b.example"
    assert message.get_content_type() == "text/plain"


@pytest.mark.parametrize(
    "mail",
    [
        Mail("a@b.example\r\nBcc: c@d.example", "s", "t"),
        Mail("a@b.example, c@d.example", "s", "t"),
        Mail("a@b.example c@d.example", "s", "t"),
        Mail("A <a@b.example>", "s", "t"),
        Mail("", "s", "t"),
        Mail("a@b.example", "s\r\nBcc: c@d.example", "t"),
        Mail("a@b.example", "s\nx", "t"),
        Mail("a@b.example", "s\u2028x", "t"),
        Mail("a@b.example", "s", "t", headers={"X-A": "1\r\nBcc: c@d.example"}),
        Mail("a@b.example", "s", "t", headers={"X-A\r\nBcc": "c@d.example"}),
        Mail("a@b.example", "s", "t", headers={"Bcc": "c@d.example"}),
        Mail("a@b.example", "s", "t", headers={"FROM": "c@d.example"}),
    ],
)
def test_smuggled_headers_and_recipients(mail: Mail) -> None:
    with pytest.raises(ValidationFailedError):
        build_message(mail, FROM)


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_makes_another_header(to: str, subject: str) -> None:
    try:
        message = build_message(Mail(to, subject, "t"), FROM)
    except ValidationFailedError:
        return
    names = email.message_from_bytes(message.as_bytes()).keys()
    assert names == [*message.keys()]
    assert set(names) == {
        "From", "To", "Subject", "Date", "Message-ID", "Content-Type", "MIME-Version",
        "Content-Transfer-Encoding",
    }  # fmt: skip


def test_smtp_with_starttls_and_login(server: SmtpServer, trusted: None, tmp_path: Path) -> None:
    url = SecretStr(f"smtp://user:s%3A%40!@localhost:{server.port}")
    get_mail_sender(Settings(data_dir=tmp_path, mail_from=FROM, mail_url=url)).send(MAIL)
    assert server.commands[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]
    ((mail_from, recipient, body),) = server.received
    assert "<no-reply@wizamart.example>" in mail_from
    assert "<jane@shop.example>" in recipient
    message = email.message_from_bytes(body, policy=email.policy.default)
    assert message["Subject"] == MAIL.subject
    assert not (tmp_path / "outbox").exists()


def test_an_unknown_certificate_stops_everything(server: SmtpServer) -> None:
    with pytest.raises(MailUnavailableError):
        sender(server, "user:s%3A%40!@").send(MAIL)
    assert server.commands == ["EHLO", "STARTTLS"]


def test_without_tls_only_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    server = SmtpServer(None)
    try:
        sender(server).send(MAIL)
        assert len(server.received) == 1
        monkeypatch.setattr(mail_module, "_LOOPBACK", frozenset())
        with pytest.raises(ConfigurationError, match="STARTTLS"):
            sender(server, "user:s%3A%40!@").send(MAIL)
        assert "AUTH" not in server.commands
        assert len(server.received) == 1
    finally:
        server.close()


@pytest.mark.parametrize(
    ("command", "answer", "error"),
    [
        ("RCPT", "450 busy", MailUnavailableError),
        ("RCPT", "550 nobody", MailRefusedError),
        ("MAIL", "421 later", MailUnavailableError),
        ("MAIL", "553 not you", MailRefusedError),
        ("DATA", "554 spam", MailRefusedError),
    ],
)
def test_refusals(
    server: SmtpServer, trusted: None, command: str, answer: str, error: type[Exception]
) -> None:
    server.answers[command] = answer
    with pytest.raises(error):
        sender(server).send(MAIL)


def test_a_wrong_password_is_a_matter_of_settings(server: SmtpServer, trusted: None) -> None:
    with pytest.raises(ConfigurationError) as failed:
        sender(server, "user:wrong-one@").send(MAIL)
    assert "wrong-one" not in str(failed.value)


def test_nobody_there() -> None:
    with pytest.raises(MailUnavailableError):
        SmtpSender("smtp://127.0.0.1:1", FROM).send(MAIL)


@pytest.mark.parametrize("url", ["http://host", "smtp://", "smtp://host:x", "host:25", ""])
def test_strange_urls(url: str) -> None:
    with pytest.raises(ConfigurationError, match="WIZAMART_MAIL_URL"):
        SmtpSender(url, FROM)


def test_a_strange_sender(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="WIZAMART_MAIL_FROM"):
        get_mail_sender(Settings(data_dir=tmp_path, mail_from="nobody")).send(MAIL)
