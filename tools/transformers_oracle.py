"""The reference implementation (transformers, f32, CPU) behind two functions; used by tools/check_transformers.py and
bench/ask_vs_transformers. Needs the packages of `scripts/venv oracle`."""
import json
import os
import re

import librosa
import torch
from transformers import AutoProcessor, Qwen2AudioForConditionalGeneration

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def reasoner_system_prompt():
    """The system prompt of `ask`, read from the C++ source so that it stands in one place only."""
    for folder, _, names in os.walk(os.path.join(ROOT, "src")):
        for name in names:
            if not name.endswith((".h", ".cpp")):
                continue
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                match = re.search(r'kReasonerSystemPrompt(?:\[\])?\s*=\s*((?:"(?:\\.|[^"\\])*"\s*)+);', f.read())
            if match:
                return "".join(json.loads(piece) for piece in re.findall(r'"(?:\\.|[^"\\])*"', match.group(1)))
    raise SystemExit("error: no kReasonerSystemPrompt in src\nhint: give the prompt with --system")


def messages_of(sample, system):
    """A line of a samples file as a conversation; the clips belong to the first user message."""
    messages = [{"role": "system", "content": system}]
    questions = [turn["question"] for turn in sample.get("turns", [])] + [sample["question"]]
    answers = [turn["response"] for turn in sample.get("turns", [])]
    for i, question in enumerate(questions):
        content = [{"type": "text", "text": question}]
        if i == 0:
            content = [{"type": "audio", "audio_url": path} for path in sample["audio"]] + content
        messages.append({"role": "user", "content": content})
        if i < len(answers):
            messages.append({"role": "assistant", "content": answers[i]})
    return messages


class Oracle:
    def __init__(self, model_dir, threads=None):
        if threads:
            torch.set_num_threads(threads)
        self.processor = AutoProcessor.from_pretrained(model_dir)
        self.model = Qwen2AudioForConditionalGeneration.from_pretrained(model_dir, dtype=torch.float32).eval()
        eos = self.model.generation_config.eos_token_id
        self.eos = set(eos if isinstance(eos, list) else [eos])

    def inputs(self, messages, audio_root):
        text = self.processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        audio = [librosa.load(os.path.join(audio_root, part["audio_url"]), sr=16000)[0]
                 for message in messages if isinstance(message["content"], list)
                 for part in message["content"] if part["type"] == "audio"]
        return self.processor(text=text, audio=audio or None, sampling_rate=16000, return_tensors="pt", padding=True)

    def greedy(self, messages, audio_root, max_new_tokens, repetition_penalty):
        """Tokens and, for every step, the gap between the two best scores after the penalty."""
        inputs = self.inputs(messages, audio_root)
        with torch.inference_mode():
            out = self.model.generate(**inputs, do_sample=False, num_beams=1, max_new_tokens=max_new_tokens,
                                      repetition_penalty=repetition_penalty, output_scores=True, return_dict_in_generate=True)
        tokens = out.sequences[0, inputs["input_ids"].shape[1]:].tolist()
        best = [torch.topk(scores[0], 2).values for scores in out.scores]
        return tokens, [float(b[0] - b[1]) for b in best]
