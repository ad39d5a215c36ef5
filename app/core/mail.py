"""Outgoing mail: a message, and two ways to send it. Send inside a job; a sender waits for the server."""

import re
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid, parseaddr
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from app.core.clock import system_now
from app.core.config import Settings
from app.core.errors import AppError, ConfigurationError, UnavailableError, ValidationFailedError
from app.core.ids import new_id
from app.core.storage import atomic_file

_TIMEOUT_SECONDS = 20.0
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")
_ADDRESS = re.compile(r"[^\s@<>(),:;\"\\\[\]]+@[^\s@<>(),:;\"\\\[\]]+")
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_OWN_HEADERS = frozenset({"from", "to", "cc", "bcc", "subject", "date", "message-id", "sender"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class MailUnavailableError(UnavailableError):
    """The mail server does not answer or asks to try later."""

    code = "core.mail_unavailable"
    title = "Mail cannot be sent at the moment"


class MailRefusedError(AppError):
    """The mail server refuses this mail for good; trying again does not help."""

    status = 502
    code = "core.mail_refused"
    title = "The mail server refuses this mail"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail; ``media_type`` such as ``application/pdf``."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one bare address. ``headers`` are additional ones, such as ``Reply-To``."""

    to: str
    subject: str
    text: str
    html: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    attachments: Sequence[Attachment] = ()


class MailSender(Protocol):
    """Sends a mail or raises ``MailUnavailableError``, ``MailRefusedError`` or ``ValidationFailedError``."""

    def send(self, mail: Mail) -> None:
        """Send one mail."""
        ...


def get_mail_sender(settings: Settings) -> MailSender:
    """The sender these settings choose: the server of ``mail_url``, else the folder ``outbox``."""
    if settings.mail_url is None:
        return OutboxSender(settings.data_dir / "outbox", settings.mail_from)
    return SmtpSender(settings.mail_url.get_secret_value(), settings.mail_from)


def build_message(mail: Mail, mail_from: str) -> EmailMessage:
    """The MIME message. Raises ``ValidationFailedError`` for what could smuggle in headers or recipients."""
    if not _ADDRESS.fullmatch(mail.to):
        raise ValidationFailedError("This is not one e-mail address.", reason="to")
    for name, value in {"Subject": mail.subject, **mail.headers}.items():
        if _CONTROL.search(value) or not _HEADER_NAME.fullmatch(name):
            raise ValidationFailedError("A mail header contains a line break.", reason="header")
    if any(_CONTROL.search(one.name) for one in mail.attachments):
        raise ValidationFailedError("The name of a file contains a line break.", reason="attachment")
    if not _OWN_HEADERS.isdisjoint(name.lower() for name in mail.headers):
        raise ValidationFailedError("This mail header is set by the platform.", reason="header")
    message = EmailMessage(policy=SMTP)
    message["From"] = mail_from
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(system_now())
    message["Message-ID"] = make_msgid(domain=_address(mail_from).rpartition("@")[2])
    for name, value in mail.headers.items():
        message[name] = value
    message.set_content(mail.text)
    if mail.html is not None:
        message.add_alternative(mail.html, subtype="html")
    for one in mail.attachments:
        kind, _, subtype = one.media_type.partition("/")
        message.add_attachment(one.content, maintype=kind, subtype=subtype, filename=one.name)
    return message


class OutboxSender:
    """Writes each mail as an ``.eml`` file, mode 0600, named so that they sort by time."""

    def __init__(self, folder: Path, mail_from: str) -> None:
        self._folder = folder
        self._mail_from = mail_from

    def send(self, mail: Mail) -> None:
        """See ``MailSender``."""
        message = build_message(mail, self._mail_from)
        with atomic_file(self._folder / f"{system_now():%Y%m%dT%H%M%S}-{new_id()}.eml") as file:
            file.write(message.as_bytes())


class SmtpSender:
    """Sends through ``smtp://user:password@host:587`` (STARTTLS) or ``smtps://…:465`` (TLS from the start).

    Without TLS nothing is sent, except to a server on this machine.
    """

    def __init__(self, url: str, mail_from: str) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ConfigurationError("WIZAMART_MAIL_URL is not like smtp://user:password@host:587.")
        self._is_implicit_tls = parts.scheme == "smtps"
        self._host = parts.hostname
        self._port = port or (465 if self._is_implicit_tls else 587)
        self._user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        self._mail_from = mail_from

    def send(self, mail: Mail) -> None:
        """See ``MailSender``."""
        message = build_message(mail, self._mail_from)
        try:
            with self._connect() as server:
                self._secure(server)
                if self._user:
                    server.login(self._user, self._password)
                server.send_message(message, _address(self._mail_from), [mail.to])
        except smtplib.SMTPRecipientsRefused as error:
            raise _failure(min(code for code, _ in error.recipients.values())) from error
        except smtplib.SMTPAuthenticationError as error:
            raise ConfigurationError("The mail server refuses the user of WIZAMART_MAIL_URL.") from error
        except smtplib.SMTPResponseException as error:
            raise _failure(error.smtp_code) from error
        except smtplib.SMTPNotSupportedError as error:
            raise MailRefusedError("The mail server lacks what this mail needs.") from error
        except (OSError, smtplib.SMTPException) as error:
            raise MailUnavailableError("The mail server cannot be reached.") from error

    def _connect(self) -> smtplib.SMTP:
        if self._is_implicit_tls:
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self._host, self._port, timeout=_TIMEOUT_SECONDS, context=context)
        return smtplib.SMTP(self._host, self._port, timeout=_TIMEOUT_SECONDS)

    def _secure(self, server: smtplib.SMTP) -> None:
        server.ehlo()
        if self._is_implicit_tls:
            return
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        elif self._host not in _LOOPBACK:
            raise ConfigurationError("The mail server of WIZAMART_MAIL_URL offers no STARTTLS; use smtps://.")


def _failure(smtp_code: int) -> AppError:
    text = f"The mail server answered {smtp_code}."
    return MailRefusedError(text) if smtp_code >= 500 else MailUnavailableError(text)


def _address(mail_from: str) -> str:
    address = parseaddr(mail_from)[1]
    if not _ADDRESS.fullmatch(address):
        raise ConfigurationError("WIZAMART_MAIL_FROM is not an e-mail address.")
    return address
