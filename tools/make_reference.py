#!/usr/bin/env python3
"""Makes a directory of reference values: a small random Qwen2-Audio checkpoint, clips, prompts and a training case, computed by
transformers (CPU, float32, eager attention), in the layout that the parity tests read (cases.json lists everything).

  .venv/bin/python tools/make_reference.py --out tests/golden/tiny            # the repository's golden set
  .venv/bin/python tools/make_reference.py --out /tmp/v/tiny --names v5 --untied --shards 3 --kv-heads 4 --dtype f16 --seed 1
  AREASON_REFERENCE=/tmp/v build/release/src/model/model_test                 # any such directory must pass

Made with transformers 5.23.0, torch 2.13.0, librosa 0.11, seed 0. Weights are random, of a size that keeps logits apart, and
rounded to the stored type. Needs `scripts/venv oracle`.
"""
import argparse
import json
import os
import re

import librosa
import numpy as np
import soundfile
import torch
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import AutoProcessor, Qwen2AudioConfig, Qwen2AudioForConditionalGeneration

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>"]
DTYPES = {"bf16": torch.bfloat16, "f16": torch.float16, "f32": torch.float32}
LEARNING_RATE, BETAS, EPSILON, DECAY, CLIP = 1e-3, (0.9, 0.999), 1e-8, 0.1, 1.0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--kv-heads", type=int, default=2)
    parser.add_argument("--ffn", type=int, default=56)
    parser.add_argument("--bins", type=int, default=80)
    parser.add_argument("--audio-width", type=int, default=24)
    parser.add_argument("--audio-layers", type=int, default=2)
    parser.add_argument("--audio-heads", type=int, default=3)
    parser.add_argument("--audio-ffn", type=int, default=40)
    parser.add_argument("--window", type=int, default=2, help="seconds of audio the encoder takes (30 in the release)")
    parser.add_argument("--vocabulary", type=int, default=384, help="tokens of the trained tokenizer, specials included")
    parser.add_argument("--rope-theta", type=float, default=10000.0)
    parser.add_argument("--untied", action="store_true", help="an lm_head of its own")
    parser.add_argument("--names", choices=["v4", "v5"], default="v4", help="tensor names as released, or as transformers 5 has them in memory")
    parser.add_argument("--config", choices=["sparse", "full"], default="sparse", help="as released, or every field as transformers writes it")
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--dtype", choices=sorted(DTYPES), default="bf16")
    parser.add_argument("--tokens", type=int, default=24, help="greedy tokens a prompt")
    parser.add_argument("--columns", type=int, default=64, help="vocabulary entries kept of the logits of all positions")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def source_strings(path, name):
    """The value of a C++ string constant: it stands in one place only."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        text = f.read()
    raw = re.search(name + r'\s*=\s*R"\((.*?)\)";', text, re.S)
    if raw:
        return raw.group(1)
    pieces = re.search(name + r'\s*=\s*((?:"(?:\\.|[^"\\])*"\s*)+);', text).group(1)
    return "".join(json.loads(piece) for piece in re.findall(r'"(?:\\.|[^"\\])*"', pieces))


def system_prompt():
    return source_strings("src/chat/conversation.cpp", "kReasonerSystemPrompt")


def write_json(path, value):
    with open(path, "w", encoding="utf-8") as f:
        json.dump(value, f, indent=1, ensure_ascii=False)
        f.write("\n")


def write_tokenizer(args, folder):
    """A byte-level BPE in Qwen2's format, trained on the texts of this script."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=False))
    tokenizer.normalizer = normalizers.NFC()
    split = pre_tokenizers.Split(Regex(source_strings("src/text/qwen2_files.cpp", "kQwen2Pattern")), behavior="isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    texts = [system_prompt(), "You are a helpful assistant. system user assistant Audio 1: What is heard? Compare the two clips."]
    texts += [answer for _, _, answer in TRAINING] + [question for _, question, _ in TRAINING]
    trainer = trainers.BpeTrainer(vocab_size=args.vocabulary - len(SPECIALS), initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                  show_progress=False)
    tokenizer.train_from_iterator(texts * 3, trainer)
    tokenizer.add_special_tokens(SPECIALS)
    tokenizer.save(os.path.join(folder, "tokenizer.json"), pretty=False)
    model = json.loads(tokenizer.to_str())["model"]
    write_json(os.path.join(folder, "vocab.json"), model["vocab"])
    with open(os.path.join(folder, "merges.txt"), "w", encoding="utf-8") as f:
        f.write("#version: 0.2\n" + "".join(" ".join(merge) + "\n" for merge in model["merges"]))
    added = {str(tokenizer.token_to_id(s)): dict(content=s, lstrip=False, normalized=False, rstrip=False, single_word=False, special=True)
             for s in SPECIALS}
    write_json(os.path.join(folder, "tokenizer_config.json"), dict(
        add_prefix_space=False, added_tokens_decoder=added, additional_special_tokens=SPECIALS[1:], bos_token=None,
        clean_up_tokenization_spaces=False, eos_token="<|im_end|>", errors="replace", model_max_length=8192,
        pad_token="<|endoftext|>", processor_class="Qwen2AudioProcessor", split_special_tokens=False,
        tokenizer_class="Qwen2Tokenizer", unk_token=None))
    with open(os.path.join(folder, "chat_template.jinja"), "w", encoding="utf-8") as f:
        f.write(source_strings("src/text/qwen2_files.cpp", "kQwen2AudioChatTemplate"))
    return {s: tokenizer.token_to_id(s) for s in SPECIALS}


def sparse_config(args, ids):
    """As the release writes it: fields that equal the class's defaults are missing."""
    text = dict(model_type="qwen2", hidden_size=args.hidden, intermediate_size=args.ffn, num_hidden_layers=args.layers,
                num_attention_heads=args.heads, num_key_value_heads=args.kv_heads, max_position_embeddings=1024, rms_norm_eps=1e-5,
                rope_theta=args.rope_theta, eos_token_id=ids["<|im_end|>"], vocab_size=args.vocabulary + 8, torch_dtype="bfloat16")
    if not args.untied:
        text["tie_word_embeddings"] = True
    audio = dict(model_type="qwen2_audio_encoder", num_mel_bins=args.bins, d_model=args.audio_width, encoder_layers=args.audio_layers,
                 encoder_attention_heads=args.audio_heads, encoder_ffn_dim=args.audio_ffn, max_source_positions=50 * args.window,
                 activation_function="gelu", scale_embedding=False, encoder_layerdrop=0.0)
    config = dict(architectures=["Qwen2AudioForConditionalGeneration"], model_type="qwen2_audio", audio_token_index=ids["<|AUDIO|>"],
                  ignore_index=-100, audio_config=audio, text_config=text, vocab_size=args.vocabulary + 8)
    if not args.untied:
        config["tie_word_embeddings"] = True
    return config


def random_weights(model, dtype):
    """Sizes that keep attention and logits away from uniform; positions as Whisper's sinusoids."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.endswith("embed_positions.weight"):
                half = p.shape[1] // 2
                angles = torch.arange(p.shape[0])[:, None] * torch.exp(-np.log(10000) / (half - 1) * torch.arange(half))[None]
                p.copy_(torch.cat([angles.sin(), angles.cos()], 1))
            elif "norm" in name and name.endswith("weight"):
                p.copy_(1 + 0.1 * torch.randn_like(p))
            elif p.dim() == 1:
                p.normal_(0, 0.1)
            else:
                p.normal_(0, 1 if "embed_tokens" in name else 1.5 / np.sqrt(p[0].numel()))
            p.copy_(p.to(dtype).float())


def stored_name(name, names):
    if names == "v5":
        return name
    for new, old in (("model.language_model.", "language_model.model."), ("lm_head.", "language_model.lm_head."),
                     ("model.audio_tower.", "audio_tower."), ("model.multi_modal_projector.", "multi_modal_projector.")):
        if name.startswith(new):
            return old + name[len(new):]
    raise SystemExit(f"error: unexpected tensor {name}\nhint: this script knows transformers 5.23")


def save_weights(model, args, folder):
    tensors = {stored_name(n, args.names): p.detach().to(DTYPES[args.dtype]).contiguous() for n, p in model.named_parameters()
               if args.untied or n != "lm_head.weight"}
    if args.shards == 1:
        save_file(tensors, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
        return
    names = sorted(tensors)
    shards = [names[i::args.shards] for i in range(args.shards)]
    weight_map = {}
    for i, shard in enumerate(shards):
        file = f"model-{i + 1:05}-of-{args.shards:05}.safetensors"
        save_file({n: tensors[n] for n in shard}, os.path.join(folder, file), metadata={"format": "pt"})
        weight_map.update({n: file for n in shard})
    size = sum(t.numel() * t.element_size() for t in tensors.values())
    write_json(os.path.join(folder, "model.safetensors.index.json"), dict(metadata=dict(total_size=size), weight_map=weight_map))


def make_checkpoint(args, folder):
    os.makedirs(folder, exist_ok=True)
    ids = write_tokenizer(args, folder)
    write_json(os.path.join(folder, "preprocessor_config.json"), dict(
        chunk_length=args.window, feature_extractor_type="WhisperFeatureExtractor", feature_size=args.bins, hop_length=160, n_fft=400,
        n_samples=16000 * args.window, nb_max_frames=100 * args.window, padding_side="right", padding_value=0.0,
        processor_class="Qwen2AudioProcessor", return_attention_mask=True, sampling_rate=16000))
    write_json(os.path.join(folder, "generation_config.json"), dict(
        eos_token_id=[ids["<|endoftext|>"], ids["<|im_end|>"]], pad_token_id=ids["<|endoftext|>"], do_sample=True, top_k=20, top_p=0.5,
        temperature=0.7, repetition_penalty=1.1))
    config = sparse_config(args, ids)
    model = Qwen2AudioForConditionalGeneration(Qwen2AudioConfig(**config))
    random_weights(model, DTYPES[args.dtype])
    if args.config == "full":
        model.config.architectures = config["architectures"]
        model.config.save_pretrained(folder)
    else:
        write_json(os.path.join(folder, "config.json"), config)
    save_weights(model, args, folder)
    return ids


def write_clips(args, folder):
    """Several rates, channels and sample formats; a click on the very last sample; silence; one longer than the window."""
    os.makedirs(folder, exist_ok=True)
    rng = np.random.default_rng(args.seed)

    def times(rate, seconds):
        return np.arange(int(rate * seconds)) / rate

    t = times(16000, 1.1003)
    tones = 0.3 * np.sin(2 * np.pi * 440 * t) * (t < 0.5) + 0.3 * np.sin(2 * np.pi * 1760 * t * (1 + 0.1 * t)) * (t >= 0.6)
    tones[-1] = 0.9
    soundfile.write(os.path.join(folder, "tones_16k.wav"), tones, 16000, subtype="PCM_16")
    t = times(44100, 0.6)
    left, right = sum(0.1 * np.sin(2 * np.pi * f * t) for f in (262, 330, 392)), 0.05 * rng.standard_normal(len(t))
    soundfile.write(os.path.join(folder, "chord_44k_stereo.wav"), np.stack([left + right, left - right], 1), 44100, subtype="PCM_16")
    t = times(8000, 0.08)
    soundfile.write(os.path.join(folder, "short_8k.wav"), 0.5 * np.sin(2 * np.pi * 300 * t), 8000, subtype="PCM_24")
    soundfile.write(os.path.join(folder, "silence_16k.wav"), np.zeros(6400), 16000, subtype="PCM_16")
    t = times(8000, args.window + 0.5)
    noise = 0.1 * rng.standard_normal(len(t)) * (1 + np.sin(2 * np.pi * 3 * t))
    soundfile.write(os.path.join(folder, "long_8k.wav"), noise, 8000, subtype="PCM_16")
    return sorted(os.listdir(folder))


def audio(name):
    return {"type": "audio", "audio_url": name}


def text(value):
    return {"type": "text", "text": value}


PROMPTS = [
    ("one_audio_reasoner", 1.0, lambda: [{"role": "system", "content": system_prompt()},
                                         {"role": "user", "content": [audio("long_8k.wav"), text("Which sound is heard?")]}]),
    ("default_system", 1.0, lambda: [{"role": "user", "content": [audio("tones_16k.wav"), text("What is heard?")]}]),
    ("repetition_penalty", 1.1, lambda: [{"role": "user", "content": [audio("tones_16k.wav"), text("What is heard?")]}]),
    ("two_audios", 1.0, lambda: [{"role": "user", "content": [audio("chord_44k_stereo.wav"), audio("short_8k.wav"),
                                                              text("Compare the two clips.")]}]),
    ("text_only", 1.0, lambda: [{"role": "user", "content": [text("你好，what can you do? 1234 émigré")]}]),
    ("multi_turn", 1.0, lambda: [{"role": "user", "content": [audio("silence_16k.wav"), text("What is that sound?")]},
                                 {"role": "assistant", "content": "A bell."},
                                 {"role": "user", "content": [audio("short_8k.wav"), text("And this one?")]}]),
]


def chain(planning, caption, reasoning, summary, response):
    return (f"<THINK><PLANNING>{planning}</PLANNING><CAPTION>{caption}</CAPTION><REASONING>{reasoning}</REASONING>"
            f"<SUMMARY>{summary}</SUMMARY></THINK><RESPONSE>{response}</RESPONSE>")


TRAINING = [
    ("long_8k.wav", "What is it?", chain("Listen.", "Noise.", "It hisses.", "Noise.", "Noise.")),
    ("chord_44k_stereo.wav", "Which instrument is it?", chain("Find timbre.", "Music.", "Keys.", "Piano.", "Piano.")),
    ("short_8k.wav", "How many sounds?", chain("Count.", "Tones.", "One.", "One.", "One.")),
]


class Maker:
    def __init__(self, args, ids):
        self.args, self.ids, self.folder = args, ids, args.out
        model_dir = os.path.join(args.out, "model")
        self.processor = AutoProcessor.from_pretrained(model_dir)
        self.model, loading = Qwen2AudioForConditionalGeneration.from_pretrained(
            model_dir, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
        if not args.untied:
            # transformers 5.23 never ties this model's head (4.x does as the config says) and starts it at random: tied here.
            loading["missing_keys"] = set(loading["missing_keys"]) - {"lm_head.weight"}
            self.model.lm_head.weight = self.model.model.language_model.embed_tokens.weight
        if any(loading[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys")):
            raise SystemExit(f"error: transformers does not take the checkpoint: {loading}\nhint: see stored_name()")
        self.model.eval()

    def save(self, name, tensors):
        file = name + ".safetensors"
        save_file({k: v.contiguous() for k, v in tensors.items()}, os.path.join(self.folder, "cases", file))
        return file

    def load(self, clip):
        samples = librosa.load(os.path.join(self.folder, "clips", clip), sr=16000)[0]
        return samples[:16000 * self.args.window]

    def features(self, samples):
        out = self.processor.feature_extractor(samples, sampling_rate=16000, return_attention_mask=True, padding="max_length",
                                               return_tensors="pt")
        return out["input_features"], out["attention_mask"]

    def clip(self, name):
        samples = self.load(name)
        features, mask = self.features(samples)
        frames = int(mask.sum())
        tokens = ((frames - 1) // 2 + 1) // 2
        inputs = dict(input_ids=torch.full((1, tokens), self.ids["<|AUDIO|>"]), input_features=features, feature_attention_mask=mask)
        kept = {}
        hook = self.model.model.multi_modal_projector.register_forward_hook(lambda _, __, out: kept.update(out=out))
        with torch.no_grad():
            self.model(**inputs)
        hook.remove()
        file = self.save("clip_" + os.path.splitext(name)[0], {
            "samples_16k": torch.from_numpy(samples), "log_mel": features[0, :, :min(frames + 100, features.shape[2])],
            "audio_embeddings": kept["out"].reshape(-1, kept["out"].shape[-1])[:tokens]})
        return dict(mel_frames=frames, audio_tokens=tokens, file=file)

    def inputs(self, rendered, clips):
        audios = [self.load(c) for c in clips]
        return self.processor(text=rendered, audio=audios or None, sampling_rate=16000, return_tensors="pt")

    def prompt(self, name, penalty, messages):
        rendered = self.processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        clips = [part["audio_url"] for m in messages if isinstance(m["content"], list) for part in m["content"] if part["type"] == "audio"]
        inputs = self.inputs(rendered, clips)
        with torch.no_grad():
            logits = self.model(**inputs).logits[0]
            out = self.model.generate(**inputs, max_new_tokens=self.args.tokens, do_sample=False, temperature=None, top_p=None, top_k=None,
                                      repetition_penalty=penalty, output_scores=True, return_dict_in_generate=True)
        best = [torch.topk(score[0], 2).values for score in out.scores]
        file = self.save("prompt_" + name, {
            "input_ids": inputs["input_ids"][0], "last_logits": logits[-1].clone(),
            "all_logits_first_1024": logits[:, :self.args.columns].clone(), "logsumexp": torch.logsumexp(logits, -1),
            "generated": out.sequences[0, inputs["input_ids"].shape[1]:]})
        return dict(name=name, messages=messages, rendered=rendered, repetition_penalty=penalty,
                    greedy_margins=[float(b[0] - b[1]) for b in best], file=file)

    def batch(self):
        """Right-padded; labels are the assistant's text and its end token, tokenised by itself."""
        rows, labels, features, masks = [], [], [], []
        end = [self.ids["<|im_end|>"]]
        for clip, question, answer in TRAINING:
            messages = [{"role": "system", "content": system_prompt()}, {"role": "user", "content": [audio(clip), text(question)]}]
            inputs = self.inputs(self.processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False), [clip])
            prompt = inputs["input_ids"][0].tolist()
            response = self.processor.tokenizer(answer)["input_ids"] + end
            rows.append(prompt + response)
            labels.append([-100] * len(prompt) + response)
            features.append(inputs["input_features"])
            masks.append(inputs["feature_attention_mask"])
        width = max(map(len, rows))
        pad = self.ids["<|endoftext|>"]
        return dict(input_ids=torch.tensor([r + [pad] * (width - len(r)) for r in rows]),
                    labels=torch.tensor([r + [-100] * (width - len(r)) for r in labels]),
                    attention_mask=torch.tensor([[1] * len(r) + [0] * (width - len(r)) for r in rows]),
                    input_features=torch.cat(features), feature_attention_mask=torch.cat(masks))

    def train(self):
        """Three AdamW steps on one batch. embed_positions is a frozen buffer; every other parameter is decayed, norms and biases too."""
        model = self.model.train()
        model.model.audio_tower.embed_positions.weight.requires_grad_(False)
        parameters = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(parameters, lr=LEARNING_RATE, betas=BETAS, eps=EPSILON, weight_decay=DECAY)
        batch = self.batch()
        tensors = {key: batch[key] for key in ("input_ids", "labels", "attention_mask")}
        losses, norms = [], []
        for step in range(3):
            loss = model(**batch).loss
            optimizer.zero_grad()
            loss.backward()
            if step == 0:
                tensors.update({"grad." + n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None})
            norms.append(float(torch.nn.utils.clip_grad_norm_(parameters, CLIP)))
            optimizer.step()
            losses.append(loss.item())
        tensors.update({"after3." + n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad})
        file = self.save("train", tensors)
        return dict(losses=losses, grad_norms=norms, samples=[list(s) for s in TRAINING], system=system_prompt(), file=file,
                    lr=LEARNING_RATE, betas=list(BETAS), eps=EPSILON, weight_decay=DECAY, clip=CLIP,
                    note="constant lr; labels are shifted by one inside the loss; mean over all label tokens of the batch; names "
                         "grad.* / after3.* are the module names of the reference implementation")


def main():
    args = arguments()
    torch.manual_seed(args.seed)
    os.makedirs(os.path.join(args.out, "cases"), exist_ok=True)
    ids = make_checkpoint(args, os.path.join(args.out, "model"))
    clips = write_clips(args, os.path.join(args.out, "clips"))
    maker = Maker(args, ids)
    cases = dict(clips={c: maker.clip(c) for c in clips}, prompts=[maker.prompt(n, p, m()) for n, p, m in PROMPTS])
    cases["train"] = maker.train()
    write_json(os.path.join(args.out, "cases", "cases.json"), cases)
    total = sum(os.path.getsize(os.path.join(d, f)) for d, _, files in os.walk(args.out) for f in files)
    print(f"{args.out}: {total / 1e6:.2f} MB, losses {cases['train']['losses']}, gradient norms {cases['train']['grad_norms']}")


if __name__ == "__main__":
    main()
