"""llama.cpp as a process that answers timed requests: one JSON object a line in, one out. Started by bench/rivals/compare with
the Python of .venv-rivals (bench/rivals/build-llama). Requests:
  {"do":"info"}                              what was built in
  {"do":"load","model":F,"mmproj":F|null,"threads":N,"context":N}
  {"do":"prefill","tokens":N}                seconds of one prompt on an empty cache, logits of the last position
  {"do":"decode","tokens":N,"context":N}     seconds of N single steps after N positions
  {"do":"batch","tokens":N,"context":N,"sequences":B}   seconds of N steps of B sequences in one batch
  {"do":"encode","seconds":S}                seconds of mtmd's encoder on S seconds of noise, and how many embeddings come out
  {"do":"first_token","model":F,"mmproj":F,"threads":N,"seconds":S}   load, clip, prompt and one token, from nothing
Seconds are wall time around the C calls, so the cost of Python stays out."""
import ctypes
import importlib.util
import json
import os
import sys
import time

import numpy as np

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # llama.cpp prints where it likes


def forgive_missing_functions():
    """Another build of the library (LLAMA_CPP_LIB_PATH, e.g. PyPI's xllamacpp wheel) may lack functions that the bindings name
    and nobody calls here: they become None instead of an error at import."""
    package = importlib.util.find_spec("llama_cpp").submodule_search_locations[0]
    spec = importlib.util.spec_from_file_location("llama_cpp._ctypes_extensions", package + "/_ctypes_extensions.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    original = module.ctypes_function_for_shared_library

    def forgiving(lib):
        bind = original(lib)
        return lambda name, *rest, **more: bind(name, *rest, **more) if hasattr(lib, name) else lambda function: None

    module.ctypes_function_for_shared_library = forgiving


forgive_missing_functions()
import llama_cpp.llama_cpp as lc  # noqa: E402

try:
    import llama_cpp.mtmd_cpp as mt  # noqa: E402
except (FileNotFoundError, RuntimeError):  # libmtmd is not built (yet): text only
    mt = None

QUESTION = b"<|im_start|>user\n%s\nWhat is heard, and in which order?<|im_end|>\n<|im_start|>assistant\n"


@lc.llama_log_callback
def quiet(level, text, data):
    if level >= 4 and os.environ.get("RIVALS_LOG"):
        sys.stderr.write(text.decode(errors="replace"))


class Model:
    def __init__(self, request):
        start = time.perf_counter()
        params = lc.llama_model_default_params()
        params.n_gpu_layers = 0
        self.model = lc.llama_model_load_from_file(request["model"].encode(), params)
        if not self.model:
            raise RuntimeError("llama.cpp does not load " + request["model"])
        context = lc.llama_context_default_params()
        context.n_ctx = request.get("context", 2048)
        context.n_batch = context.n_ctx
        context.n_seq_max = request.get("sequences", 1)
        if context.n_seq_max > 1:
            context.kv_unified = True  # the sequences share one prompt
        context.n_threads = context.n_threads_batch = request["threads"]
        self.context = lc.llama_init_from_model(self.model, context)
        self.vocabulary = lc.llama_vocab_n_tokens(lc.llama_model_get_vocab(self.model))
        self.memory = lc.llama_get_memory(self.context)
        self.clip = None
        if request.get("mmproj") and mt:
            clip = mt.mtmd_context_params_default()
            clip.use_gpu = False
            clip.print_timings = False
            clip.warmup = False
            clip.n_threads = request["threads"]
            self.clip = mt.mtmd_init_from_file(request["mmproj"].encode(), self.model, clip)
            if not self.clip:
                raise RuntimeError("mtmd does not load " + request["mmproj"])
        self.load_seconds = time.perf_counter() - start
        self.random = np.random.default_rng(1)

    def clear(self):
        lc.llama_memory_clear(self.memory, True)

    def pass_over(self, ids):
        tokens = (lc.llama_token * len(ids))(*ids)
        start = time.perf_counter()
        if lc.llama_decode(self.context, lc.llama_batch_get_one(tokens, len(ids))) != 0:
            raise RuntimeError("llama_decode failed")
        lc.llama_synchronize(self.context)
        return time.perf_counter() - start

    def ids(self, n):
        return [int(i) for i in self.random.integers(0, 256, n)]

    def prefill(self, tokens):
        self.clear()
        return {"seconds": self.pass_over(self.ids(tokens))}

    def decode(self, tokens, context):
        self.clear()
        self.pass_over(self.ids(context))
        self.pass_over(self.ids(1))
        return {"seconds": sum(self.pass_over(self.ids(1)) for _ in range(tokens))}

    def batch(self, tokens, context, sequences):
        """`sequences` answers to one prompt: its keys and values are shared."""
        self.clear()
        self.pass_over(self.ids(context))
        for s in range(1, sequences):
            lc.llama_memory_seq_cp(self.memory, 0, s, -1, -1)
        batch = lc.llama_batch_init(sequences, 0, 1)
        seconds = 0.0
        for step in range(tokens):
            batch.n_tokens = sequences
            for s in range(sequences):
                batch.token[s] = int(self.random.integers(0, 256))
                batch.pos[s] = context + step
                batch.n_seq_id[s] = 1
                batch.seq_id[s][0] = s
                batch.logits[s] = 1
            start = time.perf_counter()
            if lc.llama_decode(self.context, batch) != 0:
                raise RuntimeError("llama_decode failed")
            lc.llama_synchronize(self.context)
            seconds += time.perf_counter() - start
        lc.llama_batch_free(batch)
        return {"seconds": seconds}

    def chunks(self, seconds):
        samples = (0.1 * self.random.standard_normal(int(16000 * seconds))).astype(np.float32)
        self.samples = samples
        data = samples.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        bitmap = mt.mtmd_bitmap_init_from_audio(len(samples), data)
        text = mt.mtmd_input_text()
        words = QUESTION % mt.mtmd_default_marker()
        text.text, text.add_special, text.parse_special = words, False, True
        if hasattr(text, "text_len"):
            text.text_len = len(words)
        chunks = mt.mtmd_input_chunks_init()
        bitmaps = (mt.mtmd_bitmap_p_ctypes * 1)(bitmap)
        if mt.mtmd_tokenize(self.clip, chunks, ctypes.byref(text), bitmaps, 1) != 0:
            raise RuntimeError("mtmd_tokenize failed")
        mt.mtmd_bitmap_free(bitmap)
        return chunks

    def encode(self, seconds):
        chunks = self.chunks(seconds)
        total, tokens = 0.0, 0
        for i in range(mt.mtmd_input_chunks_size(chunks)):
            chunk = mt.mtmd_input_chunks_get(chunks, i)
            if mt.mtmd_input_chunk_get_type(chunk) == 0:  # text
                continue
            start = time.perf_counter()
            if mt.mtmd_encode_chunk(self.clip, chunk) != 0:
                raise RuntimeError("mtmd_encode_chunk failed")
            total += time.perf_counter() - start
            tokens += mt.mtmd_input_chunk_get_n_tokens(chunk)
        mt.mtmd_input_chunks_free(chunks)
        return {"seconds": total, "tokens": tokens}

    def first_token(self, seconds):
        self.clear()
        chunks = self.chunks(seconds)
        at = lc.llama_pos(0)
        if mt.mtmd_helper_eval_chunks(self.clip, self.context, chunks, 0, 0, 2048, True, ctypes.byref(at)) != 0:
            raise RuntimeError("mtmd_helper_eval_chunks failed")
        logits = lc.llama_get_logits_ith(self.context, -1)
        best = int(np.argmax(np.ctypeslib.as_array(logits, (self.vocabulary,))))
        mt.mtmd_input_chunks_free(chunks)
        return best, at.value

    def close(self):
        if self.clip:
            mt.mtmd_free(self.clip)
        lc.llama_free(self.context)
        lc.llama_model_free(self.model)


def answer(request, state):
    do = request.pop("do")
    if do == "info":
        return {"system": lc.llama_print_system_info().decode()}
    if do == "load":
        if state.get("model"):
            state["model"].close()
        state["model"] = Model(request)
        return {"seconds": state["model"].load_seconds}
    if do == "first_token":
        seconds = request.pop("seconds")
        start = time.perf_counter()
        model = Model(request)
        token, positions = model.first_token(seconds)
        took = time.perf_counter() - start
        model.close()
        return {"seconds": took, "load": model.load_seconds, "positions": positions, "token": token}
    return getattr(state["model"], do)(**request)


def main():
    lc.llama_log_set(quiet, None)
    if mt:
        mt.mtmd_log_set(quiet, None)
        mt.mtmd_helper_log_set(quiet, None)
    lc.llama_backend_init()
    state = {}
    for line in sys.stdin:
        try:
            out = answer(json.loads(line), state)
        except Exception as error:  # the caller decides what a failure means
            out = {"error": repr(error)}
        answers.write(json.dumps(out) + "\n")
        answers.flush()


main()
