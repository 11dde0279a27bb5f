"""Exports as the tests ask them: the experiment behind one, its versions, a server over HTTP."""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import threading
from pathlib import Path

import tensorflow as tf

import run
from library.inputs.stored_files import stored_files
from tests.conftest import ROOT


def experiment_of(model_dir, mode='export', **flags):
    """What `run.py MODE --model_dir MODEL_DIR` puts together, before the mode runs."""
    values = {
        'config_file': ROOT / 'project.yaml',
        'hyperparameter_file': ROOT / 'hyperparameters.yaml',
        'model_dir': model_dir,
        **flags,
    }
    words = [word for name, value in values.items() for word in (f'--{name}', str(value))]
    return run.open_experiment([mode, *words])


def versions(export_dir):
    """The folders of the versions, the oldest first."""
    return sorted(Path(export_dir).glob('[0-9]*'), key=lambda path: int(path.name))


def stored(experiment):
    """All JPEGs of the evaluation, in stored order."""
    numbers = range(experiment.eval_data.examples)
    return [jpeg for _, _, jpeg in stored_files(experiment.eval_data, numbers)]


@contextlib.contextmanager
def rest_server(folder):
    """TensorFlow Serving's REST API over a SavedModel, as far as `predict` in rows; gives its URL.

    https://www.tensorflow.org/tfx/serving/api_rest: a text under {"b64": ...} is bytes, and so is
    the output of a name that ends in _bytes. Loads the model once, in eager mode, as another
    program would.
    """
    loaded = tf.saved_model.load(str(folder))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
            signature = loaded.signatures[request.get('signature_name', 'serving_default')]
            rows = [_decoded(row) for row in request['instances']]
            inputs = {
                name: tf.constant([row[name] for row in rows], spec.dtype)
                for name, spec in signature.structured_input_signature[1].items()
            }
            outputs = {name: each.numpy() for name, each in signature(**inputs).items()}
            rows = [
                {name: _plain(values[number]) for name, values in outputs.items()}
                for number in range(len(rows))
            ]
            body = json.dumps({'predictions': rows}).encode()
            self.send_response(200)
            self.send_header('Content-Type', 'application/json')
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words):
            pass

    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f'http://127.0.0.1:{server.server_port}/v1/models/flowers:predict'
    finally:
        server.shutdown()
        thread.join(60)
        server.server_close()


def _decoded(value):
    if isinstance(value, dict) and set(value) == {'b64'}:
        return base64.b64decode(value['b64'])
    return (
        {name: _decoded(each) for name, each in value.items()} if isinstance(value, dict) else value
    )


def _plain(row):
    return [each.decode() if isinstance(each, bytes) else float(each) for each in row]
