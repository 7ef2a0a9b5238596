"""The ceiling: a Flask route that only reads the body, in the bridge's own worker."""

from flask import Flask, Response, request

app = Flask(__name__)


@app.post("/v1/visitor/events")
def read_body() -> Response:
    """Read the body, and nothing else."""
    request.get_data()
    return Response(b'{"results": []}', content_type="application/json")
