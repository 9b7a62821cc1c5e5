"""A server on this machine that speaks OpenAI's chat protocol and answers as a test has it answer."""

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def reply(text):
    """Status and body of a completion that says ``text``."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    return 200, json.dumps({"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]})


class Server(ThreadingHTTPServer):
    """``answer`` maps a request's JSON to status, body and, if it likes, seconds to wait; ``requests`` keeps what came.

    A body that is a list goes out piece by piece, with the wait before each.
    """

    daemon_threads = True

    def __init__(self, answer):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer, self.requests, self.keys = answer, [], []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, asked))
        self.server.keys.append(self.headers["Authorization"])
        status, body, *wait = self.server.answer(asked)
        pieces = [piece.encode() for piece in ([body] if isinstance(body, str) else body)]
        if isinstance(body, str):
            time.sleep(sum(wait))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # who timed out has gone
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(sum(map(len, pieces))))
            self.send_header("retry-after-ms", "1")
            self.end_headers()
            for piece in pieces:
                time.sleep(sum(wait) if len(pieces) > 1 else 0)
                self.wfile.write(piece)

    def log_message(self, *args):
        """Say nothing."""


@contextlib.contextmanager
def serving(answer):
    server = Server(answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
