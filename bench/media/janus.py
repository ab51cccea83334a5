"""Debian's Janus (videoroom, recording on, one event loop), spoken to over its UNIX socket.

In Janus a participant has two connections: one on which it publishes, one on which it is shown the other.
Janus is ICE-lite here, as our node is, and takes the load generator's address from its first check.
"""

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from bench.media.calls import Call, Failed, Person, connected, media_runs, person, until
from bench.media.generator import Generator
from bench.media.process import Process, Usage
from bench.media.recordings import Checked, check, read_mjr

PLUGINS = Path("/usr/lib/x86_64-linux-gnu/janus/plugins")
TRANSPORTS = PLUGINS.parent / "transports"
START_S = 10.0
ANSWER_S = 15.0
CREATE_S, CREATE_ATTEMPTS = 2.0, 6
KEEPALIVE_S = 20.0
MESSAGE_BYTES = 1 << 16

_CORE = """
general: {{
    configs_folder = "{folder}"
    plugins_folder = "{plugins}"
    transports_folder = "{transports}"
    log_to_stdout = true
    debug_level = 2
    event_loops = 1
}}
certificates: {{ }}
media: {{ rtp_port_range = "20000-40000" }}
nat: {{
    ice_lite = true
    ice_enforce_list = "{host}"
}}
plugins: {{ disable = "{others}" }}
transports: {{ disable = "{ways}" }}
events: {{ broadcast = false }}
"""
_SOCKET = """
general: {{
    enabled = true
    json = "compact"
    path = "{path}"
    type = "SOCK_SEQPACKET"
}}
admin: {{ admin_enabled = false }}
"""


def installed() -> str:
    """Janus's version; installs Debian's package when there is none. Raises Failed with what to do."""
    if shutil.which("janus") is None:
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise Failed("Janus is missing: as root, apt-get install --no-install-recommends janus")
        print("installing Debian's janus", flush=True)
        _apt("update", "-qq")
        _apt("install", "-y", "-qq", "--no-install-recommends", "janus")
    said = subprocess.run(["janus", "--version"], capture_output=True, text=True, timeout=10)
    lines = (said.stdout + said.stderr).split("\n")
    return next((line.strip() for line in lines if "ersion" in line), "Janus")


def _apt(*arguments: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        ["apt-get", *arguments], env=environment, capture_output=True, text=True, timeout=300
    )
    if done.returncode:
        raise Failed(f"apt-get {arguments[0]} failed: {done.stderr[-500:]}")


class Janus:
    name = "janus"

    def __init__(self, folder: Path, core: int, host: str) -> None:
        self._folder, self._core, self._host = folder, core, host
        self._recordings = folder / "recordings"
        self._process: Process | None = None
        self._socket: socket.socket | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._up: dict[int, asyncio.Event] = {}  # by handle: its connection is up, as Janus sees it
        self._session = 0
        self._rooms = 1000
        self.lost: list[str] = []  # connections that Janus gave up

    # --- the process ---

    async def start(self) -> None:
        self._recordings.mkdir(parents=True)
        path = self._configure()
        for last in (False, True):
            # Once in dozens of starts it finds no transport to load, and ends.
            command = ["janus", "-F", str(self._folder)]
            self._process = Process(command, self._core, self._folder / "janus.log")
            try:
                self._socket = await self._connect(path)
                break
            except Failed:
                self._process.end()
                if last:
                    raise
        self._tasks = [asyncio.create_task(self._read(), name="janus: events")]
        self._session = await self._create()
        self._tasks.append(asyncio.create_task(self._keep_alive(), name="janus: keepalive"))

    async def _create(self) -> int:
        """It may listen before it reads: asked again until it answers."""
        for _ in range(CREATE_ATTEMPTS):
            with contextlib.suppress(Failed):
                return int((await self._ask({"janus": "create"}, CREATE_S))["data"]["id"])
        raise Failed("Janus does not answer")

    def _configure(self) -> Path:
        """Only what is used is loaded. A socket's path may have 107 bytes: the folder is a short one."""
        path = self._folder / "s"
        others = _libraries(PLUGINS, but="videoroom")
        core = _CORE.format(
            folder=self._folder,
            plugins=PLUGINS,
            transports=TRANSPORTS,
            host=self._host,
            others=others,
            ways=_libraries(TRANSPORTS, but="pfunix"),
        )
        (self._folder / "janus.jcfg").write_text(core)
        (self._folder / "janus.transport.pfunix.jcfg").write_text(_SOCKET.format(path=path))
        (self._folder / "janus.plugin.videoroom.jcfg").write_text("general: { }\n")
        return path

    async def _connect(self, path: Path) -> socket.socket:
        assert self._process is not None
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.running:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                sock.connect(str(path))
            except OSError:
                sock.close()
                await asyncio.sleep(0.05)
                continue
            sock.setblocking(False)
            return sock
        raise Failed(f"Janus did not start: {self._process.output()}")

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            self._process.end()

    def usage(self) -> Usage:
        assert self._process is not None
        return self._process.usage()

    def check_recordings(self, sample: int | None, seed: int) -> Checked:
        return check(list(self._recordings.rglob("*.mjr")), read_mjr, sample, seed)

    # --- calls ---

    async def open_call(self, name: str, generator: Generator) -> Call:
        room = await self._make_room(name)
        people = (person(generator), person(generator))
        call = Call(name, people, handle=room)
        try:
            feeds = await asyncio.gather(*(self._publish(room, one, generator) for one in people))
            # Media runs before anybody is shown it: Janus says what a feed has only when it has it.
            for one in people:
                for track in one.tracks:
                    generator.send(one.callers[0], track)
            await asyncio.gather(
                self._subscribe(room, feeds[1], people[0], people[1], generator),
                self._subscribe(room, feeds[0], people[1], people[0], generator),
            )
            await media_runs(call)
        except BaseException:
            for caller in call.callers():
                generator.remove(caller)
            raise
        return call

    async def close_call(self, call: Call, generator: Generator) -> None:
        await self._destroy_room(call.handle)
        for caller in call.callers():
            generator.remove(caller)

    async def join_and_leave(self, name: str, generator: Generator) -> None:
        room = await self._make_room(name)
        one = person(generator)
        try:
            await self._publish(room, one, generator)
        finally:
            await self._destroy_room(room)
            for caller in one.callers:
                generator.remove(caller)

    async def _make_room(self, name: str) -> int:
        self._rooms += 1
        room = self._rooms
        folder = self._recordings / name
        folder.mkdir()
        await self._room_message(
            {
                "request": "create",
                "room": room,
                "publishers": 2,
                "permanent": False,
                "audiocodec": "opus",
                "videocodec": "vp8",
                "record": True,
                "rec_dir": str(folder),
            }
        )
        return room

    async def _destroy_room(self, room: object) -> None:
        await self._room_message({"request": "destroy", "room": room})

    async def _room_message(self, body: dict[str, Any]) -> dict[str, Any]:
        """To the plugin, from a handle that is there for this alone."""
        handle = await self._attach()
        try:
            return await self._message(handle, body)
        finally:
            await self._ask({"janus": "detach", "handle_id": handle})

    async def _publish(self, room: int, one: Person, generator: Generator) -> int:
        """The feed's id."""
        handle = await self._attach()
        up = self._up[handle] = asyncio.Event()
        joined = await self._message(handle, {"request": "join", "ptype": "publisher", "room": room})
        caller = generator.caller()
        one.callers.append(caller)
        offer = caller.offer(one.sound, one.video)
        done = await self._message(
            handle, {"request": "publish"}, {"type": "offer", "sdp": offer, "trickle": False}
        )
        caller.answered(done["jsep"]["sdp"], time.time())
        await connected(caller)
        await until(up.is_set, "Janus: no webrtcup")
        del self._up[handle]
        return int(_data(joined)["id"])

    async def _subscribe(
        self, room: int, feed: int, one: Person, other: Person, generator: Generator
    ) -> None:
        handle = await self._attach()
        attached = await self._message(
            handle,
            {"request": "join", "ptype": "subscriber", "room": room, "streams": [{"feed": feed}]},
        )
        caller = generator.caller()
        one.callers.append(caller)
        caller.sources = {track.clip.video: track for track in other.tracks}
        answer = caller.answer(attached["jsep"]["sdp"], {}, time.time())
        await self._message(handle, {"request": "start"}, {"type": "answer", "sdp": answer, "trickle": False})
        await connected(caller)

    # --- Janus's API ---

    async def _attach(self) -> int:
        made = await self._ask({"janus": "attach", "plugin": "janus.plugin.videoroom"})
        return int(made["data"]["id"])

    async def _message(
        self, handle: int, body: dict[str, Any], jsep: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        request = {"janus": "message", "handle_id": handle, "body": body}
        if jsep is not None:
            request["jsep"] = jsep
        answer = await self._ask(request)
        if error := _data(answer).get("error"):
            raise Failed(f"Janus: {body['request']}: {error}")
        return answer

    async def _ask(self, request: dict[str, Any], within_s: float = ANSWER_S) -> dict[str, Any]:
        """The answer that has content: acknowledgements of what is answered later are passed over."""
        assert self._socket is not None
        transaction = secrets.token_hex(6)
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[transaction] = future
        request = {**request, "transaction": transaction}
        if self._session:
            request["session_id"] = self._session
        try:
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(self._socket, json.dumps(request).encode())
            answer = await asyncio.wait_for(future, within_s)
        except TimeoutError:
            raise Failed(f"Janus did not answer {request['janus']}") from None
        finally:
            del self._answers[transaction]
        if answer["janus"] == "error":
            raise Failed(f"Janus: {request['janus']}: {answer['error']}")
        return answer

    async def _read(self) -> None:
        assert self._socket is not None
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(self._socket, MESSAGE_BYTES):
            message = json.loads(data)
            future = self._answers.get(message.get("transaction", ""))
            if message["janus"] == "hangup":
                self.lost.append(f"{message.get('sender')}: {message.get('reason')}")
            elif message["janus"] == "webrtcup" and message["sender"] in self._up:
                self._up[message["sender"]].set()
            elif future is not None and not future.done() and message["janus"] != "ack":
                future.set_result(message)

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(KEEPALIVE_S)
            await self._ask({"janus": "keepalive"})


def _data(answer: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = answer.get("plugindata", {}).get("data", {})
    return data


def _libraries(folder: Path, but: str) -> str:
    return ",".join(sorted(path.name for path in folder.glob("*.so") if but not in path.name))
