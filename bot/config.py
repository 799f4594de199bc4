"""What differs between machines, read once from the environment or ``.env``, every problem told together."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent

AES_KEY_LENGTH = 43
"""WeChat's EncodingAESKey: base64 of 32 bytes without its last sign."""


class ConfigError(Exception):
    """The settings cannot work; the message has one line a problem, in Chinese."""


class Config(BaseSettings):
    """The settings; none is needed for a first run. README lists them with their meanings."""

    model_config = SettingsConfigDict(env_file=ROOT / ".env", env_file_encoding="utf-8", extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    data_dir: Path = ROOT / "data"
    knowledge_dir: Path = ROOT / "knowledge"
    database_url: str = ""
    secret_key: str = ""
    public_url: str = ""
    publisher: str = "云浮市人力资源和社会保障局"
    icp_number: str = ""
    trusted_proxies: Annotated[int, Field(ge=0, le=5)] = 0
    rate_limit: str = "60 per minute"
    retention_days: Annotated[int, Field(ge=1, le=3650)] = 180
    staff_password_hash: str = ""
    metrics_token: str = ""
    wechat_token: str = ""
    wechat_app_id: str = ""
    wechat_app_secret: str = ""
    wechat_aes_key: Annotated[str, StringConstraints(strip_whitespace=True)] = ""
    wechat_allow_plain: bool = False
    wechat_links: bool = True
    wechat_handover: bool = False

    @field_validator("database_url")
    @classmethod
    def _driver(cls, url: str) -> str:
        """PostgreSQL goes through psycopg 3 whichever way the address is written."""
        for prefix in ("postgres://", "postgresql://"):
            if url.startswith(prefix):
                return "postgresql+psycopg://" + url.removeprefix(prefix)
        if url and not url.startswith(("sqlite:", "postgresql+psycopg:")):
            raise ValueError("只支持 sqlite:///文件 和 postgresql://用户@主机/库")
        return url

    @field_validator("wechat_aes_key")
    @classmethod
    def _aes_key(cls, key: str) -> str:
        if key and (len(key) != AES_KEY_LENGTH or not key.isalnum()):
            raise ValueError("EncodingAESKey 是43位字母和数字，从公众号后台原样复制")
        return key

    @model_validator(mode="after")
    def _wechat_whole(self) -> Config:
        if not self.wechat_token and (self.wechat_app_id or self.wechat_aes_key):
            raise ValueError("WECHAT_TOKEN 不能空：空的 token 谁都能冒充微信")
        if self.wechat_aes_key and not self.wechat_app_id:
            raise ValueError("设了 WECHAT_AES_KEY 就要设 WECHAT_APP_ID")
        return self

    @property
    def wechat_on(self) -> bool:
        """Whether the WeChat endpoint is open."""
        return bool(self.wechat_token)

    @property
    def database(self) -> str:
        """The database's address; a SQLite file in the data folder by default."""
        return self.database_url or f"sqlite:///{self.data_dir / 'bot.db'}"


def read_config(**given: Any) -> Config:
    """Return the settings; ``given`` ones win over the environment.

    Raises ConfigError with every problem at once.
    """
    try:
        return Config(**given)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc'])).upper() or '设置'}：{_plain(e)}" for e in error.errors()]
        raise ConfigError("设置有问题：\n" + "\n".join(lines)) from None


def read_secret(config: Config) -> bytes:
    """Return the secret that people's names are hashed with: the one set, or one made once and kept in the data folder."""
    if config.secret_key:
        return config.secret_key.encode()
    config.data_dir.mkdir(parents=True, exist_ok=True)
    path = config.data_dir / "secret.key"
    try:
        with path.open("x", encoding="ascii") as file:
            path.chmod(0o600)
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass  # made by an earlier start, or by another worker at this moment
    return path.read_bytes()


def _plain(error: Any) -> str:
    """Return pydantic's message without echoing the value, which may be a secret."""
    return str(error["msg"]).removeprefix("Value error, ")
