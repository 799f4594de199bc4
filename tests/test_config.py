"""Settings: none needed, all problems told at once, secrets never echoed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config import Config, ConfigError, read_config, read_secret


def test_nothing_is_needed(tmp_path: Path) -> None:
    config = Config(_env_file=None, data_dir=tmp_path)
    assert config.database == f"sqlite:///{tmp_path / 'bot.db'}"
    assert not config.wechat_on


def test_every_problem_is_told_at_once_without_the_value() -> None:
    with pytest.raises(ConfigError) as caught:
        read_config(port=99999, wechat_aes_key="hush-secret", database_url="mysql://x")
    said = str(caught.value)
    assert all(name in said for name in ("PORT", "WECHAT_AES_KEY", "DATABASE_URL"))
    assert "hush-secret" not in said


@pytest.mark.parametrize(
    "given",
    [
        {"wechat_app_id": "wx1"},
        {"wechat_aes_key": "a" * 43, "wechat_app_id": "wx1"},
        {"wechat_aes_key": "a" * 43, "wechat_token": "t"},
        {"wechat_aes_key": "a" * 42, "wechat_token": "t", "wechat_app_id": "wx1"},
    ],
)
def test_half_a_wechat_account_is_a_problem(given: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        read_config(**given)


def test_the_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    config = Config(_env_file=None, data_dir=tmp_path / "new")
    assert read_secret(config) == read_secret(config)
    assert len(read_secret(config)) == 64
    assert read_secret(config.model_copy(update={"secret_key": "mine"})) == b"mine"


def test_postgresql_goes_through_psycopg() -> None:
    assert read_config(database_url="postgres://u@h/d").database == "postgresql+psycopg://u@h/d"
