#!/usr/bin/env python3
"""Weight files as Keras saves them, and the features that Keras computes from them; run with .deps/peers/bin/python.

usage: model_keras.py OUT_DIR mobilenetv2|resnet50|vgg16 [PICTURES.npy]

Random weights, batch normalisation statistics too. PICTURES: uint8 [n,224,224,3], RGB. Writes into OUT_DIR, for each way of saving, a
file .h5, and for each layer that features are taken from LAYER.npy.
"""
import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py
import keras
import numpy as np
from keras.src.legacy.saving import legacy_h5_format

LAYERS = {
    "mobilenetv2": ["global_average_pooling2d", "out_relu", "Conv1", "expanded_conv_project_BN", "block_2_add", "predictions"],
    "resnet50": ["avg_pool", "conv5_block3_out", "conv2_block1_0_bn", "pool1_pool", "predictions"],
    "vgg16": ["global_average_pooling2d", "block5_pool", "block1_conv1", "flatten", "fc1", "fc2", "predictions"],
}
MAKE = {"mobilenetv2": keras.applications.MobileNetV2, "resnet50": keras.applications.ResNet50, "vgg16": keras.applications.VGG16}
PREPROCESS = {"mobilenetv2": keras.applications.mobilenet_v2, "resnet50": keras.applications.resnet, "vgg16": keras.applications.vgg16}


def norms(model):
    return [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]


def randomise(model, x):
    """Random kernels, and normalisation near the statistics that x gives: the signal keeps its size through the network, as in a trained one."""
    rng = np.random.default_rng(7)
    for layer in model.layers:
        weights = layer.get_weights()
        if isinstance(layer, keras.layers.BatchNormalization):
            n = len(weights[0])
            weights = [rng.uniform(0.3, 1, n), rng.normal(0, 0.2, n), np.zeros(n), np.ones(n)]
            layer.momentum = 0
        elif weights:
            shape = weights[0].shape
            fan_in = np.prod(shape[:-1]) if not isinstance(layer, keras.layers.DepthwiseConv2D) else np.prod(shape[:2])
            gain = 0.05 if layer.name == "predictions" else 1.4  # small: a softmax that is not all one class
            weights = [rng.normal(0, gain / np.sqrt(fan_in), shape)] + [rng.normal(0, 0.1, w.shape) for w in weights[1:]]
        layer.set_weights([np.float32(w) for w in weights])
    if norms(model):
        model(x, training=True)
    for layer in norms(model):
        gamma, beta, mean, variance = layer.get_weights()
        mean = mean + rng.normal(0, 0.2, len(mean)) * np.sqrt(variance)
        layer.set_weights([np.float32(w) for w in (gamma, beta, mean, variance * rng.uniform(0.7, 1.4, len(mean)))])


def save_legacy(model, path):
    """What model.save_weights("x.h5") wrote before Keras 3, by Keras's own code."""
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)


def save_renamed(model, path, layer_name, weight_name):
    """The legacy layout with other names, as the published files have them."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer_name(layer, i).encode() for i, layer in enumerate(model.layers)]
        for i, layer in enumerate(model.layers):
            group = file.create_group(layer_name(layer, i))
            names = [weight_name(layer_name(layer, i), w) for w in layer.weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, value in zip(names, layer.get_weights()):
                group[name] = value


def save_nameless(model, path):
    """A .weights.h5 of the first versions of Keras 3, which noted no layer names."""
    model.save_weights(path)
    with h5py.File(path, "r+") as file:
        file.visititems(lambda _, item: item.attrs.pop("name", None) and None)


def published(name):
    """The names in Keras's published files: MobileNetV2 has those of its first version, VGG16 those of 2016, ResNet50's classifier is "probs"."""
    if name == "vgg16":
        return lambda layer, i: layer.name, lambda layer, w: f"{layer}_{'W' if w.name == 'kernel' else 'b'}_1:0"
    if name == "resnet50":
        return lambda layer, i: {"predictions": "probs"}.get(layer.name, layer.name), lambda layer, w: f"{layer}/{w.name}:0"
    return lambda layer, i: layer.name if layer.name == "Conv_1" else f"mobl{i}_{type(layer).__name__}", lambda layer, w: f"{layer}/{w.name}:0"


def share_weights(model, name):
    """The same network without its classifier."""
    bare = MAKE[name](weights=None, include_top=False, input_shape=(224, 224, 3))
    for layer in bare.layers:
        layer.set_weights(model.get_layer(layer.name).get_weights() if layer.weights else [])
    return bare


def main(out, name, pictures=None):
    out = Path(out)
    pictures = np.load(pictures) if pictures else np.random.default_rng(1).integers(0, 256, (2, 224, 224, 3), np.uint8)
    x = PREPROCESS[name].preprocess_input(pictures.astype(np.float32))
    model = MAKE[name](weights=None)
    randomise(model, x)
    bare = share_weights(model, name)
    save_legacy(model, out / "top_legacy.h5")
    bare.save_weights(out / "bare.weights.h5")
    bare.save(out / "bare_model.h5")
    save_nameless(bare, out / "nameless.weights.h5")
    save_renamed(bare, out / "published.h5", *published(name))
    if name != "vgg16":  # half a gigabyte each
        save_renamed(model, out / "top_published.h5", *published(name))
        model.save_weights(out / "top.weights.h5")
        save_nameless(model, out / "top_nameless.weights.h5")
    nested = keras.Sequential([keras.Input((224, 224, 3)), bare, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(5)])
    nested.save_weights(out / "nested.weights.h5")
    nested.save(out / "nested_model.h5")

    outputs = {layer: model.get_layer(layer).output for layer in LAYERS[name] if layer in [l.name for l in model.layers]}
    if name == "vgg16":
        outputs["global_average_pooling2d"] = keras.layers.GlobalAveragePooling2D()(outputs["block5_pool"])
    features = keras.Model(model.inputs, outputs).predict(x, verbose=0)
    for layer, values in features.items():
        np.save(out / f"{layer}.npy", values.reshape(len(x), -1))


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*sys.argv[1:])
