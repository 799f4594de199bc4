"""The sample nginx site and systemd unit, judged by nginx and systemd themselves."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import ROOT
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DEPLOY = ROOT / "scripts" / "deploy"


def test_nginx_takes_the_site(tmp_path: Path) -> None:
    """As it is, but for the places of the certificate and of the log."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if nginx is None:
        pytest.skip("no nginx here (apt-get install nginx-light)")
    certificate(tmp_path)
    site = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    for place, ours in (("/etc/nginx/tls", tmp_path), ("/var/log/nginx", tmp_path)):
        assert place in site
        site = site.replace(place, str(ours))
    (tmp_path / "site.conf").write_text(site, encoding="utf-8")
    whole = f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off; include {tmp_path}/site.conf; }}"
    (tmp_path / "nginx.conf").write_text(whole, encoding="utf-8")
    done = subprocess.run([nginx, "-t", "-p", tmp_path, "-c", "nginx.conf"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr.replace('the "listen ... http2" directive is deprecated', ""), done.stderr


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """As it is, but for where the bot lives."""
    systemd = shutil.which("systemd-analyze")
    if systemd is None:
        pytest.skip("no systemd here")
    unit = (DEPLOY / "yunfu-bot.service").read_text(encoding="utf-8")
    (tmp_path / "yunfu-bot.service").write_text(unit.replace("/opt/yunfu-bot", str(ROOT)), encoding="utf-8")
    done = subprocess.run(
        [systemd, "verify", tmp_path / "yunfu-bot.service"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, "yunfu-bot" in done.stderr) == (0, False), done.stderr


def certificate(folder: Path) -> None:
    """Write a key and a certificate signed with itself, as nginx wants them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bot.example.gov.cn")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "fullchain.pem").write_bytes(pem)
    (folder / "privkey.pem").write_bytes(key.private_bytes(*form))
