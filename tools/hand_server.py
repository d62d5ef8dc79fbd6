#!/usr/bin/env python3
"""An OpenAI-compatible chat server on loopback whose answers somebody else writes: for a model that has no API, or a person.

    tools/hand_server.py runs/hand --port 8931
    audio-reasoner data check --samples planted.jsonl --measure --reader-api openai --reader-model hand \\
        --reader-url http://127.0.0.1:8931/v1 --reader-workers 200 --reader-timeout 86400

Every request becomes a file, runs/hand/requests/000.txt and so on: the text of its messages, one below the other. The request waits until
runs/hand/answers/000.txt is there and is answered with what it holds (write it under another name and rename it). Requests are
independent: one file in, one file out. Counts of tokens are estimates, four characters each. Not part of the product.
"""
import argparse
import http.server
import json
import os
import pathlib
import threading
import time


def text_of(message):
    content = message["content"]
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = "\n\n".join(text_of(message) for message in body["messages"])
        number = self.server.next_number()
        draft = self.server.requests / f".{number}"
        draft.write_text(text)
        draft.rename(self.server.requests / f"{number}.txt")
        path = self.server.answers / f"{number}.txt"
        while not path.exists():
            time.sleep(0.5)
        answer = path.read_text()
        self.reply(body["model"], number, text, answer)

    def reply(self, model, number, text, answer):
        prompt, completion = len(text) // 4, len(answer) // 4
        out = json.dumps({
            "id": f"hand-{number}", "object": "chat.completion", "created": int(time.time()), "model": model,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion},
        }).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(out)))
        self.end_headers()
        self.wfile.write(out)


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True

    def __init__(self, folder, port):
        super().__init__(("127.0.0.1", port), Handler)
        self.requests, self.answers = folder / "requests", folder / "answers"
        for each in (self.requests, self.answers):
            each.mkdir(parents=True, exist_ok=True)
        # After a restart numbers go on, so that no answer is given to another request.
        self.count = sum(1 for name in os.listdir(self.requests) if name.endswith(".txt"))
        self.lock = threading.Lock()

    def next_number(self):
        with self.lock:
            self.count += 1
            return f"{self.count - 1:03d}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--port", type=int, default=8931)
    options = parser.parse_args()
    server = Server(options.folder, options.port)
    print(f"http://127.0.0.1:{server.server_port}/v1: requests in {server.requests}, answers into {server.answers}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
