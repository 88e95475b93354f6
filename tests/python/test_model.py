"""Models, images in every form they may come in, and failures."""
import pickle
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import ROOT, SITE, encoded, picture

import pomona


def same_bits(a, b):
    return a.dtype == b.dtype == np.float32 and a.shape == b.shape and a.tobytes() == b.tobytes()


def test_info(model):
    info = model.info
    assert (info.name, info.width, info.height, info.features) == ("efficientnet-lite0", 224, 224, 1280)
    assert len(info.sha256) == 64 and info.precision == "exact" and "efficientnet-lite0" in repr(model)


@pytest.mark.parametrize("threads, batch", [(1, 8), (2, 3), (7, 1), (2, 64)])
def test_threads_and_batches_give_the_same_bits(model, images, features, threads, batch):
    assert same_bits(model.featurize(images, threads=threads, batch=batch), features)


def test_the_same_bits_as_the_program(model, images, features, tmp_path):
    folder = tmp_path / "photos" / "a"
    folder.mkdir(parents=True)
    for i, image in enumerate(images):
        (folder / f"{i:02}.jpg").write_bytes(image)
    program = [sys.executable, "-m", "pomona", "features", str(tmp_path / "photos"), "-o", str(tmp_path / "out"), "--quiet"]
    env = {"PYTHONPATH": str(SITE), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    subprocess.run(program, check=True, timeout=120, env=env)
    rows = pq.read_table(tmp_path / "out" / "features.parquet")["features"].combine_chunks().flatten().to_numpy()
    assert same_bits(rows.reshape(features.shape), features)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda b: np.frombuffer(b, np.uint8)])
def test_bytes_like(model, images, features, kind):
    assert same_bits(model.featurize([kind(image) for image in images[:3]]), features[:3])


def test_paths(model, images, features, tmp_path):
    paths = []
    for i, image in enumerate(images[:4]):
        paths.append(tmp_path / f"bild {i} ä.bin")
        paths[-1].write_bytes(image)
    assert same_bits(model.featurize(paths), features[:4])
    assert same_bits(model.featurize([str(paths[0]), images[1]]), features[:2])
    for kind in pa.string(), pa.large_string(), pa.string_view():
        assert same_bits(model.featurize(pa.array([str(path) for path in paths], kind)), features[:4])


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view()])
def test_arrow(model, images, features, kind):
    array = pa.array(images, kind)
    assert same_bits(model.featurize(array), features)
    assert same_bits(model.featurize(array[5:9]), features[5:9])
    assert same_bits(model.featurize(pa.chunked_array([array[:7], array[7:7], array[9:]])), np.delete(features, [7, 8], 0))


def test_arrow_is_taken_where_it_lies(images):
    from pomona._images import images_of

    array = pa.array(images)
    table = images_of(array).part(0, len(images)).table
    data = array.buffers()[2]
    assert data.address == table["data"][0] and table["data"][-1] + table["n_bytes"][-1] == data.address + data.size


def test_arrow_nulls_and_slices(model, images, features):
    array = pa.array([None, images[0], b"", None, images[1], images[2], None, images[3], None, images[4]])
    result = model.featurize(array[3:], on_error="null", out="arrow")
    assert [error is None for error in result.errors] == [False, True, True, False, True, False, True]
    assert "null" in result.errors[0]
    assert result.features.null_count == 3 and result.features.type == pa.list_(pa.float32(), 1280)
    assert same_bits(result.features.flatten().to_numpy().reshape(4, -1), features[1:5])


def test_arrow_of_another_type(model):
    for array in pa.array([1, 2]), pa.array([b"a", b"a"]).dictionary_encode():
        with pytest.raises(pomona.UnsupportedError, match="binary"):
            model.featurize(array)


def test_arrow_out_without_a_copy(model, images, features):
    out = model.featurize(pa.array(images), out="arrow")
    values = out.flatten()
    assert same_bits(values.to_numpy(zero_copy_only=True).reshape(features.shape), features)


def test_memory_of_a_stream_is_given_back(model, images):
    before = pa.total_allocated_bytes()
    model.featurize(pa.chunked_array([pa.array(images[:2]), pa.array(images[2:4])]))
    assert pa.total_allocated_bytes() == before


def test_nothing(model):
    assert model.featurize([]).shape == (0, 1280)
    assert model.featurize(pa.array([], pa.binary())).shape == (0, 1280)
    assert model.featurize(pa.chunked_array([], pa.binary()), on_error="null").errors == []


def test_a_bad_image_raises(model, images, tmp_path):
    cut = images[0][:200]
    with pytest.raises(pomona.FormatError, match="^image 2: "):
        model.featurize([*images[:2], cut, cut], threads=2, batch=1)
    with pytest.raises(FileNotFoundError, match="nowhere.jpg: no such file"):
        model.featurize([tmp_path / "nowhere.jpg"])
    with pytest.raises(pomona.UnsupportedError, match="text"):
        model.featurize([b"I am no image at all, but a text"])
    with pytest.raises(TypeError, match="not int"):
        model.featurize([7])
    with pytest.raises(TypeError, match="a list of images"):
        model.featurize(images[0])


def test_a_bad_image_is_null(model, images, features, tmp_path):
    result = model.featurize([images[0], b"", images[1], str(tmp_path), None, images[2]], on_error="null")
    assert [error is None for error in result.errors] == [True, False, True, False, False, True]
    assert same_bits(result.features[[0, 2, 5]], features[:3])
    assert np.isnan(result.features[[1, 3, 4]]).all()


def test_other_threads_run_meanwhile(model, images):
    beats, done = [], threading.Event()

    def beat():
        while not done.is_set():
            beats.append(time.perf_counter())
            time.sleep(0.001)

    clock = threading.Thread(target=beat)
    clock.start()
    start = time.perf_counter()
    model.featurize(images * 4, threads=1, batch=80)  # one call of the library
    end = time.perf_counter()
    done.set()
    clock.join()
    assert sum(start < beat < end for beat in beats) > 3


def test_models_are_shared_by_threads(model, images, features):
    results = [None] * 4

    def work(i):
        results[i] = model.featurize(images[i : i + 5], threads=2)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(same_bits(result, features[i : i + 5]) for i, result in enumerate(results))


def test_no_such_model():
    with pytest.raises(pomona.NotFoundError, match="no model is called"):
        pomona.Model.load("apple")
    with pytest.raises(FileNotFoundError, match="/nowhere/net.onnx"):
        pomona.Model.load(Path("/nowhere/net.onnx"))
    with pytest.raises(pomona.NotFoundError, match="layer"):
        pomona.Model.load("efficientnet-lite0", output_layer="no such layer")
    with pytest.raises(pomona.ArgumentError, match="calibration"):
        pomona.Model.load("efficientnet-lite0", precision="int8")
    with pytest.raises(ValueError, match="no precision"):
        pomona.Model.load("efficientnet-lite0", precision="double")
    with pytest.raises(ValueError, match="NUL"):
        pomona.Model.load("a\0b")
    with pytest.raises(TypeError, match="not int"):
        pomona.Model.load(7)


def test_bad_arguments(model, images):
    for wrong in {"resize": "sharp"}, {"batch": 0}, {"threads": 0}, {"on_error": "ignore"}, {"out": "list"}:
        with pytest.raises(pomona.ArgumentError):
            model.featurize(images[:1], **wrong)


def test_pixels_and_decode(images):
    model = pomona.Model.load("pixels", size=32)
    pixels = model.featurize(images[1:2], resize="lanczos")
    seen = pomona.decode(images[1], (32, 32), resize="lanczos")
    expected = np.asarray(picture(1).resize((32, 32), 1))
    assert (seen == expected).all() and (pixels == expected.reshape(1, -1)).all()
    assert (pomona.decode(images[1]) == np.asarray(picture(1))).all()
    with pytest.raises(pomona.FormatError):
        pomona.decode(b"")


def test_pickle(model, images, features, monkeypatch):
    again = pickle.loads(pickle.dumps(model))
    assert same_bits(again.featurize(images[:2]), features[:2])
    load, arguments = model.__reduce__()
    with pytest.raises(pomona.ConflictError, match="another model"):
        load("0" * 64, *arguments[1:])


def test_int8(model, images, features):
    calibration = model.calibrate(images)
    narrow = pomona.Model.load("efficientnet-lite0", precision="int8", calibration=calibration)
    rows = narrow.featurize(images)
    cosine = (rows * features).sum(1) / np.linalg.norm(rows, axis=1) / np.linalg.norm(features, axis=1)
    assert narrow.info.precision == "int8" and cosine.mean() > 0.98
    assert same_bits(pickle.loads(pickle.dumps(narrow)).featurize(images), rows)
    with pytest.raises(pomona.FormatError):
        pomona.Model.load("efficientnet-lite0", precision="int8", calibration=calibration[:-1])


def test_after_a_fork(model, images, features):
    """What Spark's Python workers do: the model is loaded, and used in a process forked from it."""
    import multiprocessing

    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=lambda: theirs.send_bytes(model.featurize(images, threads=2).tobytes()))
    child.start()
    assert ours.poll(60) and ours.recv_bytes() == features.tobytes()
    child.join(10)
