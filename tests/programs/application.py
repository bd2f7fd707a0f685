"""A WSGI application that computes: each request spends a while in compute, called by handle."""
import time


def compute(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(1000))


def handle(query):
    compute(float(query or "0.05"))
    return b"done\n"


def application(environ, start_response):
    body = handle(environ.get("QUERY_STRING"))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
