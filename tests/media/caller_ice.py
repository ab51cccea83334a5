"""A caller's ICE over one socket (RFC 8445): controlling, one pair, nominated with the first check."""

from aioice.stun import Class, Message, Method, parse_message

CHECK_S = 0.1  # between checks until one is answered
CONSENT_S = 2.5  # and afterwards (RFC 7675)
PRIORITY = 1853693695  # of a peer-reflexive candidate


class Ice:
    def __init__(self, ufrag: str, password: str) -> None:
        self.ufrag, self.password = ufrag, password
        self.nominated = False
        self.answered = 0  # checks of ours that were answered
        self.remote_ufrag = self.remote_password = ""
        self._due = 0.0
        self._open: dict[bytes, None] = {}  # transactions waiting for their answer

    def start(self, remote_ufrag: str, remote_password: str, now: float) -> None:
        """Also a restart: the pair has to be nominated again."""
        self.remote_ufrag, self.remote_password = remote_ufrag, remote_password
        self.nominated = False
        self._due = now
        self._open.clear()

    def tick(self, now: float) -> bytes | None:
        """A check to send, if one is due."""
        if now < self._due or not self.remote_ufrag:
            return None
        self._due = now + (CONSENT_S if self.nominated else CHECK_S)
        request = Message(Method.BINDING, Class.REQUEST)
        request.attributes["USERNAME"] = f"{self.remote_ufrag}:{self.ufrag}"
        request.attributes["PRIORITY"] = PRIORITY
        request.attributes["ICE-CONTROLLING"] = 1
        request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(self.remote_password.encode())
        self._open[request.transaction_id] = None
        if len(self._open) > 16:
            del self._open[next(iter(self._open))]
        return bytes(request)

    def receive(self, datagram: bytes, source: tuple[str, int]) -> bytes | None:
        """What to send back. ValueError when it is not STUN, or does not verify."""
        message = parse_message(datagram)
        if message.message_class is Class.REQUEST:
            if not message.check_message_integrity(self.password.encode()):
                raise ValueError("a check that does not verify")
            answer = Message(Method.BINDING, Class.RESPONSE, message.transaction_id)
            answer.attributes["XOR-MAPPED-ADDRESS"] = source
            answer.add_message_integrity(self.password.encode())
            return bytes(answer)
        if message.message_class is Class.RESPONSE and message.transaction_id in self._open:
            if not message.check_message_integrity(self.remote_password.encode()):
                raise ValueError("an answer that does not verify")
            del self._open[message.transaction_id]
            self.nominated = True
            self.answered += 1
        return None
