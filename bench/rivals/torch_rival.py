"""torch beside us on the same shapes: GEMM of oneDNN (bf16, f32) and FBGEMM (int8, torch's quantised linear), and one decoder
layer of transformers' Qwen2 in bf16 and f32. Run with .venv (scripts/venv oracle). One JSON object a line.
  .venv/bin/python bench/rivals/torch_rival.py [--threads 2] [--repeat 5] [--rows 256]"""
import argparse
import json
import time

import torch

SHAPES = ((4096, 4096), (4096, 11008), (11008, 4096))  # (k, n) of the text model's matrices


def best(work, repeat):
    work()
    seconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def report(name, rows, shape, seconds):
    k, n = shape
    print(json.dumps({"what": name, "rows": rows, "k": k, "n": n, "seconds": seconds,
                      "gop_per_second": 2e-9 * rows * k * n / seconds}), flush=True)


def floats(dtype, name, rows, repeat):
    for k, n in SHAPES:
        x, w = torch.randn(rows, k).to(dtype), torch.randn(n, k).to(dtype)
        report(name, rows, (k, n), best(lambda: torch.nn.functional.linear(x, w), repeat))


def int8(engine, rows, repeat):
    torch.backends.quantized.engine = engine
    for k, n in SHAPES:
        linear = torch.ao.nn.quantized.Linear(k, n)
        weight = torch.quantize_per_channel(torch.randn(n, k), torch.full((n,), 0.05), torch.zeros(n, dtype=torch.int64), 0, torch.qint8)
        linear.set_weight_bias(weight, torch.zeros(n))
        linear.scale, linear.zero_point = 1.0, 64
        x = torch.quantize_per_tensor(torch.randn(rows, k), 0.05, 64, torch.quint8)
        report(f"int8 {engine}", rows, (k, n), best(lambda: linear(x), repeat))


def layer(dtype, name, rows, repeat):
    from transformers import Qwen2Config, Qwen2Model
    config = Qwen2Config(vocab_size=1000, hidden_size=4096, intermediate_size=11008, num_hidden_layers=1,
                         num_attention_heads=32, num_key_value_heads=32)
    model = Qwen2Model(config).to(dtype).eval()
    for tokens in (rows, 1):
        x = torch.randn(1, tokens, 4096).to(dtype)
        seconds = best(lambda: model(inputs_embeds=x, use_cache=False), repeat)
        print(json.dumps({"what": f"transformers, one layer, {name}", "rows": tokens, "seconds": seconds,
                          "tokens_per_second_of_32_layers": tokens / seconds / 32}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--rows", type=int, default=256)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(json.dumps({"torch": torch.__version__, "cpu": torch.backends.cpu.get_cpu_capability()}), flush=True)
    with torch.inference_mode():
        for engine in torch.backends.quantized.supported_engines:
            if engine in ("fbgemm", "onednn", "x86"):
                int8(engine, options.rows, options.repeat)
        floats(torch.bfloat16, "bf16 oneDNN", options.rows, options.repeat)
        floats(torch.float32, "f32 MKL", options.rows, options.repeat)
        layer(torch.bfloat16, "bf16", options.rows, options.repeat)
        layer(torch.float32, "f32", options.rows, options.repeat)


main()
