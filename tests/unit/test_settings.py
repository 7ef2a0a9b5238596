"""Settings: what the environment may say, and the one clear line when it says something else."""

import re
from pathlib import Path

import pytest

from bridge.settings import VARIABLES, Settings, SettingsError

ROOT = Path(__file__).resolve().parents[2]
KEY = "k" * 32
DURATIONS = [
    "PRESENCE_GRACE_SECONDS",
    "HEARTBEAT_ACTIVE_SECONDS",
    "HEARTBEAT_IDLE_SECONDS",
    "WATCH_LEASE_SECONDS",
    "TAKEOVER_IDLE_MINUTES",
]


def settings(**environ: str) -> Settings:
    return Settings.from_environment({"BRIDGE_SECRET_KEY": KEY, **environ})


def refusal(**environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        settings(**environ)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_defaults_are_those_of_the_agreement() -> None:
    assert settings() == Settings(
        secret_key=KEY,
        old_secret_key=None,
        database_url="sqlite:///bridge.db",
        port=8000,
        redis_url=None,
        web_concurrency=1,
        public_url=None,
        trusted_proxy_hops=0,
        allow_private_stores=False,
        presence_grace_seconds=15.0,
        heartbeat_active_seconds=10.0,
        heartbeat_idle_seconds=60.0,
        watch_lease_seconds=45.0,
        takeover_idle_minutes=30.0,
        retention_days=365.0,
        metrics_token=None,
        demo=False,
    )


def test_the_table_and_the_fields_have_the_same_defaults() -> None:
    from_table = {v.name: v.default for v in VARIABLES if v.default is not None}
    assert (
        settings(**from_table)
        == settings()
        == Settings(secret_key=KEY, database_url="sqlite:///bridge.db")
    )


def test_every_variable_is_taken() -> None:
    taken = settings(
        PORT="9000",
        BRIDGE_OLD_SECRET_KEY="o" * 32,
        DATABASE_URL="postgres://u:p@db.example/bridge",
        PUBLIC_URL="https://bridge.example.com/",
        TRUSTED_PROXY_HOPS="1",
        ALLOW_PRIVATE_STORES="1",
        PRESENCE_GRACE_SECONDS="0.5",
        HEARTBEAT_ACTIVE_SECONDS="1.5",
        HEARTBEAT_IDLE_SECONDS="2",
        WATCH_LEASE_SECONDS="3",
        TAKEOVER_IDLE_MINUTES="0.25",
        RETENTION_DAYS="0",
        METRICS_TOKEN="metrics",
    )
    assert taken == Settings(
        secret_key=KEY,
        old_secret_key="o" * 32,
        database_url="postgresql+psycopg://u:p@db.example/bridge",
        port=9000,
        public_url="https://bridge.example.com",
        trusted_proxy_hops=1,
        allow_private_stores=True,
        presence_grace_seconds=0.5,
        heartbeat_active_seconds=1.5,
        heartbeat_idle_seconds=2.0,
        watch_lease_seconds=3.0,
        takeover_idle_minutes=0.25,
        retention_days=0.0,
        metrics_token="metrics",
    )


def test_an_empty_value_counts_as_unset() -> None:
    assert settings(PORT="", REDIS_URL=" ", PUBLIC_URL="", DYNO="") == settings()


def test_load_reads_the_environment_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_SECRET_KEY", KEY)
    monkeypatch.setenv("PORT", "8123")
    assert Settings.load().port == 8123


class TestSecretKey:
    def test_is_required_and_the_refusal_says_how_to_make_one(self) -> None:
        message = refusal(BRIDGE_SECRET_KEY="")
        assert "BRIDGE_SECRET_KEY is not set" in message
        assert 'python -c "import secrets; print(secrets.token_urlsafe(32))"' in message

    def test_must_be_long_enough(self) -> None:
        message = refusal(BRIDGE_SECRET_KEY="short-but-secret")
        assert "at least 32" in message
        assert "short-but-secret" not in message

    def test_the_demo_makes_a_random_one(self) -> None:
        first, second = (Settings.from_environment({}, demo=True) for _ in range(2))
        assert first.demo
        assert len(first.secret_key) >= 32
        assert first.secret_key != second.secret_key

    def test_the_demo_takes_one_that_is_given(self) -> None:
        assert settings(BRIDGE_DEMO="1").demo
        assert settings(BRIDGE_DEMO="1").secret_key == KEY


class TestOldSecretKey:
    def test_must_be_as_long_as_any_key(self) -> None:
        message = refusal(BRIDGE_OLD_SECRET_KEY="short-but-secret")
        assert "BRIDGE_OLD_SECRET_KEY has 16 characters" in message
        assert "short-but-secret" not in message

    def test_may_be_the_present_one_where_variables_are_set_one_by_one(self) -> None:
        assert settings(BRIDGE_OLD_SECRET_KEY=KEY).old_secret_key == KEY

    def test_does_not_stand_in_for_the_present_one(self) -> None:
        message = refusal(BRIDGE_SECRET_KEY="", BRIDGE_OLD_SECRET_KEY=KEY)
        assert message.startswith("BRIDGE_SECRET_KEY is not set")


class TestProcesses:
    def test_several_without_redis_are_refused_in_the_agreed_words(self) -> None:
        message = refusal(WEB_CONCURRENCY="2")
        assert "REDIS_URL" in message
        assert "set WEB_CONCURRENCY=1, or add Redis" in message

    def test_that_comes_before_anything_else(self) -> None:
        message = refusal(
            WEB_CONCURRENCY="2", BRIDGE_SECRET_KEY="", PORT="wrong", DATABASE_URL="wrong"
        )
        assert "set WEB_CONCURRENCY=1, or add Redis" in message

    @pytest.mark.parametrize("concurrency", ["1", "2"])
    def test_redis_is_refused_while_nothing_uses_it(self, concurrency: str) -> None:
        message = refusal(REDIS_URL="redis://:hunter2@r.example", WEB_CONCURRENCY=concurrency)
        assert "REDIS_URL" in message
        assert "hunter2" not in message


class TestDatabaseUrl:
    @pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
    def test_postgresql_in_every_spelling(self, scheme: str) -> None:
        url = settings(DATABASE_URL=f"{scheme}://u:p@h:5432/d?sslmode=require").database_url
        assert url == "postgresql+psycopg://u:p@h:5432/d?sslmode=require"

    @pytest.mark.parametrize("url", ["sqlite:///other.db", "sqlite:////var/lib/bridge.db"])
    def test_a_file_of_sqlite(self, url: str) -> None:
        assert settings(DATABASE_URL=url).database_url == url

    @pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://x"])
    def test_sqlite_without_a_file_is_refused(self, url: str) -> None:
        assert "no file" in refusal(DATABASE_URL=url)

    def test_sqlite_is_refused_where_the_disk_vanishes(self) -> None:
        assert "DYNO" in refusal(DYNO="web.1")
        url = settings(DYNO="web.1", DATABASE_URL="postgres://h/d").database_url
        assert url == "postgresql+psycopg://h/d"

    @pytest.mark.parametrize(
        "rest",
        [
            "h",
            "h/d",
            "u@h:5432/d",
            "u:hunter2:/?#+%40@h/d",
            "[2001:db8::1]:5432/d",
            "h1,h2:5432/d",
            "u:p@/d?host=/var/run/postgresql",
            "h:1/d?sslmode=require&application_name=a@b/c",
        ],
    )
    def test_postgresql_in_every_form(self, rest: str) -> None:
        url = settings(DATABASE_URL=f"postgres://{rest}").database_url
        assert url == f"postgresql+psycopg://{rest}"

    @pytest.mark.parametrize(
        "rest",
        [
            "u:hunter2@h:abc/d",
            "u:hunter2@h:/d",
            "u:hunter2@h:0/d",
            "u:hunter2@h:65536/d",
            "u:hunter2@h:-1/d",
            "u:hunter2@[::/d",
            "u:hunter2@[::x]/d",
            "u:hunter2@two words/d",
            "u:hunter2@h/d/e",
            "u:hunter@2@h/d",
        ],
    )
    def test_postgresql_that_is_not_well_formed(self, rest: str) -> None:
        message = refusal(DATABASE_URL=f"postgres://{rest}")
        assert "DATABASE_URL" in message
        assert "hunter" not in message

    def test_sqlite_takes_no_options(self) -> None:
        assert "options" in refusal(DATABASE_URL="sqlite:///bridge.db?timeout=abc")

    @pytest.mark.parametrize("url", ["mysql://u:hunter2@h/d", "hunter2", "postgres:hunter2"])
    def test_others_are_refused_without_quoting_them(self, url: str) -> None:
        message = refusal(DATABASE_URL=url)
        assert "DATABASE_URL" in message
        assert "hunter2" not in message


class TestNumbers:
    @pytest.mark.parametrize("name", DURATIONS)
    @pytest.mark.parametrize(
        "value", ["0", "0.0", "-1", "nan", "inf", "1e3", "1_0", "ten", "1,5", "٣", "9" * 400]
    )
    def test_durations_that_are_none(self, name: str, value: str) -> None:
        assert refusal(**{name: value}).startswith(f"{name} is ")

    @pytest.mark.parametrize("value", ["-1", "nan", "inf", "forever", "99999999"])
    def test_retention_may_be_nothing_but_not_less(self, value: str) -> None:
        assert refusal(RETENTION_DAYS=value).startswith("RETENTION_DAYS is ")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("PORT", "0"),
            ("PORT", "65536"),
            ("PORT", "80a"),
            ("PORT", "8000\nX: y"),
            ("WEB_CONCURRENCY", "0"),
            ("WEB_CONCURRENCY", "auto"),
            ("TRUSTED_PROXY_HOPS", "-1"),
            ("TRUSTED_PROXY_HOPS", "1.0"),
            ("ALLOW_PRIVATE_STORES", "yes"),
            ("BRIDGE_DEMO", "true"),
        ],
    )
    def test_whole_numbers_and_flags_that_are_none(self, name: str, value: str) -> None:
        assert refusal(**{name: value}).startswith(f"{name} is ")


@pytest.mark.parametrize(
    "url", ["http://localhost:8000", "https://bridge.example.com", "https://[2001:db8::1]:8443"]
)
def test_public_url_is_an_origin(url: str) -> None:
    assert settings(PUBLIC_URL=f"{url}/").public_url == url


@pytest.mark.parametrize(
    "url",
    [
        "bridge.example.com",
        "ftp://bridge.example.com",
        "javascript:alert(1)",
        "https://",
        "https://u:hunter2@bridge.example.com",
        "https://bridge.example.com/chat",
        "https://bridge.example.com?x=1",
        "https://bridge example.com",
    ],
)
def test_public_url_that_is_none(url: str) -> None:
    message = refusal(PUBLIC_URL=url)
    assert "PUBLIC_URL" in message
    assert "hunter2" not in message


def test_no_secret_is_in_the_representation() -> None:
    shown = repr(
        settings(
            BRIDGE_SECRET_KEY="hunter2" * 5,
            BRIDGE_OLD_SECRET_KEY="hunter2" * 6,
            DATABASE_URL="postgres://u:hunter2@h/d",
            METRICS_TOKEN="hunter2",
        )
    )
    assert "hunter2" not in shown
    assert "port=8000" in shown


def test_every_variable_is_documented_with_its_default() -> None:
    rows = re.findall(r"^\| `[A-Z_]+` \|.*$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert rows == [
        f"| `{v.name}` | {'none' if v.default is None else f'`{v.default}`'} | {v.meaning} |"
        for v in VARIABLES
    ]
