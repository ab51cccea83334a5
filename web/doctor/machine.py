"""Doctor's checks of the machine itself: folders, disk, port, addresses, clock."""

import errno
import resource
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from aioice.ice import get_host_addresses

from records.model import Text
from web import serve
from web.config import Config
from web.doctor.certificate import certificate
from web.doctor.findings import Finding, Level, bad, fine, warn

MIN_FREE, LOW_FREE = 1 << 30, 10 << 30  # bytes; an hour of one recorded call takes about 1 GiB
LOW_DESCRIPTORS = 4096
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


async def folders(config: Config) -> list[Finding]:
    """Data and recordings: there or makeable, ours alone, with room."""
    wanted = {"data folder": config.data_dir, "recordings folder": config.recordings_folder}
    return [finding for about, folder in wanted.items() for finding in _folder(about, folder)]


def _folder(about: str, folder: Path) -> Iterator[Finding]:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as why:
        yield bad(
            about,
            Text(f"{folder} 无法写入：{why.strerror}", f"Cannot write in {folder}: {why.strerror}"),
            Text(
                "换一个文件夹，或把它交给运行本服务的用户（chown）。",
                "Choose another, or give it to the service's user (chown).",
            ),
        )
        return
    if existing == folder and stat.S_IMODE(folder.stat().st_mode) & 0o077:
        yield warn(
            about,
            Text(f"其他用户可以进入 {folder}。", f"Other users can enter {folder}."),
            Text(f"运行 chmod 700 {folder}", f"Run chmod 700 {folder}"),
        )
    yield room(about, folder, shutil.disk_usage(existing).free)


def room(about: str, folder: Path, free: int) -> Finding:
    """What so many free bytes mean."""
    size = f"{free / (1 << 30):.1f} GiB"
    text = Text(f"{folder} 可用空间 {size}。", f"{folder} has {size} free.")
    advice = Text(
        "一路通话录像每小时约占 1 GiB：请清理或扩容。",
        "An hour of one recorded call takes about 1 GiB: make room, or move the folder.",
    )
    if free < MIN_FREE:
        return bad(about, text, advice)
    return warn(about, text, advice) if free < LOW_FREE else Finding(about, Level.OK, text)


async def web_port(config: Config) -> list[Finding]:
    host, port, about = config.web.host, config.web.port, "web port"
    try:
        serve.bindable(host, port)
    except OSError as why:
        if why.errno == errno.EADDRINUSE and await serve.answers_http(config):
            return [
                fine(
                    about, f"{host}:{port} 有网页服务应答。", f"A web server answers on {host}, port {port}."
                )
            ]
        said = Text(
            f"无法监听 {host}:{port}：{why.strerror}", f"Cannot listen on {host}, port {port}: {why.strerror}"
        )
        return [bad(about, said, _port_advice(why, port))]
    return [fine(about, f"{host}:{port} 可用。", f"Port {port} on {host} is free.")]


def _port_advice(why: OSError, port: int) -> Text:
    if isinstance(why, PermissionError):
        return Text(
            f"普通用户不能使用 {port}：放在反向代理之后，或授予 CAP_NET_BIND_SERVICE。",
            f"An ordinary user may not use {port}: put a proxy in front, or grant CAP_NET_BIND_SERVICE.",
        )
    return Text(
        "停掉占用它的程序，或修改 web.host、web.port。",
        "Stop what uses it, or change web.host or web.port.",
    )


async def secure_pages(config: Config) -> list[Finding]:
    """Browsers give cameras to secure contexts alone (W3C Secure Contexts); and the certificate itself."""
    address = urlsplit(config.origin)
    host = address.hostname or ""
    if config.web.tls_cert is not None and config.web.tls_key is not None:
        return list(certificate(config.web.tls_cert, config.web.tls_key, host, datetime.now(UTC)))
    about = "secure pages"
    if address.scheme == "https":
        if config.web.trusted_proxies:
            return [
                fine(
                    about,
                    f"{config.origin} 由反向代理提供 TLS。",
                    f"A proxy provides TLS for {config.origin}.",
                )
            ]
        return [
            warn(
                about,
                Text(
                    "前面有反向代理，但没有配置 web.trusted_proxies。",
                    "There is a proxy in front, but web.trusted_proxies is empty.",
                ),
                Text(
                    "填入代理的地址，否则审计记录里都是代理的地址。",
                    "Name its address, or the audit trail shows the proxy's address for everybody.",
                ),
            )
        ]
    if host in LOCAL_NAMES or host.endswith(".localhost"):
        return [
            fine(about, "仅限本机使用，无需证书。", "Used on this machine only, so no certificate is needed.")
        ]
    return [
        bad(
            about,
            Text(
                f"{config.origin} 没有加密，浏览器会拒绝使用摄像头和麦克风。",
                f"{config.origin} is not encrypted: browsers will refuse camera and microphone.",
            ),
            Text(
                "配置 web.tls_cert 和 web.tls_key，或放在 HTTPS 反向代理之后。",
                "Set web.tls_cert and web.tls_key, or put an HTTPS proxy in front and set web.public_url.",
            ),
        )
    ]


async def media_addresses(config: Config) -> list[Finding]:
    """Whether the media workers can listen where they are told to."""
    about, media = "media addresses", config.media
    addresses = media.addresses or tuple(get_host_addresses(use_ipv4=True, use_ipv6=True))
    if not addresses:
        return [
            warn(
                about,
                Text(
                    "本机只有回环地址，只能在本机通话。",
                    "This machine has a loopback address only: calls work on it alone.",
                ),
                Text(
                    "连接网络，或填写 media.addresses。", "Connect it to a network, or set media.addresses."
                ),
            )
        ]
    unusable = [finding for address in addresses for finding in _unusable(address, media.port_min)]
    shown = ", ".join(addresses)
    return unusable or [fine(about, f"媒体地址 {shown}。", f"Media is offered on {shown}.")]


def _unusable(address: str, port: int) -> Iterator[Finding]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError as why:
            yield bad(
                "media addresses",
                Text(
                    f"本机没有地址 {address}：{why.strerror}",
                    f"This machine cannot listen on {address}: {why.strerror}",
                ),
                Text(
                    "media.addresses 填本机网卡地址；公网地址填在 media.public_address。",
                    "media.addresses names this machine; a NAT's public one goes in media.public_address.",
                ),
            )


async def limits(config: Config) -> list[Finding]:
    about, (soft, _) = "open files", resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= LOW_DESCRIPTORS or soft == resource.RLIM_INFINITY:
        return [fine(about, f"最多可打开 {soft} 个文件。", f"Up to {soft} open files are allowed.")]
    return [
        warn(
            about,
            Text(f"每个进程只能打开 {soft} 个文件。", f"A process may open {soft} files only."),
            Text(
                "提高上限：ulimit -n 65536，或 systemd 的 LimitNOFILE。",
                "Raise it: ulimit -n 65536, or LimitNOFILE in the systemd unit.",
            ),
        )
    ]


async def clock(config: Config) -> list[Finding]:
    now = datetime.now(ZoneInfo(config.hall.timezone))
    shown = f"{now:%Y-%m-%d %H:%M} ({config.hall.timezone})"
    if not _synchronised(Path("/run/systemd/timesync")):
        return [
            warn(
                "clock",
                Text(
                    f"现在是 {shown}，但时钟尚未与时间服务器同步。",
                    f"It is {shown}, but the clock is not synchronised.",
                ),
                Text("运行 timedatectl set-ntp true。", "Run timedatectl set-ntp true."),
            )
        ]
    return [fine("clock", f"大厅时间 {shown}。", f"The hall's time is {shown}.")]


def _synchronised(timesyncd: Path) -> bool:
    """systemd-timesyncd leaves a file when it reached a server; without timesyncd nothing is known."""
    return not timesyncd.exists() or (timesyncd / "synchronized").exists()
