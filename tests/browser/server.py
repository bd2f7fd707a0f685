# SPDX-License-Identifier: MIT
"""A loopback HTTP server that answers every request with one document, for pages that need headers."""
import contextlib
import http.server
import threading


@contextlib.contextmanager
def serve(body, content_type, headers):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield "http://127.0.0.1:%d/flame.svg" % server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
