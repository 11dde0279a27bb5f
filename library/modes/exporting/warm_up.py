"""Write a request as the record by which TensorFlow Serving asks a model itself.

The messages are those of tensorflow-serving-api 2.15.1 (prediction_log.proto, predict.proto,
model.proto). Their package is not installed here: of five messages it takes one field each.
"""

from __future__ import annotations

from tensorflow.core.framework.tensor_pb2 import TensorProto

# Of a field whose value is preceded by its length: a text or a message.
WITH_LENGTH = 2


def prediction_log(signature: str, name: str, tensor: TensorProto) -> bytes:
    """Encode a tensorflow.serving.PredictionLog of one request.

    Args:
      signature: that is asked.
      name: of its only input.
      tensor: what is fed, a batch.
    """
    model_spec = _field(3, signature.encode())  # ModelSpec.signature_name
    entry = _field(1, name.encode()) + _field(2, tensor.SerializeToString())  # a map's key, value
    request = _field(1, model_spec) + _field(2, entry)  # PredictRequest.model_spec, .inputs
    return _field(6, _field(1, request))  # PredictionLog.predict_log, PredictLog.request


def _field(number: int, value: bytes) -> bytes:
    """Encode one field: number and kind, length, value."""
    return bytes([number << 3 | WITH_LENGTH]) + _varint(len(value)) + value


def _varint(number: int) -> bytes:
    """Encode seven bits a byte, the lowest first; all but the last byte have the eighth set."""
    rest, low = divmod(number, 128)
    return bytes([low | 128]) + _varint(rest) if rest else bytes([low])
