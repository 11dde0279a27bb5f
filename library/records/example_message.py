"""Build the message class of tf.train.Example from its public definition, without TensorFlow.

The definition is that of tensorflow/core/example/example.proto and feature.proto: these field
numbers are in every TFRecord of labelled images.
"""

from __future__ import annotations

import functools
from typing import Any


@functools.cache
def example_class() -> Any:
    """Return the class; it reads and writes the same bytes as tf.train.Example.

    Its descriptors live in a pool of their own, so that TensorFlow's may be imported beside it.
    """
    # Late: protobuf takes a tenth of a second, in which workers could decode already.
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name='example.proto', package='tensorflow', syntax='proto3'
    )

    def add(
        message: Any, name: str, number: int, kind: int, of: str = '', many: bool = False
    ) -> Any:
        label = field.LABEL_REPEATED if many else field.LABEL_OPTIONAL
        type_name = f'.tensorflow.{of}' if of else None
        return message.field.add(
            name=name, number=number, type=kind, label=label, type_name=type_name
        )

    for name, kind in (
        ('BytesList', field.TYPE_BYTES),
        ('FloatList', field.TYPE_FLOAT),
        ('Int64List', field.TYPE_INT64),
    ):
        # Numbers are packed, as is the rule of proto3.
        add(file.message_type.add(name=name), 'value', 1, kind, many=True)
    feature = file.message_type.add(name='Feature')
    feature.oneof_decl.add(name='kind')
    for number, name in enumerate(('Bytes', 'Float', 'Int64'), 1):
        one = add(feature, f'{name.lower()}_list', number, field.TYPE_MESSAGE, f'{name}List')
        one.oneof_index = 0
    features = file.message_type.add(name='Features')
    # What a map<string, Feature> is to a reader.
    entry = features.nested_type.add(name='FeatureEntry')
    entry.options.map_entry = True
    add(entry, 'key', 1, field.TYPE_STRING)
    add(entry, 'value', 2, field.TYPE_MESSAGE, 'Feature')
    add(features, 'feature', 1, field.TYPE_MESSAGE, 'Features.FeatureEntry', many=True)
    add(file.message_type.add(name='Example'), 'features', 1, field.TYPE_MESSAGE, 'Features')
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName('tensorflow.Example'))
