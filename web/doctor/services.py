"""Doctor's checks of what the service stands on: content, database, Redis, TURN."""

import time
from pathlib import Path
from urllib.parse import urlsplit

import redis.asyncio as aioredis
from redis.exceptions import RedisError
from sqlalchemy.engine import make_url

from records.accounts import Accounts
from records.content import ContentError
from records.database import Database, UnsupportedDatabase
from records.model import AccountRole, CallId, Text
from signaling.ice import Turn, ice_servers
from web import engine, seed
from web.config import Config, without_password
from web.doctor import turn_probe
from web.doctor.findings import Finding, bad, fine, warn
from web.doctor.machine import LOCAL_NAMES
from web.supervisor import CannotStart

ANSWER_S = 3.0
OLDEST_REDIS = (7, 0)
SKEW_S = 1.0


async def content(config: Config) -> list[Finding]:
    path = seed.content_folder(config)
    try:
        folder = seed.read(path)
    except ContentError as refused:
        first, more = refused.problems[0], len(refused.problems) - 1
        return [
            bad(
                "content",
                Text(
                    f"大厅内容 {path} 有错误：{first}（另有 {more} 处）",
                    f"The content in {path} is faulty: {first} (and {more} more)",
                ),
                Text(f"运行 bangban seed --check {path}", f"Run bangban seed --check {path}"),
            )
        ]
    items = len(folder.content.items)
    return [
        fine(
            "content",
            f"大厅内容完好，{items} 个事项。",
            f"The hall's content is in order, with {items} items.",
        )
    ]


async def database(config: Config) -> list[Finding]:
    """Reachable, migrated, and with somebody who can administer; an SQLite file is never made by looking."""
    about, url = "database", make_url(config.database_url)
    if url.get_backend_name() == "sqlite" and not _exists(url.database):
        return [
            warn(
                about,
                Text(f"数据库 {url.database} 还不存在。", f"The database {url.database} is not there yet."),
                Text(
                    "运行 bangban migrate（bangban serve 会自动完成）。",
                    "Run bangban migrate (bangban serve does it by itself).",
                ),
            )
        ]
    try:
        opened = Database.open(config.database_url)
    except (UnsupportedDatabase, OSError) as why:
        return [
            bad(
                about,
                Text(f"数据库无法打开：{why}", f"The database cannot be opened: {why}"),
                _database_advice(),
            )
        ]
    try:
        report = await opened.check()
        if report.problems:
            return [bad(about, Text(f"数据库：{said}", said), _database_advice()) for said in report.problems]
        good = fine(
            about,
            f"{report.engine}，版本 {report.revision}。",
            f"{report.engine} is at revision {report.revision}.",
        )
        return [good, *await _administrators(Accounts(opened))]
    finally:
        await opened.close()


def _exists(path: str | None) -> bool:
    return path is not None and Path(path).exists()


def _database_advice() -> Text:
    return Text("检查 database.url，并运行 bangban migrate。", "Check database.url, and run bangban migrate.")


async def _administrators(accounts: Accounts) -> list[Finding]:
    if any(account.active for account in await accounts.list_accounts(AccountRole.ADMIN)):
        return []
    return [
        warn(
            "accounts",
            Text("还没有管理员账号。", "There is no administrator yet."),
            Text(
                "运行 bangban account add 登录名 --role admin --name 姓名",
                "Run bangban account add LOGIN --role admin --name NAME",
            ),
        )
    ]


async def redis(config: Config) -> list[Finding]:
    if config.redis.url is None:
        return await _embedded(config)
    about, shown = "redis", without_password(config.redis.url)
    try:
        async with aioredis.from_url(
            config.redis.url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S
        ) as client:
            info = await client.info()
            seconds, _ = await client.time()
    except (RedisError, OSError) as why:
        return [
            bad(
                about,
                Text(f"Redis {shown} 没有应答：{why}", f"Redis at {shown} does not answer: {why}"),
                Text(
                    "启动 Redis，或修改 redis.url；去掉它则使用内置的 Valkey。",
                    "Start it, or correct redis.url; without that key a Valkey of our own is used.",
                ),
            )
        ]
    # From INFO: a Redis that somebody else runs for us may refuse CONFIG.
    policy = str(info.get("maxmemory_policy", "noeviction"))
    return judge(info, policy, float(seconds) - time.time())


def judge(info: dict[str, object], policy: str, skew: float) -> list[Finding]:
    """What INFO, the eviction policy and the difference of the clocks (seconds) mean."""
    about = "redis"
    name, version = (
        ("Valkey", info["valkey_version"]) if "valkey_version" in info else ("Redis", info["redis_version"])
    )
    found = []
    if tuple(map(int, str(version).split(".")[:2])) < OLDEST_REDIS:
        found.append(
            bad(
                about,
                Text(f"{name} {version} 太旧。", f"{name} {version} is too old."),
                Text("需要 7.0 或更新版本。", "7.0 or newer is needed."),
            )
        )
    if info.get("role") not in (None, "master"):
        found.append(
            bad(
                about,
                Text("它是只读副本。", "It is a read-only replica."),
                Text("redis.url 应指向主节点。", "Point redis.url at the primary."),
            )
        )
    if not info.get("aof_enabled"):
        found.append(
            warn(
                about,
                Text(
                    "没有开启 AOF：重启后排队和通话状态会丢失。",
                    "It keeps no append-only file: a restart forgets who waits and who talks.",
                ),
                Text("设置 appendonly yes。", "Set appendonly yes."),
            )
        )
    if policy != "noeviction":
        found.append(
            bad(
                about,
                Text(
                    f"内存不足时它会丢弃数据（{policy}）。",
                    f"It throws data away when memory runs short ({policy}).",
                ),
                Text("设置 maxmemory-policy noeviction。", "Set maxmemory-policy noeviction."),
            )
        )
    if abs(skew) > SKEW_S:
        found.append(
            warn(
                "clock",
                Text(
                    f"与 Redis 服务器的时钟相差 {abs(skew):.0f} 秒。",
                    f"Its clock and this machine's differ by {abs(skew):.0f} s.",
                ),
                Text("两台机器都要与时间服务器同步。", "Synchronise both with a time server."),
            )
        )
    return found or [fine(about, f"{name} {version} 正常。", f"{name} {version} is well.")]


async def _embedded(config: Config) -> list[Finding]:
    try:
        server = await engine.find_server()
    except CannotStart as why:
        return [
            bad(
                "redis",
                Text("没有可用的 Redis 或 Valkey。", "There is no Redis or Valkey to use."),
                Text(str(why), str(why)),
            )
        ]
    name = f"{server.engine.capitalize()} {server.version}"
    if await engine.answers(engine.socket_path(config.redis_folder)):
        return [fine("redis", f"内置的 {name} 正在运行。", f"Our own {name} is running.")]
    return [
        fine(
            "redis", f"bangban serve 会启动内置的 {name}。", f"bangban serve will start a {name} of its own."
        )
    ]


async def turn(config: Config) -> list[Finding]:
    """Each TURN address, with credentials as a browser would get them."""
    if not config.turn.urls:
        return [_no_turn(config)]
    settings = Turn(config.turn.urls, config.turn.secret or "", config.turn.ttl_s)
    server = ice_servers(settings, CallId("doctor"), time.time())[0]
    return [await _one_turn(url, server.username or "", server.credential or "") for url in config.turn.urls]


async def _one_turn(url: str, username: str, password: str) -> Finding:
    try:
        relay = await turn_probe.probe(url, username, password)
    except turn_probe.TurnFailed as why:
        return bad("turn", *_turn_words(url, why))
    return fine("turn", f"{url} 可用，中继地址 {relay}。", f"{url} relays, at {relay}.")


def _turn_words(url: str, why: turn_probe.TurnFailed) -> tuple[Text, Text]:
    match why.reason:
        case "unreachable":
            return (
                Text(f"{url} 没有应答（{why}）。", f"{url} does not answer ({why})."),
                Text(
                    "检查 coturn 是否运行、防火墙是否放行。",
                    "See that coturn runs and that the firewall lets it through.",
                ),
            )
        case "open":
            return (
                Text(
                    f"{url} 不需要密码，任何人都能用来中继。",
                    f"{url} relays for anybody, without a password.",
                ),
                Text("在 coturn 设置 use-auth-secret。", "Set use-auth-secret in coturn."),
            )
        case "refused":
            return (
                Text(f"{url} 不接受我们的密钥（{why}）。", f"{url} refuses our credentials ({why})."),
                Text(
                    "turn.secret 必须等于 coturn 的 static-auth-secret；两台机器时钟要准。",
                    "turn.secret must equal coturn's static-auth-secret, and both clocks must be right.",
                ),
            )
    return (
        Text(f"{url} 的应答不像 TURN（{why}）。", f"{url} does not answer like TURN ({why})."),
        Text("检查 turn.urls 的地址和端口。", "Check address and port in turn.urls."),
    )


def _no_turn(config: Config) -> Finding:
    if urlsplit(config.origin).hostname in LOCAL_NAMES:
        return fine("turn", "本机使用，无需 TURN。", "Used on this machine only, so no TURN is needed.")
    return warn(
        "turn",
        Text(
            "没有配置 TURN：防火墙后的终端可能看不到画面。",
            "No TURN is configured: terminals behind a firewall may get no picture.",
        ),
        Text(
            "安装 coturn 并填写 turn.urls 和 turn.secret，见 docs/operations.md。",
            "Install coturn and set turn.urls and turn.secret; see docs/operations.md.",
        ),
    )
