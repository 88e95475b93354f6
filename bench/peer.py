#!/usr/bin/env python3
"""Images per second of one CPU inference engine in one setting, on random input that is ready in memory.

usage: peer.py MODEL ENGINE SETTING [--threads 2] [--seconds 5]
  MODEL    .onnx, or OpenVINO's .xml
  ENGINE   onnxruntime, openvino-f32, openvino-bf16 (also the precision of what an int8 network leaves in floats)
  SETTING  STREAMSxBATCH: streams 1 shares each batch of images between the threads; streams as many as threads gives each its own batch
needs: numpy onnxruntime openvino
The last line is `images/s N  images/CPU-s N`; the second does not see what else the machine is busy with.
"""
import argparse, threading, time

import numpy as np


def onnxruntime_step(args, streams, x):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = args.threads // streams
    nets = [ort.InferenceSession(args.model, options, providers=["CPUExecutionProvider"]) for _ in range(streams)]
    feed = {nets[0].get_inputs()[0].name: x}

    def step(rounds=4):
        def runs(net):
            for _ in range(rounds):
                net.run(None, feed)
        threads = [threading.Thread(target=runs, args=[net]) for net in nets[1:]]
        for thread in threads:
            thread.start()
        runs(nets[0])
        for thread in threads:
            thread.join()
        return rounds * streams

    return step


def openvino_step(args, streams, x):
    import openvino as ov

    core = ov.Core()
    model = core.read_model(args.model)
    model.reshape(x.shape)
    net = core.compile_model(model, "CPU", {
        "PERFORMANCE_HINT": "THROUGHPUT" if streams > 1 else "LATENCY",
        "NUM_STREAMS": streams,
        "INFERENCE_NUM_THREADS": args.threads,
        "INFERENCE_PRECISION_HINT": args.engine.removeprefix("openvino-"),
    })
    queue = ov.AsyncInferQueue(net, streams)
    for request in queue:
        request.set_input_tensor(ov.Tensor(x, shared_memory=True))

    def step(rounds=4):
        for _ in range(rounds * streams):
            queue.start_async()
        queue.wait_all()
        return rounds * streams

    return step


def rates(step, batch, seconds):
    """Images a second of the wall clock, and of CPU time."""
    step()
    wall, cpu, batches = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - wall < seconds:
        batches += step()
    return batches * batch / (time.perf_counter() - wall), batches * batch / (time.process_time() - cpu)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("model")
    ap.add_argument("engine", choices=["onnxruntime", "openvino-f32", "openvino-bf16"])
    ap.add_argument("setting")
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--seconds", type=float, default=5)
    args = ap.parse_args()
    streams, batch = map(int, args.setting.split("x"))
    x = np.random.default_rng(0).uniform(-1, 1, (batch, 3, 224, 224)).astype(np.float32)
    make = onnxruntime_step if args.engine == "onnxruntime" else openvino_step
    print("images/s %.2f  images/CPU-s %.2f" % rates(make(args, streams, x), batch, args.seconds))


if __name__ == "__main__":
    main()
