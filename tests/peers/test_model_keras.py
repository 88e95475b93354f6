"""Networks imported from Keras's weights give Keras's features, to 1e-4 relative, on photographs."""
import ctypes
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent.parent
POMONA = os.environ.get("POMONA", str(ROOT / "build" / "pomona"))
LIBRARY = ROOT / "build" / "libpomona.so"
KERAS_PYTHON = ROOT / ".deps" / "peers" / "bin" / "python"
PHOTOGRAPHS = ROOT / ".." / "shared" / "data"
TOLERANCE = 1e-4

# network, the file that has the classifier, its size, the model's own output
NETWORKS = {"mobilenetv2": (1280, "global_average_pooling2d"), "resnet50": (2048, "avg_pool"), "vgg16": (512, "global_average_pooling2d")}
LAYERS = [
    ("mobilenetv2", "out_relu", 7 * 7 * 1280), ("mobilenetv2", "Conv1", 112 * 112 * 32), ("mobilenetv2", "expanded_conv_project_BN", 112 * 112 * 16),
    ("mobilenetv2", "block_2_add", 56 * 56 * 24), ("mobilenetv2", "predictions", 1000), ("resnet50", "conv5_block3_out", 100352),
    ("resnet50", "conv2_block1_0_bn", 56 * 56 * 256), ("resnet50", "pool1_pool", 56 * 56 * 64), ("resnet50", "predictions", 1000),
    ("vgg16", "block5_pool", 25088), ("vgg16", "block1_conv1", 224 * 224 * 64), ("vgg16", "flatten", 25088), ("vgg16", "fc1", 4096),
    ("vgg16", "fc2", 4096), ("vgg16", "predictions", 1000),
]

pytestmark = pytest.mark.skipif(not KERAS_PYTHON.exists(), reason="SKIPPED Keras's features: no .deps/peers (make test-peers)")


class Options(ctypes.Structure):
    _fields_ = [("output_layer", ctypes.c_char_p), ("preprocess", ctypes.c_char_p), ("size", ctypes.c_int)]


class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_char_p) for name in ("name", "path", "preprocess", "output_layer", "sha256")] + [
        ("width", ctypes.c_int), ("height", ctypes.c_int), ("features", ctypes.c_size_t)]


class Message(ctypes.Structure):
    _fields_ = [("text", ctypes.c_char * 512)]


def features(model, pictures, layer=None):
    """What the library computes from pixels, by its public API."""
    lib = ctypes.CDLL(str(LIBRARY))
    lib.pom_model_info.restype = ctypes.POINTER(Info)
    message, handle, session = Message(), ctypes.c_void_p(), ctypes.c_void_p()
    options = Options(layer.encode() if layer else None, None, 0)

    def call(status):
        assert status == 0, message.text.decode()

    call(lib.pom_model_load(str(model).encode(), ctypes.byref(options), ctypes.byref(handle), ctypes.byref(message)))
    call(lib.pom_session_new(handle, len(pictures), ctypes.byref(session), ctypes.byref(message)))
    out = np.empty((len(pictures), lib.pom_model_info(handle).contents.features), np.float32)
    call(lib.pom_session_run(session, pictures.ctypes.data_as(ctypes.c_void_p), len(pictures), out.ctypes.data_as(ctypes.c_void_p),
                             ctypes.byref(message)))
    lib.pom_session_free(session)
    lib.pom_model_free(handle)
    return out


def worst(found, expected):
    """The largest error of an image's features, relative to the largest of them."""
    return (np.abs(found - expected).max(1) / np.abs(expected).max(1)).max()


@pytest.fixture(scope="module")
def pictures():
    files = [*sorted(PHOTOGRAPHS.glob("grocery/Test/*/*.jpg"))[::97], *sorted(PHOTOGRAPHS.glob("fruits-360/Test/*/*.jpg"))[::900]]
    if not files:
        print("SKIPPED photographs: no ../shared/data, made-up pictures instead")
        return np.random.default_rng(1).integers(0, 256, (4, 224, 224, 3), np.uint8)
    return np.stack([np.asarray(Image.open(f).convert("RGB").resize((224, 224))) for f in files])


@pytest.fixture(scope="module")
def references(tmp_path_factory, pictures):
    """A folder for each network: files that Keras saved, and NAME.npy of the features of its layers."""
    np.save(tmp_path_factory.getbasetemp() / "pictures.npy", pictures)
    made = {}

    def reference(network):
        if network not in made:
            made[network] = tmp_path_factory.mktemp(network)
            subprocess.run([KERAS_PYTHON, Path(__file__).with_name("model_keras.py"), made[network], network,
                            tmp_path_factory.getbasetemp() / "pictures.npy"], check=True, capture_output=True)
        return made[network]

    return reference


def imported(h5):
    """The file turned into a model by the command line, once."""
    onnx = h5.with_suffix(".onnx")
    if not onnx.exists():
        done = subprocess.run([POMONA, "model", "import", h5, "-o", onnx], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return onnx


@pytest.mark.parametrize("network", NETWORKS)
def test_every_way_of_saving_gives_the_same_model(references, network):
    """Legacy, full model, .weights.h5 with and without names, published names, nested in another model."""
    folder = references(network)
    for kind, n in (("top", 1 if network == "vgg16" else 4), ("", 0)):
        files = [h5 for h5 in sorted(folder.glob("*.h5")) if h5.name.startswith("top") == bool(kind)]
        assert len(files) >= max(n, 1)
        assert len({imported(h5).read_bytes() for h5 in files}) == 1, [h5.name for h5 in files]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("file", ["top_legacy.h5", "bare.weights.h5"])
def test_the_features_are_keras_s(references, pictures, network, file):
    folder, (size, layer) = references(network), NETWORKS[network]
    found = features(imported(folder / file), pictures)
    assert found.shape == (len(pictures), size)
    error = worst(found, np.load(folder / f"{layer}.npy"))
    print(f"{network} {file}: {error:.2g}")
    assert error < TOLERANCE


@pytest.mark.parametrize("network,layer,size", LAYERS)
def test_every_layer_is_keras_s(references, pictures, network, layer, size):
    folder = references(network)
    found = features(imported(folder / "top_legacy.h5"), pictures, layer)
    assert found.shape == (len(pictures), size)
    error = worst(found, np.load(folder / f"{layer}.npy"))
    print(f"{network} {layer}: {error:.2g}")
    assert error < TOLERANCE


def test_pull_takes_what_keras_saved(references, tmp_path):
    """From a folder served as Keras's own, by its hash."""
    import functools, hashlib, http.server, shutil, threading

    place = tmp_path / "served" / "mobilenet_v2" / "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"
    place.parent.mkdir(parents=True)
    shutil.copy(references("mobilenetv2") / "published.h5", place)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "served"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    env = {**os.environ, "POMONA_MODELS": str(tmp_path / "models"), "POMONA_MODEL_URL": f"http://127.0.0.1:{server.server_port}"}
    done = subprocess.run([POMONA, "model", "pull", "mobilenetv2", "--sha256", hashlib.sha256(place.read_bytes()).hexdigest()], env=env,
                          capture_output=True, text=True)
    server.shutdown()
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "models" / "mobilenetv2.onnx").read_bytes() == imported(references("mobilenetv2") / "bare.weights.h5").read_bytes()
