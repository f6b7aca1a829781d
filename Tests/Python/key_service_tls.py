# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""Certificate authorities, good and bad certificates, and TLS contexts for key_service.py."""

import datetime
import ipaddress
import pathlib
import ssl
import warnings

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

GOOD_NAMES = (x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1")))


def days(n):
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=n)


def named(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def write_private(path, data):
    path.touch(mode=0o600)
    path.write_bytes(data)


class Authority:
    """A certificate authority made for this run; its private key stays in memory."""

    def __init__(self, name):
        self.name = named(name)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = (
            self._builder(self.name, self.key.public_key(), -30, 30)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage(certificates=True), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    def _builder(self, subject, public_key, first, last):
        identifier = x509.SubjectKeyIdentifier.from_public_key
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(days(first))
            .not_valid_after(days(last))
            .add_extension(identifier(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
        )

    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, path, names=GOOD_NAMES, first=-1, last=10, common_name="key service", server=True):
        """Writes a certificate and its private key to one file, for load_cert_chain."""
        key = ec.generate_private_key(ec.SECP256R1())
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = (
            self._builder(named(common_name), key.public_key(), first, last)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage(certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        write_private(
            path,
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
        )
        return path


def usage(certificates):
    return x509.KeyUsage(
        digital_signature=not certificates, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=certificates,
        crl_sign=certificates, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def context(path, least=ssl.TLSVersion.TLSv1_2, most=ssl.TLSVersion.TLSv1_3):
    result = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if least < ssl.TLSVersion.TLSv1_2:
        result.set_ciphers("DEFAULT:@SECLEVEL=0")
    # OpenSSL takes no version below 1.2 without a warning from Python, which is meant for servers.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        result.minimum_version, result.maximum_version = least, most
    result.load_cert_chain(path)
    return result


def contexts(folder):
    """The contexts of all listeners by name; leaves `ca.pem` in the folder."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    authority, other = Authority("Test authority"), Authority("Another authority")
    (folder / "ca.pem").write_bytes(authority.pem())
    good = authority.issue(folder / "good.pem")
    name = (x509.DNSName("other.example"),)
    issued = {
        "other_authority": other.issue(folder / "other-authority.pem"),
        "wrong_host": authority.issue(folder / "wrong-host.pem", names=name),
        "common_name_only": authority.issue(folder / "common-name.pem", (), common_name="localhost"),
        "client_certificate": authority.issue(folder / "client.pem", server=False),
        "expired": authority.issue(folder / "expired.pem", first=-10, last=-1),
        "not_yet_valid": authority.issue(folder / "not-yet-valid.pem", first=1, last=10),
    }
    return {
        "url": context(good),
        "strict": context(good),
        "strict_json": context(good),
        "tls12": context(good, most=ssl.TLSVersion.TLSv1_2),
        "tls11": context(good, ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1),
    } | {listener: context(path) for listener, path in issued.items()}
